"""`hitpoint score --format`: the files, their names, and what is said when they cannot be."""

from __future__ import annotations

from pathlib import Path

import mido
import pytest

from tests.contract.conftest import Run
from tests.plugins.reaper.rpp_project import RppProject, largest_error_s, midi_notes


def names() -> set[str]:
    return {path.name for path in Path().iterdir()}


def test_every_format_from_one_take(run: Run, film: Path) -> None:
    result = run("score", film, "-o", "a.mid", "--format", "midi,rpp,otio,edl", "--instruments", "drums,bass")
    assert (result.code, result.err) == (0, "")
    assert names() == {"a.mid", "a.rpp", "a.otio", "a.edl"}
    assert all(name in result.out for name in names())
    project = RppProject(Path("a.rpp").read_text())
    for name, notes in midi_notes(Path("a.mid"), 0.0).items():
        assert largest_error_s(project.track(name).items[0].takes[0].notes, notes) < 1e-6
    assert project.track("Film").items[0].length_s == pytest.approx(mido.MidiFile("a.mid").length, abs=0.001)


def test_stems_alone(run: Run, film: Path) -> None:
    pytest.importorskip("tinysoundfont")
    result = run("score", film, "--format", "stems", "--instruments", "drums,bass", "--takes", "2")
    assert (result.code, result.err) == (0, "")
    assert names() == {f"film-{take}-{name}.wav" for take in (1, 2) for name in ("drums", "bass")}


def test_unknown_format_and_existing_file(run: Run, film: Path) -> None:
    result = run("score", film, "--format", "mp3")
    assert result.code == 2 and "choose from midi, wav, mux, report, plot, rpp, " in result.err and not names()
    Path("film.rpp").write_text("mine")
    result = run("score", film, "--format", "midi,rpp")
    assert result.code == 2 and "--force" in result.err
    assert names() == {"film.rpp"} and Path("film.rpp").read_text() == "mine"


def test_cuts_from_the_editor(run: Run, film: Path) -> None:
    Path("cuts.edl").write_text(
        "TITLE: A\n001  A V C 00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00\n"
        "002  B V C 00:00:00:00 00:00:06:00 01:00:02:00 01:00:08:00\n"
    )
    result = run("score", film, "-o", "a.mid", "--cuts", "cuts.edl", "--control", "1", "--format", "otio")
    assert result.code == 0 and "cuts.edl" not in result.err and names() == {"a.otio", "cuts.edl"}
    result = run("score", film, "-o", "b.mid", "--cuts", "nothing.edl")
    assert result.code == 3 and result.err.count("\n") == 1
