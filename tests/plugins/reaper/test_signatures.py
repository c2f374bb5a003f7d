"""The emulator's table of signatures against the facts of REAPER's API that lie beside the repository."""

import re
from pathlib import Path

import pytest

from tests.plugins.reaper.reaper_emulated import HERE, PLUGIN

FACTS = Path(__file__).resolve().parents[4] / "shared" / "reaper_api.tsv"


def emulated() -> dict[str, tuple[list[str], list[str]]]:
    table = re.search(r"\[\[\n(.*?)\]\]", (HERE / "signatures.lua").read_text(), re.DOTALL)
    assert table is not None
    rows = [re.fullmatch(r"(\S+) \| ?(.*?) ?\|\s*(.*?)\s*", line) for line in table[1].splitlines()]
    return {row[1]: (row[2].split(), row[3].split()) for row in rows if row is not None}


def test_signatures_are_reapers():
    if not FACTS.is_file():
        pytest.skip("needs ../shared/reaper_api.tsv")
    own, compared = emulated(), 0
    for line in FACTS.read_text().splitlines()[2:]:
        name, arguments, *returns = line.split("\t")
        if name in own:
            wanted = (arguments.replace(",", "").split(), "".join(returns).replace(",", "").split())
            assert own[name] == wanted, name
            compared += 1
    assert compared > 50


def test_every_function_the_scripts_call_is_in_the_table():
    own = emulated()
    for path in PLUGIN.rglob("*.lua"):
        for name in re.findall(r"reaper\.(\w+)", path.read_text()):
            assert name in own, f"{path.name} calls reaper.{name}"
