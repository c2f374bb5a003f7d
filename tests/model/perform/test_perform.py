"""What is done to composed notes: loudness by the plan, differences by the composer, nothing else changed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from hitpoint.model.music.score import Bar, Note
from hitpoint.model.perform.perform import perform
from hitpoint.model.plan.types import BarPlan

FLAT = tuple((0.0, 0.0) for _ in range(16))


def bar(*velocities: int, instrument: int = 1) -> Bar:
    return Bar(0, tuple(Note(2 * place, instrument, 60, 2, each) for place, each in enumerate(velocities)))


def played(composed: Bar, dynamics: tuple[tuple[float, float], ...] = FLAT) -> list[int]:
    return [note.velocity for note in perform(composed, BarPlan(0, 8, dynamics=dynamics)).notes]


def test_how_loud_a_bar_was_composed_does_not_matter() -> None:
    assert played(bar(50, 60, 70)) == played(bar(90, 100, 110))


def test_its_notes_differ_as_they_were_composed() -> None:
    soft, middle, loud = played(bar(20, 60, 100), tuple((-30.0, 0.0) for _ in range(16)))
    assert soft < middle < loud and middle - soft > 20


def test_only_velocities_change() -> None:
    composed = bar(40, 90, 70)
    after = perform(composed, BarPlan(0, 8, dynamics=FLAT))
    assert [replace(note, velocity=0) for note in after.notes] == [replace(note, velocity=0) for note in composed.notes]
    assert perform(composed, BarPlan(0, 8, dynamics=FLAT)) == after


def test_an_accent_stands_out_from_what_is_held_back_around_it() -> None:
    dynamics = (*((0.0, -6.0) for _ in range(2)), (0.0, 13.0), *((0.0, -6.0) for _ in range(13)))
    before, hit, after = played(bar(80, 80, 80), dynamics)
    plain = played(bar(80, 80, 80))[0]
    assert before == after < plain < hit


@pytest.mark.parametrize("level", [-400.0, 400.0])
def test_velocities_stay_within_what_midi_knows(level: float) -> None:
    assert all(1 <= each <= 127 for each in played(bar(1, 64, 127), tuple((level, 50.0) for _ in range(16))))


def test_loudness_rises_with_the_energy() -> None:
    means = [
        sum(note.velocity for note in perform(bar(70, 80, 90), BarPlan(0, 8, energy=energy)).notes) / 3
        for energy in (0.1, 0.35, 0.6, 0.85)
    ]
    assert all(louder - softer > 5 for softer, louder in pairwise(means))


def test_where_drums_strike_an_accent_the_others_need_less_of_it() -> None:
    dynamics = ((0.0, 12.0), *((0.0, 0.0) for _ in range(15)))
    alone = perform(Bar(0, (Note(0, 1, 60, 2, 80),)), BarPlan(0, 1, dynamics=dynamics)).notes[0].velocity
    drum, beside = perform(
        Bar(0, (Note(0, 0, 36, 1, 80), Note(0, 1, 60, 2, 80))), BarPlan(0, 1, dynamics=dynamics)
    ).notes
    assert beside.velocity < alone <= drum.velocity
