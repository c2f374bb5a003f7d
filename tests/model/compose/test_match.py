"""Retrieval finds the music that fits, and takes a composer's place."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
from click.testing import CliRunner

from hitpoint.bridge.cli import cli
from hitpoint.model.compose.library.match import MatchComposer, matches, stretch
from hitpoint.model.data.build import load
from hitpoint.model.data.windows import controls_of, piece_notes
from hitpoint.model.errors import InputError
from hitpoint.model.plan.types import BarPlan
from tests.model.material import make_plan, write_song

FILM = Path(__file__).parents[3] / "examples" / "film.mp4"


def test_a_plan_read_off_a_stretch_finds_that_stretch(shard_folder: Path) -> None:
    shard = load(shard_folder)
    piece, first = shard.pieces[7], 5
    heard = controls_of(piece_notes(shard, piece), piece.bars)
    bars = tuple(
        BarPlan(
            i, int(heard.density[first + i]), tuple((t, int(s)) for t, s in enumerate(heard.required[first + i]) if s)
        )
        for i in range(6)
    )
    found = matches(replace(make_plan(6), bars=bars), shard, shard.pieces)
    assert (found[0].piece, found[0].first_bar) == (piece, first)
    assert found[0].score > 1e5 > found[1].score
    assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)


def test_a_library_takes_the_composers_place(shard_folder: Path) -> None:
    matcher = MatchComposer.load(shard_folder)
    plan = make_plan(6, instruments=(0, 1))
    bars = list(matcher.stream(plan, seed=plan.seed))
    best = matches(plan, matcher.library, matcher.library.pieces)[0]
    assert bars == stretch(matcher.library, best.piece, best.first_bar, 6, plan.instruments)
    assert {note.instrument for bar in bars for note in bar.notes} == {0, 1}
    assert list(matcher.stream(plan, plan.seed, bars[:2])) == bars[2:]
    assert list(matcher.stream(plan, plan.seed + 1)) != bars


def test_a_library_of_short_pieces_is_one_sentence(shard_folder: Path) -> None:
    matcher = MatchComposer.load(shard_folder)
    with pytest.raises(InputError, match="takes 200 bars and the longest piece of the library has 2"):
        list(matcher.stream(make_plan(200), 0))


def test_score_with_a_library_writes_its_music(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    write_song(library / "long.mid", bars=60)
    write_song(library / "waltz.mid", numerator=3)
    out, report = tmp_path / "out.mid", tmp_path / "report.json"
    asked = ["score", str(FILM), "-o", str(out), "--report", str(report), "--composer", "match"]
    done = CliRunner().invoke(cli, [*asked, "--library", str(library), "--instruments", "drums,bass"])
    assert done.exit_code == 0, done.output
    said = json.loads(report.read_text())
    assert said["composer"] == "match" and said["model"]["parameters"] == 0
    struck = {track.name for track in mido.MidiFile(out).tracks for each in track if each.type == "note_on"}
    assert struck == {"Drums", "Bass"}
    (tmp_path / "empty").mkdir()
    for wrong, sentence in (
        ([], "the composer match needs a library"),
        (["--library", str(tmp_path / "empty")], "no MIDI files"),
        (["--library", str(tmp_path / "absent")], "there is no folder"),
    ):
        refused = CliRunner().invoke(cli, [*asked, *wrong, "--force"])
        assert refused.exit_code != 0 and sentence in str(refused.exception) + refused.output


def test_a_stretch_keeps_its_notes(shard_folder: Path) -> None:
    shard = load(shard_folder)
    piece = shard.pieces[0]
    notes = piece_notes(shard, piece)
    bars = stretch(shard, piece, 3, 4)
    assert [len(bar.notes) for bar in bars] == np.bincount(notes.bar, minlength=7)[3:7].tolist()
