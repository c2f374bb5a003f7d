"""A composed bar -> the bar as it is played."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Bar, Note
from hitpoint.model.plan.dynamics import LOUDNESS_RANGE
from hitpoint.model.plan.types import BarPlan, Plan

SOFTEST, HARDEST = 16, 127
KNEE, SLOPE = 64.0, 0.5
"""Above KNEE only SLOPE of a velocity counts, before accents: hits keep room above the rest."""

USUAL = (88.0, 88.0, 80.0, 84.0, 84.0)
"""Velocity of a bar of middling energy, before the knee, of each of INSTRUMENTS, as if composed."""
DRUMS_HELD_BACK = 1.5
"""Drums are held back by so much more than others around an accent: to the ear the snare is the loudest of all."""


def perform(bar: Bar, asked: BarPlan) -> Bar:
    """`bar` with the velocities that `asked` wants of it; the same bar gives the same performance.

    How loud a bar is follows the plan alone. What the composer wrote is heard in how its notes differ from each other.
    """
    curve = asked.dynamics or [(LOUDNESS_RANGE * (asked.energy_at(tick) - 0.5), 0.0) for tick in range(TICKS_PER_BAR)]
    mean = {part: _mean_velocity(bar, part) for part in {note.instrument for note in bar.notes}}
    played = (
        replace(note, velocity=_loudness(note, note.velocity - mean[note.instrument], *curve[note.tick]))
        for note in bar.notes
    )
    return replace(bar, notes=tuple(played))


def perform_all(bars: Iterable[Bar], plan: Plan) -> tuple[Bar, ...]:
    """Bars of `plan`, each found by its index, as they are played."""
    return tuple(perform(bar, plan.bars[bar.index]) for bar in bars)


def _mean_velocity(bar: Bar, instrument: int) -> float:
    velocities = [note.velocity for note in bar.notes if note.instrument == instrument]
    return sum(velocities) / len(velocities)


def _loudness(note: Note, differs: float, level: float, accent: float) -> int:
    value = USUAL[note.instrument] + differs + level
    if value > KNEE:
        value = KNEE + (value - KNEE) * SLOPE
    if accent < 0 and INSTRUMENTS[note.instrument] == "drums":
        accent *= DRUMS_HELD_BACK
    return max(SOFTEST, min(HARDEST, round(value + accent)))
