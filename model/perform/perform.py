"""A composed bar -> the bar as it is played."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import replace

from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Bar, Note
from hitpoint.model.perform.controllers import controllers
from hitpoint.model.perform.hold import held
from hitpoint.model.perform.players import Heard, heard
from hitpoint.model.perform.ring import rung
from hitpoint.model.perform.timing import exact_ticks, timed
from hitpoint.model.perform.touch import touched
from hitpoint.model.plan.arrangement.dynamics import LOUDNESS_RANGE
from hitpoint.model.plan.types import BarPlan, Plan

SOFTEST, HARDEST = 16, 127
KNEE, SLOPE = 64.0, 0.5
"""Above KNEE only SLOPE of a velocity counts, before accents: hits keep room above the rest."""

USUAL = (88.0, 88.0, 80.0, 84.0, 84.0)
"""Velocity of a bar of middling energy, before the knee, of each of INSTRUMENTS, as if composed."""
DRUMS_HELD_BACK = 1.4
"""Drums are held back by so much more than others around an accent: to the ear the snare is the loudest of all."""
EMPHASIS = 1.4
"""The players' guess is a mean over people, who differ more than it does; and the knee takes half of it back."""
LEAD_LIFT = 4.0
"""A tune stands out by so many velocities, and its accompaniment gives way by half as many."""
SHARED_LIFT = 0.3
"""Where drums strike an accent it is theirs; of others that sound with them only so much of it is asked."""


def perform(bar: Bar, asked: BarPlan, *, lengths_stand: bool = False) -> Bar:
    """`bar` as `asked` wants it played; the same bar gives the same performance. lengths_stand: its notes are as long
    as people made them, and to chords of their own; they stand too where nothing is to be humanised.

    How loud a bar is follows the plan alone. What people would do, or else what the composer wrote, is heard in how its
    notes differ from each other.
    """
    if not (lengths_stand or asked.playing is None or asked.playing.humanise == 0 or asked.playing.is_last):
        bar = held(bar, asked)
    guesses = heard(bar, asked)
    struck = {note.tick for note in bar.notes if _is_drum(note)}
    written = {part: _mean_velocity(bar, part) for part in {note.instrument for note in bar.notes}}
    curve = asked.dynamics or [(LOUDNESS_RANGE * (asked.energy_at(tick) - 0.5), 0.0) for tick in range(TICKS_PER_BAR)]
    exact = exact_ticks(asked)
    played = []
    for note in bar.notes:
        level, accent = curve[note.tick]
        differs = _differs(note, note.velocity - written[note.instrument], guesses.get(note), asked, accent)
        differs += _stands_out(note, asked) if accent <= 0 else 0.0
        velocity = _loudness(note, differs, level, accent * _share(note, accent, struck))
        late_ms = guesses[note].late_ms if note in guesses else 0.0
        moved = timed(replace(note, velocity=velocity), bar, asked, late_ms, exact)
        played.append(touched(moved, bar, asked, exact))
    moves = (*bar.controllers, *controllers(bar.notes, asked))
    return replace(bar, notes=rung(played, asked, exact), controllers=moves, programs=asked.colours)


def perform_all(bars: Iterable[Bar], plan: Plan, *, lengths_stand: bool = False) -> tuple[Bar, ...]:
    """Bars of `plan`, each found by its index, as they are played. lengths_stand: as in `perform`."""
    return tuple(perform(bar, plan.bars[bar.index], lengths_stand=lengths_stand) for bar in bars)


def _stands_out(note: Note, asked: BarPlan) -> float:
    """Velocities by which a tune is above those who play under it, and they below what they would have without one."""
    if asked.playing is None or asked.leader is None or _is_drum(note):
        return 0.0
    return asked.playing.humanise * (LEAD_LIFT if note.instrument == asked.leader else -LEAD_LIFT / 2)


def _differs(note: Note, written: float, guess: Heard | None, asked: BarPlan, accent: float) -> float:
    """How much louder than its part's mean a note is. What is planned to be an accent or a fill stays as written."""
    playing = asked.playing
    if guess is None or playing is None or not playing.learned or accent > 0 or note in asked.scored:
        return written
    return (1 - playing.humanise) * written + playing.humanise * EMPHASIS * guess.louder


def _mean_velocity(bar: Bar, instrument: int) -> float:
    velocities = [note.velocity for note in bar.notes if note.instrument == instrument]
    return sum(velocities) / len(velocities)


def _is_drum(note: Note) -> bool:
    return INSTRUMENTS[note.instrument] == "drums"


def _share(note: Note, accent: float, struck: Set[int]) -> float:
    """How much of an accent, or of what is held back around it, a note takes. struck: ticks with drums."""
    if accent < 0:
        return DRUMS_HELD_BACK if _is_drum(note) else 1.0
    return SHARED_LIFT if note.tick in struck and not _is_drum(note) else 1.0


def _loudness(note: Note, differs: float, level: float, accent: float) -> int:
    value = USUAL[note.instrument] + differs + level
    if value > KNEE:
        value = KNEE + (value - KNEE) * SLOPE
    return max(SOFTEST, min(HARDEST, round(value + accent)))
