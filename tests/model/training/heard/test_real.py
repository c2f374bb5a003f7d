"""Real music on the same footing: read, cut to length, its sections found."""

from __future__ import annotations

import re

from hitpoint.model.training.heard.figures import FIGURES, LONG, heard_beside_chance, notes_alone
from hitpoint.model.training.heard.grid import Marks, marks_of
from hitpoint.model.training.heard.real import excerpt, novel_bars, read_scores, real_marks
from hitpoint.model.training.heard.table import real_music, table
from tests.model.material import make_plan, write_song

from .conftest import chord


def test_a_section_begins_where_rhythm_and_harmony_turn(written) -> None:
    first = [event for bar in range(8) for event in chord(16 * bar, (48, 52, 55), 8)]
    second = [
        (16 * bar + tick, 1, pitch, 2, 80) for bar in range(8, 16) for tick in (2, 6, 10, 14) for pitch in (54, 61)
    ]
    assert novel_bars(written(first + second, 16)) == (8,)
    assert novel_bars(written(first, 8)) == ()
    same = [event for bar in range(16) for event in chord(16 * bar, (48, 52, 55), 8)]
    assert novel_bars(written(same, 16)) == ()


def test_a_folder_of_songs_is_read_and_measured(tmp_path) -> None:
    for number in range(3):
        write_song(tmp_path / f"song{number}.mid", bars=12, seed=number)
    (tmp_path / "broken.mid").write_bytes(b"not MIDI")
    scores = dict(read_scores(tmp_path, 2))
    assert len(scores) <= 2 and all(name.startswith("song") for name in scores)
    score = scores[min(scores)]
    assert len(score.bars) == 12 and score.instruments == (0, 1, 3)
    assert [bar.index for bar in excerpt(score, 4, 4).bars] == [0, 1, 2, 3]
    assert excerpt(score, 4, 4).bars[0].notes == score.bars[4].notes
    figures = notes_alone(score, real_marks(score))
    assert {"gaps", "drum_copies", "last_onset", "chord_change_downbeat"} <= set(figures)


def test_every_figure_has_a_line_in_the_table(written) -> None:
    events = [event for bar in range(56) for event in chord(16 * bar, (48 + bar % 5, 52 + bar % 5, 55 + bar % 5))]
    drums = [(16 * bar + tick, 0, 38, 1, 80) for bar in range(56) for tick in (4, 12)]
    strings = [(16 * bar + tick, 4, 72 + tick // 4, 4, 70) for bar in range(56) for tick in (0, 4, 8, 12)]
    marks = Marks((8.0, 21.0), (41.0,), (8.0,), (4, 12))
    now, chance = heard_beside_chance(written(events + drums + strings, 56), marks)
    listed = {figure.name for figure in FIGURES}
    assert set(now) == listed
    assert set(chance) == {figure.name for figure in FIGURES if figure.marked}
    assert all(now[f"long_{name}"] == now[name] for name in LONG)
    text = table({"now": now, "chance": chance} | real_music())
    assert len(text.splitlines()) == 1 + len(listed)
    gaps = next(line for line in text.splitlines() if line.startswith("gaps"))
    assert re.fullmatch(r"gaps.*bars +0\.00 +- +0\.\d\d +0\.\d\d  >= \.15", gaps)


def test_marks_come_from_analysis_and_plan() -> None:
    from dataclasses import replace
    from pathlib import Path

    import numpy as np

    from hitpoint.model.plan.types import HitPoint, Section
    from hitpoint.model.video.types import Boundary, Media, VisualRhythm

    cuts = (
        Boundary(0.1, "cut", 1.0),
        Boundary(4.0, "cut", 1.0),
        Boundary(6.0, "fade", 0.5),
        Boundary(11.9, "cut", 1.0),
    )
    media = Media(Path("x.mp4"), "", 12.0, 24.0, 288, 320, 180)
    none = np.zeros(0)
    rhythm = VisualRhythm(12.0, (media,), none, none.astype(np.float32), none.astype(np.float32), (), cuts)
    plan = replace(
        make_plan(6),
        hits=(HitPoint(4.01, "cut", 1.0, 2, 0, 3), HitPoint(6.0, "fade", 0.5, 3, 0, None)),
        sections=(Section("A", 0, 2), Section("B", 2, 6)),
    )
    assert marks_of(rhythm, plan) == Marks((4.0,), (6.0,), (4.0,), (2,))


def test_aims_are_met_or_not() -> None:
    aim = {figure.name: figure for figure in FIGURES}
    assert aim["cut_rank"].met_by(0.85) and not aim["cut_rank"].met_by(0.84)
    assert aim["last_onset"].met_by(9.0) and not aim["last_onset"].met_by(9.1)
    assert aim["bpm"].met_by(300.0) and not aim["gaps"].met_by(float("nan"))
