"""Where notes sound off the grid: as people play them, and with swing. Hits, bar lines and the end stay exact."""

from __future__ import annotations

import zlib
from collections.abc import Set

from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BEAT, Bar, Note
from hitpoint.model.plan.types import BarPlan, Playing

FARTHEST = 40
"""No note is moved farther, in pulses: a third of a tick."""
PULSES = 120
"""Pulses of a tick: shifts are whole ones, which a MIDI file keeps."""
SIXTEENTHS = ("dance", "electronic")
"""Genres whose sixteenths swing; those of the others' eighths do."""
FOLLOWS = {"drums": 1.0, "piano": 1.0, "guitar": 1.0, "bass": 0.5, "strings": 1.0}
"""How much of a player's timing each instrument takes; the bass stays nearer to the beat."""
LEAD_MS = 8.0
"""A tune comes so much before those who play with it (Repp 1996: 5 to 30 ms in piano playing)."""
STRUM_MS = 6.0
"""From string to string of a strummed chord."""
WAVER_MS = {"drums": 3.0, "piano": 5.0, "guitar": 5.0, "bass": 4.0, "strings": 6.0}
"""The spread of what cannot be foreseen: less than people's own, of which a part is the beat file's error."""


def shift_of(note: Note, bar: Bar, asked: BarPlan, late_ms: float, exact: Set[int]) -> float:
    """Ticks by which a note of `bar` is played off its own. late_ms: what the players say. exact: ticks on which
    nothing moves.
    """
    playing = asked.playing
    if playing is None or playing.is_last or note.tick in exact or (playing.humanise == 0 and playing.swing == 0):
        return note.shift_ticks
    pulses_a_ms = playing.bpm * TICKS_PER_BEAT * PULSES / 60_000
    late_ms = late_ms * FOLLOWS[INSTRUMENTS[note.instrument]] + _rules(note, bar, asked)
    shift = round(playing.humanise * late_ms * pulses_a_ms + PULSES * swung(note.tick, playing))
    return max(-FARTHEST, min(FARTHEST, shift)) / PULSES


def swung(tick: int, playing: Playing) -> float:
    """Ticks that swing moves what is written on `tick`: the later of two comes late, what lies between goes along."""
    if playing.genre in SIXTEENTHS:
        return playing.swing / 3 * (tick % 2)
    place = tick % TICKS_PER_BEAT
    return playing.swing / 3 * (0.0, 0.5, 1.0, 0.5)[place]


def exact_ticks(asked: BarPlan) -> set[int]:
    """Ticks on which nothing moves: the bar line, and every hit."""
    accented = {tick for tick, (_, accent) in enumerate(asked.dynamics) if accent > 0}
    return {0, *accented, *(tick for tick, _ in (*asked.required, *asked.required_told))}


def _rules(note: Note, bar: Bar, asked: BarPlan) -> float:
    """Milliseconds late by what no data set at hand tells: the tune's lead, a strum, what wavers."""
    name = INSTRUMENTS[note.instrument]
    late = WAVER_MS[name] * _waver(bar.index, note)
    with_it = [other for other in bar.notes if other.tick == note.tick]
    if note.instrument == asked.leader and any(other.instrument != note.instrument for other in with_it):
        late -= LEAD_MS
    if name == "guitar":
        pitches = sorted(other.pitch for other in with_it if other.instrument == note.instrument)
        string = pitches.index(note.pitch) - (len(pitches) - 1) / 2
        late += STRUM_MS * string * (1 if note.tick % TICKS_PER_BEAT in (0, 2) else -1)  # down on the beat, else up
    return late


def _waver(bar: int, note: Note) -> float:
    """About normal, the same for the same note: those struck together waver together, for the most part."""
    together = _chance(bar, note.tick, note.instrument)
    return float(0.9 * together + 0.4 * _chance(bar, note.tick, note.instrument, note.pitch))


def _chance(*place: int) -> float:
    """A sum of three uniform numbers with spread 1 and mean 0, drawn from the place alone."""
    seed = zlib.crc32(repr(place).encode())
    return float(sum(((seed >> (10 * k)) & 1023) / 1023 for k in range(3)) - 1.5) * 2.0
