"""How notes end: a line is tied, a repeated note and a short stab are let go early. Beginnings and ticks stay."""

from __future__ import annotations

from collections.abc import Set

from hitpoint.model.music.score import INSTRUMENTS, Bar, Note
from hitpoint.model.perform.timing import PULSES
from hitpoint.model.plan.types import BarPlan

TIED = 0.15
"""Ticks that a note of a line sounds into the next."""
REPEATED = 0.25
"""Ticks that a note is let go before it is struck again."""
STAB, STAB_SHARE = 2, 0.25
"""An accompaniment's note of so many ticks at most that is followed by a rest loses so much of its length."""
_TIES = ("strings", "bass")


def release_of(note: Note, shift_ticks: float, bar: Bar, asked: BarPlan, exact: Set[int]) -> float:
    """Ticks later than it is written and shifted that a note of `bar` ends. What ends at a hit or a stop ends there."""
    playing = asked.playing
    end = note.tick + note.duration_ticks
    if playing is None or playing.is_last:
        return note.release_ticks
    if end in exact or end in asked.stops:
        return -shift_ticks if shift_ticks else note.release_ticks
    by = round(_release(note, bar, asked) * playing.humanise * PULSES) / PULSES
    return by or note.release_ticks


def _release(note: Note, bar: Bar, asked: BarPlan) -> float:
    """Ticks later that it ends than it is written."""
    name, end = INSTRUMENTS[note.instrument], note.tick + note.duration_ticks
    if name == "drums":
        return 0.0
    next_pitches = {other.pitch for other in bar.notes if other.instrument == note.instrument and other.tick == end}
    if next_pitches:
        if note.pitch in next_pitches:
            return -REPEATED
        return TIED if name in _TIES or note.instrument == asked.leader else 0.0
    is_stab = note.duration_ticks <= STAB and name in ("piano", "guitar") and note.instrument != asked.leader
    return -STAB_SHARE * note.duration_ticks if is_stab else 0.0
