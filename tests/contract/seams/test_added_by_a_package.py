"""A composer, an output and a leaning that another, installed package adds by entry points: each is one file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import mido
import pytest

from hitpoint.model.output.report import SCHEMA

PACKAGE = Path(__file__).with_name("package")
HITPOINT = [sys.executable, "-c", "from hitpoint.bridge.cli import main; main()"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a Python in which the package is installed."""
    source, target = tmp_path_factory.mktemp("source") / "package", tmp_path_factory.mktemp("site")
    shutil.copytree(PACKAGE, source)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "--target", str(target), str(source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    cache = tmp_path_factory.mktemp("cache")
    return {**os.environ, "PYTHONPATH": str(target), "XDG_CACHE_HOME": str(cache), "HITPOINT_CONFIG": os.devnull}


def test_both_are_used_by_the_command_line(installed: dict[str, str], film: Path, tmp_path: Path) -> None:
    asked = ["score", str(film), "-o", "a.mid", "--composer", "pulse", "--format", "midi,instants,report"]
    done = subprocess.run([*HITPOINT, *asked], env=installed, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "a.report.json").read_text())
    assert report["schema"] == SCHEMA and report["composer"] == "pulse"
    assert report["errors"]["density"] == report["errors"]["strength"] == 0.0
    assert len((tmp_path / "a.instants.txt").read_text().splitlines()) == len(report["hits"]) > 0
    struck = {track.name for track in mido.MidiFile(tmp_path / "a.mid").tracks for m in track if m.type == "note_on"}
    assert struck == {"Strings"}


def test_its_leaning_joins_those_of_the_network(installed: dict[str, str], film: Path, tmp_path: Path) -> None:
    asked = ["score", str(film), "-o", "a.mid", "--out", "4", "--genre", "rock"]
    done = subprocess.run([*HITPOINT, *asked], env=installed, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sound = [m for track in mido.MidiFile(tmp_path / "a.mid").tracks for m in track if m.type == "note_on"]
    pitched = [m.note % 12 for m in sound if m.channel != 9]
    assert len(pitched) > 10 and pitched.count(7) > 0.8 * len(pitched)


def test_a_name_that_is_nobodys_is_answered_with_the_names(installed: dict[str, str], film: Path) -> None:
    for option, known in (
        ("--composer", "cmt, library, match, diffusion, broken, pulse"),
        ("--format", "musicxml, instants"),
    ):
        done = subprocess.run(
            [*HITPOINT, "score", str(film), option, "nil"], env=installed, capture_output=True, text=True
        )
        assert done.returncode == 2 and known in done.stderr and done.stderr.count("\n") == 1


def test_a_package_that_cannot_be_loaded_is_one_sentence(installed: dict[str, str], film: Path, tmp_path: Path) -> None:
    asked = [*HITPOINT, "score", str(film), "-o", str(tmp_path / "a.mid"), "--composer", "broken"]
    done = subprocess.run(asked, env=installed, capture_output=True, text=True)
    assert done.returncode == 2 and "hitpoint_extra.nowhere cannot be loaded" in done.stderr
    assert not list(tmp_path.iterdir())
