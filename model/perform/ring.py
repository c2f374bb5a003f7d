"""What sounds last goes on where nobody would sound: people hold a calm chord until the next one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from itertools import pairwise

from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BEAT, Note
from hitpoint.model.perform.touch import REPEATED
from hitpoint.model.plan.types import BarPlan

HOLE = 2
"""Ticks of silence that a bar may have. People's pieces sound on 99 of 100 ticks, and the longest pause of half of them
is 0 with a kit and a beat without (`tests/bench/bench_registers.py`)."""
_DRUMS = INSTRUMENTS.index("drums")


def rung(notes: Sequence[Note], asked: BarPlan, exact: Set[int]) -> tuple[Note, ...]:
    """A bar's notes, those before each hole held until the next note, the next stop of the plan, or the bar line.
    What ends at a hit or a stop (exact: the ticks of hits) ends there; ticks and written lengths stay.
    """
    if asked.playing is None or asked.playing.humanise == 0 or asked.playing.is_last:
        return tuple(notes)
    held = {}
    for first, end in _holes(notes, asked):
        if first in exact or first in asked.stops:
            continue
        until = min([end, *(stop for stop in asked.stops if stop > first)])
        struck = {(note.instrument, note.pitch) for note in notes if note.tick == until}
        for note in notes:
            if note.instrument != _DRUMS and note.tick + note.duration_ticks == first:
                again = REPEATED if (note.instrument, note.pitch) in struck else 0.0
                held[note] = until - first - again - note.shift_ticks
    return tuple(replace(note, release_ticks=held.get(note, note.release_ticks)) for note in notes)


def _holes(notes: Sequence[Note], asked: BarPlan) -> Iterator[tuple[int, int]]:
    """(first, end) of the stretches of more than HOLE ticks behind the first note in which nothing sounds."""
    sounding = [False] * asked.ticks
    for note in notes:
        lasts = TICKS_PER_BEAT if note.instrument == _DRUMS else note.duration_ticks
        for tick in range(note.tick, min(asked.ticks, note.tick + lasts)):
            sounding[tick] = True
    heard = [tick for tick, sounds in enumerate(sounding) if sounds]
    for last, following in pairwise([*heard, asked.ticks]):
        if following - last - 1 > HOLE:
            yield last + 1, following
