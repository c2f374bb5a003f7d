"""How long notes are held: people let a note sound until they play the next one.

In human game music and scores .76 to .96 of the notes of piano, guitar, bass and strings last until their player's next
onset, and each player is silent for .05 to .16 of the bars it plays in; a composer that is asked for cuts and densities
leaves gaps of its own.
"""

from __future__ import annotations

from dataclasses import replace

from hitpoint.model.music.chords import HALF_BAR_TICKS
from hitpoint.model.music.score import INSTRUMENTS, Bar, Note
from hitpoint.model.music.symbols import parse_symbol
from hitpoint.model.plan.harmony.rules import half_at
from hitpoint.model.plan.types import BarPlan

LONGEST = {"piano": 8, "guitar": 8, "bass": 8, "strings": 12}
"""Ticks to which a shorter note is held at the most, where nobody hears its player before."""
CRISP = 0.6
"""From this energy on piano and guitar play stabs where they are written as such."""
STAB, STRUCK = 2, ("piano", "guitar")


def held(bar: Bar, asked: BarPlan) -> Bar:
    """`bar` with its gaps closed: a note lasts until its player's next one, but not over a stop or the bar line, nor
    into a chord that it has no part in. What stands in the plan already and drums stay as they are.
    """
    notes = tuple(_held(note, bar, asked) for note in bar.notes)
    return bar if notes == bar.notes else replace(bar, notes=notes)


def _held(note: Note, bar: Bar, asked: BarPlan) -> Note:
    name, end = INSTRUMENTS[note.instrument], note.tick + note.duration_ticks
    if name not in LONGEST or end >= asked.ticks or end in asked.stops or note in asked.scored:
        return note
    crisp = name in STRUCK and note.instrument != asked.leader and asked.energy >= CRISP
    if crisp and note.duration_ticks <= STAB:
        return note
    limit = min(_next_onset(note, bar, asked), _next_silence(note, asked), _next_chord(note, asked))
    longer = min(limit, note.tick + LONGEST[name]) - note.tick
    return replace(note, duration_ticks=longer) if longer > note.duration_ticks else note


def _next_onset(note: Note, bar: Bar, asked: BarPlan) -> int:
    later = [other.tick for other in bar.notes if other.instrument == note.instrument and other.tick > note.tick]
    return min(later, default=asked.ticks)


def _next_silence(note: Note, asked: BarPlan) -> int:
    """The next tick at which held notes end."""
    return min((stop for stop in asked.stops if stop > note.tick), default=asked.ticks)


def _next_chord(note: Note, asked: BarPlan) -> int:
    """The tick of this bar on which a chord comes in that the note does not belong to."""
    if asked.chords is None or asked.chords[0] == asked.chords[1]:
        return asked.ticks
    start = next((tick for tick in asked.changes if half_at(tick) == 1), HALF_BAR_TICKS)
    chord = parse_symbol(asked.chords[1])
    apart = chord is not None and note.pitch % 12 not in chord.tones
    return start if apart and note.tick < start else asked.ticks
