"""Training music: what is left out, and how it is varied."""

from __future__ import annotations

import json
from pathlib import Path

import mido
import numpy as np
import pytest
from click.testing import CliRunner

from hitpoint.bridge.cli import cli
from hitpoint.model.data import reader
from hitpoint.model.data.build import load
from hitpoint.model.data.windows import (
    CONTROLLED,
    MAX_TRANSPOSE,
    Augmentation,
    Windows,
    blur,
    controls_of,
    piece_notes,
    vary,
)
from hitpoint.model.music.tokens import BAR_LINE, BEAT, DENSITY, RHYTHM, TYPE, Notes
from hitpoint.model.network import conditions
from tests.model.material import write_song


@pytest.fixture
def song(shard_folder: Path) -> tuple[Notes, int]:
    shard = load(shard_folder)
    return piece_notes(shard, shard.pieces[0]), shard.pieces[0].bars


def test_unusable_folders_are_one_sentence_and_odd_files_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    music, out = tmp_path / "music", str(tmp_path / "out")
    music.mkdir()
    command = ["data", "build", str(music), "-o", out, "--workers", "1"]
    (music / "notes.txt").write_text("no MIDI here")
    assert "no MIDI files" in str(CliRunner().invoke(cli, command).exception)
    one = mido.MidiFile(tracks=[mido.MidiTrack([mido.Message("note_on", note=60), mido.Message("note_off", note=60)])])
    one.save(music / "one_note.mid")
    (music / "empty.mid").touch()
    (music / "cut_short.mid").write_bytes((music / "one_note.mid").read_bytes()[:30])
    write_song(music / "waltz.mid", numerator=3)
    with (music / "huge.mid").open("wb") as file:
        file.truncate(reader.MAX_BYTES + 1)
    assert "none of 5 MIDI files can be used" in str(CliRunner().invoke(cli, command).exception)
    assert not Path(out).exists()
    write_song(music / "undrummed.mid")
    drumless = mido.MidiFile(music / "undrummed.mid")
    drumless.tracks = [track for track in drumless.tracks if track.name != "Drums"]
    drumless.save(music / "undrummed.mid")
    built = CliRunner().invoke(cli, command)
    assert built.exit_code == 0 and "1 pieces of 1 songs" in built.output and "5 files left out" in built.output
    for reason in ("one_note.mid has 1 notes", "empty.mid is not", "cut_short.mid is not", "3/4", "larger than 100 MB"):
        assert reason in built.output, reason
    assert load(Path(out)).pieces[0].instruments == (1, 3)
    assert "add --force" in str(CliRunner().invoke(cli, command).exception)
    assert CliRunner().invoke(cli, [*command, "--force"]).exit_code == 0


def test_the_report_counts_by_split_and_genre(shard_folder: Path) -> None:
    shard = load(shard_folder)
    report = json.loads((shard_folder / "report.json").read_text())
    assert report["taken"] == report["songs"] == sum(report["splits"].values()) == 40
    for genre in ("rock", "pop"):
        pieces = [piece for piece in shard.pieces if piece.genre == genre]
        notes = sum(piece.end - piece.start for piece in pieces)
        assert report["genres"][genre] == {"pieces": 20, "bars": sum(p.bars for p in pieces), "notes": notes}


def test_transposing_moves_all_pitched_parts_together_and_no_drum(song: tuple[Notes, int]) -> None:
    notes, _ = song
    only = Augmentation(transpose=True, drop_track=0.0)
    steps = set()
    for seed in range(60):
        varied, _ = vary(notes, only, np.random.default_rng(seed))
        moved = varied.pitch - notes.pitch
        assert not moved[notes.instrument == 0].any()
        pitched = moved[notes.instrument > 0]
        assert (pitched == pitched[0]).all()
        steps.add(int(pitched[0]))
    assert min(steps) == 1 - MAX_TRANSPOSE and max(steps) == MAX_TRANSPOSE


def test_dropping_leaves_whole_parts_out_and_two_at_least(song: tuple[Notes, int]) -> None:
    notes, _ = song
    seen = set()
    for seed in range(40):
        varied, _ = vary(notes, Augmentation(transpose=False, drop_track=1.0), np.random.default_rng(seed))
        kept = np.unique(varied.instrument)
        assert len(kept) == 2 and len(varied.bar) == np.isin(notes.instrument, kept).sum()
        seen.add(tuple(kept))
    assert len(seen) == 3


def test_controls_are_those_of_the_varied_music(shard_folder: Path) -> None:
    """With a part dropped the density told for the next bar is still that of the bar row that comes."""
    windows = Windows(
        load(shard_folder), "train", 300, augmentation=Augmentation(drop_track=1.0, control=1.0, forget=0.0)
    )
    starts = set()
    for seed in range(8):
        batch = windows.draw(*(np.random.default_rng([seed, each]) for each in range(2)))
        for b in range(2):
            is_bar = (batch.rows[b, :, TYPE] == RHYTHM) & (batch.rows[b, :, BEAT] == BAR_LINE)
            at = np.flatnonzero(is_bar & np.append(False, batch.valid[b]))
            told = batch.table[b, batch.slot[b, at] - 1, conditions.COLUMN["density_next"]]
            assert (told == batch.rows[b, at, DENSITY]).all()
            starts.add(int(batch.table[b, 0, conditions.COLUMN["bars_from_start"]]))
    assert len(starts) > 4  # windows begin at any bar


def test_controls_are_as_noisy_and_uneven_as_a_film(song: tuple[Notes, int]) -> None:
    notes, bars = song
    whole = controls_of(notes, bars)
    assert blur(whole, CONTROLLED, np.random.default_rng(0)).density.tolist() == whole.density.tolist()
    asked, hits, free, off = [], [], 0, []
    for seed in range(300):
        blurred = blur(whole, Augmentation(), np.random.default_rng(seed))
        free += not blurred.required.any() and (blurred.density < 0).all() and np.isnan(blurred.energy).all()
        given = blurred.density >= 0
        assert (blurred.density[given] == whole.density[given]).all()
        asked.append(given.mean())
        hit = blurred.required > 0
        assert (blurred.required[hit] == whole.required[hit]).all()
        hits.append(hit.any(axis=1).mean())
        off += (blurred.energy - whole.energy)[~np.isnan(blurred.energy)].tolist()
    assert 0.1 < free / 300 < 0.25
    assert min(asked) == 0.0 and 0.4 < np.mean(asked) < 0.6 and max(asked) < 1.0
    assert min(hits) == 0.0 and max(hits) > 0.7
    assert 0.03 < np.std(off) < 0.09
