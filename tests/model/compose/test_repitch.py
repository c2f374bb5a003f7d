"""Tension in the notes: the curve is met, patterns stay patterns, and nothing but pitches changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from hitpoint.model.compose.patterns import patterns
from hitpoint.model.compose.repitch import Search, asked_tension, repitched
from hitpoint.model.mood.types import Affect
from hitpoint.model.music.score import Bar, Note
from hitpoint.model.plan.types import Plan
from tests.fakes import FakeComposer, fake_plan

BARS = 12
RISE = [0.15 + 0.07 * bar for bar in range(BARS)]


def planned(tension: Sequence[float] = RISE) -> Plan:
    plan = fake_plan(bars=BARS, duration_s=24.0)
    bars = (
        replace(
            bar, affect=Affect(0.0, 0.0, value), key="A minor", chords=("Am", "F") if bar.index % 2 else ("Dm", "E7")
        )
        for bar, value in zip(plan.bars, tension, strict=True)
    )
    return replace(plan, bars=tuple(bars))


def composed(plan: Plan, seed: int = 3) -> list[Bar]:
    return list(FakeComposer().stream(plan, seed))


def heard(bars: Sequence[Bar], plan: Plan) -> np.ndarray:
    """(bars,) measured tension."""
    target = asked_tension(plan)
    assert target is not None
    return Search(bars, plan, target, np.random.default_rng(0)).tension.reshape(-1, 2).mean(axis=1)


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    ranks = [np.argsort(np.argsort(each)) for each in (a, b)]
    return float(np.corrcoef(*ranks)[0, 1])


@pytest.mark.parametrize("seed", [1, 2])
def test_the_notes_follow_the_tension_that_is_asked(seed: int) -> None:
    plan = planned()
    bars = composed(plan, seed)
    after = repitched(bars, plan, seed)
    assert spearman(RISE, heard(after, plan)) >= 0.8
    assert np.square(heard(after, plan) - RISE).mean() < 0.3 * np.square(heard(bars, plan) - RISE).mean()


def test_only_pitches_change_and_never_those_of_drums() -> None:
    plan = planned()
    bars = composed(plan)
    after = repitched(bars, plan)
    for before, now in zip(bars, after, strict=True):
        assert before.density == now.density and before.strengths() == now.strengths()

        def kept(notes: Sequence[Note]) -> list[Note]:
            return sorted(replace(n, pitch=n.pitch if n.instrument == 0 else 0) for n in notes)

        assert kept(before.notes) == kept(now.notes)
    assert any(before != now for before, now in zip(bars, after, strict=True))


def test_the_key_is_kept() -> None:
    plan = planned()
    scale = {9, 11, 0, 2, 4, 5, 7, 8}

    def share(bars: Sequence[Bar]) -> float:
        inside = [note.pitch % 12 in scale for bar in bars for note in bar.notes if note.instrument]
        return sum(inside) / len(inside)

    assert share(repitched(composed(plan), plan)) >= share(composed(plan)) - 0.03


def test_patterns_stay_patterns() -> None:
    figure = ((0, 60), (2, 64), (4, 67), (8, 64))
    bars = [Bar(i, tuple(Note(tick, 1, pitch + (i % 3), 2, 80) for tick, pitch in figure)) for i in range(BARS)]
    after = repitched(bars, planned())
    now = {(16 * bar.index + old.tick, old.pitch): new.pitch
           for bar, moved in zip(bars, after, strict=True)
           for old, new in zip(bar.notes, moved.notes, strict=True)}  # fmt: skip
    assert any(place[1] != pitch for place, pitch in now.items())
    for occurrences in patterns(list(now)):
        shapes = {tuple(now[place] - now[occurrence[0]] for place in occurrence) for occurrence in occurrences}
        assert len(shapes) == 1


def test_patterns_are_found_and_share_no_note() -> None:
    figure = [(0, 60), (3, 62), (6, 65)]
    places = [(tick + 16 * turn, pitch + 2 * turn) for turn in range(4) for tick, pitch in figure]
    found = patterns([*places, (5, 90), (37, 31)])
    assert [len(occurrences) for occurrences in found] == [4]
    assert sorted(note for occurrence in found[0] for note in occurrence) == sorted(places)


@pytest.mark.parametrize("tension", [[0.4] * BARS])
def test_a_constant_curve_changes_nothing(tension: Sequence[float]) -> None:
    plan = planned(tension)
    bars = composed(plan)
    assert repitched(bars, plan) == tuple(bars)


def test_drums_alone_and_single_notes_are_left_in_peace() -> None:
    plan = planned()
    alone = [Bar(i, (Note(0, 0, 36, 1, 90),)) for i in range(BARS)]
    assert repitched(alone, plan) == tuple(alone)
    single = [Bar(i, (Note(0, 1, 60, 4, 80),) if i == 5 else ()) for i in range(BARS)]
    assert len(repitched(single, plan)) == BARS
