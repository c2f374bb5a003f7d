"""The tune: a motif that is kept and comes back, and a motif of the user's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pytest

from hitpoint.model.errors import UsageError
from hitpoint.model.music.keys import Key
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.tune.melody import THEME_BARS, sounding
from hitpoint.model.plan.tune.motif import chance_of, drawn_motif, pitch_at, scale_place
from hitpoint.model.plan.tune.motif_file import read_motif
from hitpoint.model.plan.tune.rhythm_table import RHYTHMS
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.plan.wishes.options import check_wishes, parse_wishes
from hitpoint.model.video.types import VisualRhythm

RHYTHMS_OF_PEOPLE = {rhythm for found in RHYTHMS.values() for rhythm in found}
TUNE = ((0, 67, 480), (480, 69, 480), (960, 71, 240), (1200, 72, 720), (1920, 74, 960), (2880, 67, 960))


def midi(path: Path, metre: tuple[int, int] = (4, 4), notes: tuple = TUNE, channel: int = 0) -> Path:
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("time_signature", numerator=metre[0], denominator=metre[1]))
    now = 0
    for start, pitch, length in notes:
        track.append(mido.Message("note_on", note=pitch, velocity=90, time=start - now, channel=channel))
        track.append(mido.Message("note_off", note=pitch, time=length, channel=channel))
        now = start + length
    file.tracks.append(track)
    file.save(path)
    return path


def rhythms(plan: Plan) -> list[tuple[int, ...]]:
    return [tuple(note.tick for note in bar.line) for bar in plan.bars]


def test_the_motif_comes_back_through_all_sections(rhythm: Callable[..., VisualRhythm]) -> None:
    plan = build_plan(rhythm(120.0, tuple(np.arange(8.0, 118, 8.3)), shots="ABCDABCDABCDABC"), Wishes(seed=4))
    told = [each for each in rhythms(plan) if each]
    assert len(told) > 0.5 * len(plan.bars)
    common = max(set(told), key=told.count)
    assert sum(set(each) <= set(common) or set(common) <= set(each) for each in told) > 0.3 * len(told)
    moves = [b.pitch - a.pitch for bar in plan.bars for a, b in pairwise(bar.line)]
    assert np.mean([abs(move) in (1, 2) for move in moves]) > 0.35
    assert np.mean([move == 0 for move in moves]) < 0.28


def test_a_theme_that_comes_back_keeps_its_moves(rhythm: Callable[..., VisualRhythm]) -> None:
    shares = []
    for seed in range(4):
        plan = build_plan(rhythm(120.0, tuple(np.arange(8.0, 118, 8.3)), shots="ABCDABCDABCDABC"), Wishes(seed=seed))
        moves = [Counter(b.pitch - a.pitch for a, b in pairwise(bar.line)) for bar in plan.bars]
        for before, now in zip(moves, moves[THEME_BARS:], strict=False):
            if before and now:
                shares.append((before & now).total() / max(before.total(), now.total()))
    assert np.mean(shares) > 0.75


def test_a_note_of_the_tune_that_falls_into_a_breath_waits_for_its_end(rhythm: Callable[..., VisualRhythm]) -> None:
    waited = 0
    for seed in range(3):
        plan = build_plan(rhythm(60.0, tuple(np.arange(5.3, 58, 4.7))), Wishes(seed=seed))
        for bar in plan.bars:
            closed = {tick for tick, k in bar.closed if k == bar.leader}
            ticks = [note.tick for note in bar.line]
            assert not closed & set(ticks) and ticks == sorted(set(ticks))
            waited += sum(tick - 1 in closed for tick in ticks if tick % 4)
    assert waited > 5


def test_a_leader_that_is_wished_for_has_the_tune_throughout(rhythm: Callable[..., VisualRhythm]) -> None:
    plan = build_plan(rhythm(30.0, (9.0, 18.0)), parse_wishes({"lead": "guitar"}))
    guitar = INSTRUMENTS.index("guitar")
    assert all(bar.leader == guitar and guitar in bar.instruments for bar in plan.bars[:-1])
    with pytest.raises(UsageError, match="not among the instruments"):
        check_wishes(parse_wishes({"lead": "guitar", "instruments": "piano,drums"}))
    with pytest.raises(UsageError, match="needs planned chords"):
        check_wishes(parse_wishes({"lead": "guitar", "harmony": "off"}))


def test_a_motif_of_ones_own_is_quoted_note_for_note(rhythm: Callable[..., VisualRhythm], tmp_path: Path) -> None:
    path = midi(tmp_path / "own.mid")
    plan = build_plan(rhythm(30.0, (9.0, 18.0)), parse_wishes({"motif": str(path), "instruments": "piano,bass"}))
    piano = INSTRUMENTS.index("piano")
    stands = [
        (bar.index * TICKS_PER_BAR + note.tick, note.pitch) for bar in plan.bars[:2] for note in bar.scored
        if note.instrument == piano
    ]  # fmt: skip
    assert stands == [(start // 120, pitch) for start, pitch, _ in TUNE]
    assert plan.bars[0].key == "G major"
    moved = build_plan(rhythm(30.0, (9.0, 18.0)), parse_wishes({"motif": str(path), "key": "A"}))
    assert [note.pitch for note in moved.bars[0].line] == [pitch + 2 for _, pitch, _ in TUNE[:4]]


def test_motifs_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="3/4"):
        read_motif(midi(tmp_path / "waltz.mid", (3, 4)))
    with pytest.raises(UsageError, match="no pitched note"):
        read_motif(midi(tmp_path / "none.mid", notes=()))
    with pytest.raises(UsageError, match="no pitched note"):
        read_motif(midi(tmp_path / "drums.mid", channel=9))
    (tmp_path / "text.mid").write_text("no music", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot read"):
        read_motif(tmp_path / "text.mid")
    long = read_motif(midi(tmp_path / "long.mid", notes=tuple((480 * k, 60 + k % 12, 480) for k in range(100))))
    assert long.bars == 4


@pytest.mark.parametrize("minor", [False, True])
def test_places_in_a_scale(minor: bool) -> None:
    key = Key(7, minor)
    for pitch in range(40, 90):
        place, raised = scale_place(pitch, key)
        assert pitch_at(place, key, raised) == pitch and raised in (0, 1)


@pytest.mark.parametrize("energy", [0.1, 0.5, 0.9])
def test_drawn_motifs_are_one_or_two_bars_of_single_notes(energy: float) -> None:
    sizes, bars = [], []
    for seed in range(60):
        motif = drawn_motif(energy, np.random.default_rng(seed))
        ticks = [note.tick for note in motif.notes]
        assert ticks == sorted(set(ticks)) and all(motif.bar(number) for number in range(motif.bars))
        assert {tuple(n.tick for n in motif.bar(number)) for number in range(motif.bars)} <= RHYTHMS_OF_PEOPLE
        sizes.append(len(ticks) / motif.bars)
        bars.append(motif.bars)
    assert np.mean(sizes) > 2.5 + 3 * energy
    assert set(bars) == {1, 2} and np.mean(bars) > 1.5


def test_a_tune_of_ones_own_for_every_film_and_genre(rhythm: Callable[..., VisualRhythm]) -> None:
    """All films at the same seed once had the same motif."""
    films = [rhythm(40.0, (first, 20.0)) for first in (4.0, 7.0, 9.0, 12.0)]
    told = {tuple(rhythms(build_plan(film, Wishes(genre=genre)))[0]) for film in films for genre in ("pop", "metal")}
    assert len(told) > 2
    edited = [chance_of(3, "pop", [4.2, 9.9, last]).random() for last in (20.0, 25.0)]
    assert edited[0] == edited[1] != chance_of(3, "rock", [4.2, 9.9]).random()


def test_a_tune_stays_on_its_pitch_as_often_as_people_s_do(rhythm: Callable[..., VisualRhythm]) -> None:
    """In .21 to .27 of its moves; it once stayed in .06."""
    moves = [
        b.pitch - a.pitch
        for seed in range(12)
        for bar in build_plan(rhythm(40.0, (9.0, 21.0)), Wishes(seed=seed)).bars
        for a, b in pairwise(bar.line)
    ]
    assert 0.12 < np.mean([move == 0 for move in moves]) < 0.28


def test_in_minor_the_tune_has_the_leading_tone_of_its_dominant() -> None:
    a_minor = Key(9, True)
    place = scale_place(67, a_minor)[0]
    assert sounding(place, a_minor, 0, (4, 8, 11)) == 68 and sounding(place, a_minor, 0, (7, 11, 2)) == 67
    assert sounding(scale_place(71, a_minor)[0], a_minor, 1, ()) == 71  # not raised onto C
