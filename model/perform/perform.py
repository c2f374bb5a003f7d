"""A composed bar -> the bar as it is played."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Bar, Note
from hitpoint.model.plan.dynamics import LOUDNESS_RANGE
from hitpoint.model.plan.types import BarPlan, Plan

SOFTEST, HARDEST = 16, 127
KNEE, SLOPE = 68.0, 0.42
"""Above KNEE only SLOPE of a velocity counts, before accents: hits keep room above the rest."""

DRUMS_HELD_BACK = 1.5
"""Drums are held back by so much more than others around an accent: to the ear the snare is the loudest of all."""


def perform(bar: Bar, asked: BarPlan) -> Bar:
    """`bar` with the velocities that `asked` wants of it; the same bar gives the same performance."""
    curve = asked.dynamics or [(LOUDNESS_RANGE * (asked.energy_at(tick) - 0.5), 0.0) for tick in range(TICKS_PER_BAR)]
    return replace(bar, notes=tuple(replace(note, velocity=_loudness(note, *curve[note.tick])) for note in bar.notes))


def perform_all(bars: Iterable[Bar], plan: Plan) -> tuple[Bar, ...]:
    """Bars of `plan`, each found by its index, as they are played."""
    return tuple(perform(bar, plan.bars[bar.index]) for bar in bars)


def _loudness(note: Note, level: float, accent: float) -> int:
    value = note.velocity + level
    if value > KNEE:
        value = KNEE + (value - KNEE) * SLOPE
    if accent < 0 and INSTRUMENTS[note.instrument] == "drums":
        accent *= DRUMS_HELD_BACK
    return max(SOFTEST, min(HARDEST, round(value + accent)))
