"""How notes end: a line is tied, a repeated note and a short stab are let go early. Beginnings and ticks stay."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

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


def touched(note: Note, bar: Bar, asked: BarPlan, exact: Set[int]) -> Note:
    """A note of `bar` with its end as it is played. What ends at a hit or a stop ends there, to the tick."""
    playing = asked.playing
    end = note.tick + note.duration_ticks
    if playing is None or playing.is_last:
        return note
    if end in exact or end in asked.stops:
        return replace(note, release_ticks=-note.shift_ticks) if note.shift_ticks else note
    by = round(_release(note, bar, asked) * playing.humanise * PULSES) / PULSES
    return replace(note, release_ticks=by) if by else note


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
