"""Every sentence of the README that a machine can check."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hitpoint.bridge.cli import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def code_lines() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("line", [line for line in code_lines() if line.startswith("hitpoint ")])
def test_commands_parse(line: str) -> None:
    """Known command, known options, values of the right type."""
    words = shlex.split(line, comments=True)[1:]
    command = cli.get_command(click.Context(cli), words[0])
    assert command is not None, words[0]
    command.make_context(words[0], words[1:])


@pytest.mark.skipif(shutil.which("sh") is None, reason="no sh here to read the scripts")
def test_the_two_commands_are_there() -> None:
    scripts = [words[1] for line in code_lines() if (words := shlex.split(line, comments=True))[0] == "sh"]
    assert len(scripts) == 2
    for script in scripts:
        assert subprocess.run(["sh", "-n", str(ROOT / script)], check=False).returncode == 0


def test_links_and_pictures_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target
    picture = ROOT / "docs" / "score.png"
    assert picture.stat().st_size <= 300_000


def test_the_osc_table_is_the_parsers_own() -> None:
    command = [sys.executable, "-m", "hitpoint.bridge.osc.protocol"]
    table = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    assert table in README, "paste the output of `python -m hitpoint.bridge.osc.protocol` into README.md"
