"""The examples of docs/osc-hosts.md: each line is encoded as the host sends it, and must come out as the page says."""

import re
import shlex
from pathlib import Path

import pytest

from hitpoint.bridge.osc import codec, protocol
from hitpoint.bridge.osc.aliases import PRESETS, Aliases

PAGE = (Path(__file__).parents[3] / "docs" / "osc-hosts.md").read_text(encoding="utf-8")
EXAMPLES = [
    (host, line)
    for host, block in re.findall(r"```osc (\w+)\n(.*?)```", PAGE, re.DOTALL)
    for line in block.strip().splitlines()
]
KINDS = {"f": float, "d": float, "i": int, "s": str}


def value(text):
    try:
        return float(text)
    except ValueError:
        return text


@pytest.mark.parametrize(("host", "line"), EXAMPLES)
def test_example(host, line):
    sent, _, expected = line.partition("→")
    address, *rest = shlex.split(sent)
    tags = rest.pop(0)[1:] if rest else ""
    given = tuple({"T": True, "F": False}.get(tag) if tag in "TF" else KINDS[tag](rest.pop(0)) for tag in tags)
    (message,) = codec.decode(codec.encode_typed(address, tags, given))
    made = Aliases([host]).translate(message)
    wanted = [[value(part) for part in expected.split()]] if expected.strip() else []
    assert [[own.address, *own.arguments] for own in made] == wanted
    for own in made:
        protocol.check(own)


def test_every_preset_is_on_the_page():
    assert {host for host, _ in EXAMPLES} == set(PRESETS)


@pytest.mark.parametrize("host", PRESETS)
def test_what_a_host_sends_without_type_tags_is_understood_too(host):
    """Old versions leave them out."""
    for rule in PRESETS[host]:
        packet = codec.encode(rule["from"])[:-4] + codec.encode_typed("/x", "f", (1.0,))[-4:]
        (message,) = codec.decode(packet)
        for own in Aliases([host]).translate(message):
            assert own.address.startswith("/hitpoint/")


def test_presets_may_be_used_together():
    """No two hosts mean different things by one address."""
    meant = {}
    for host, rules in PRESETS.items():
        for address in {rule["from"] for rule in rules}:
            assert meant.setdefault(address, host) == host, address
