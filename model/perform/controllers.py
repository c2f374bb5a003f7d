"""What moves while notes sound: the strings' swells (CC11) and the piano's pedal (CC64)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Controller, Note
from hitpoint.model.plan.types import BarPlan

EXPRESSION, PEDAL = 11, 64
PIANO, STRINGS = INSTRUMENTS.index("piano"), INSTRUMENTS.index("strings")
CALM, LOUDEST = 112, 127
"""What the strings' expression rests on, and the most it may be."""
SHALLOW, DEEP = 8.0, 22.0
"""How far a swell rises and what it begins below, at energy 0 and 1."""
LONG = 4
"""A note of so many ticks is worth a swell."""
CREST = 0.6
"""Where in a note its swell is highest."""
PEDALLED = ("country", "orchestral", "pop", "rock")
BUSY = 10
"""With so many onsets in a bar the piano plays without pedal."""
DOWN_AFTER = 0.5
"""Ticks between a chord and the pedal that holds it."""


def controllers(notes: Sequence[Note], asked: BarPlan) -> tuple[Controller, ...]:
    """The bar's controllers; none where nothing is humanised. Each begins with its value at tick 0."""
    playing = asked.playing
    if playing is None or playing.humanise == 0:
        return ()
    moves = [*_swells(notes, asked, playing.humanise), *_pedal(notes, asked)]
    return tuple(sorted(moves))


def _swells(notes: Sequence[Note], asked: BarPlan, amount: float) -> Iterator[Controller]:
    """Each long note rises and falls; a hit begins at once and falls back."""
    calm = round(LOUDEST - amount * (LOUDEST - CALM))
    line = [float(calm)] * TICKS_PER_BAR
    accents = {tick for tick, (_, accent) in enumerate(asked.dynamics) if accent > 0}
    for tick, end in _longest(notes):
        depth = amount * (SHALLOW + (DEEP - SHALLOW) * asked.energy_at(tick))
        for at in range(tick, end):
            place = (at - tick) / (end - tick)
            if tick in accents:
                line[at] = LOUDEST - (LOUDEST - calm) * place
            elif end - tick >= LONG:
                wave = place / CREST if place < CREST else (1 - place) / (1 - CREST)
                line[at] = calm + depth * (wave - 0.5)
    before = -1
    for tick, value in enumerate(line):
        now = max(1, min(LOUDEST, round(value)))
        if now != before:
            yield Controller(float(tick), STRINGS, EXPRESSION, now)
        before = now


def _longest(notes: Sequence[Note]) -> list[tuple[int, int]]:
    """(onset, end) of the strings, the longest of each tick, up to the next onset or the bar's end."""
    ends: dict[int, int] = {}
    for note in notes:
        if note.instrument == STRINGS:
            ends[note.tick] = max(ends.get(note.tick, 0), note.tick + note.duration_ticks)
    ticks = sorted(ends)
    return [(tick, min(ends[tick], nearest, TICKS_PER_BAR))
            for tick, nearest in zip(ticks, [*ticks, TICKS_PER_BAR][1:], strict=True)]  # fmt: skip


def _pedal(notes: Sequence[Note], asked: BarPlan) -> Iterator[Controller]:
    """Down after each chord, up with the next; up in breaths, in busy bars, and where the piece ends."""
    yield Controller(0.0, PIANO, PEDAL, 0)
    assert asked.playing is not None
    own = sorted({note.tick for note in notes if note.instrument == PIANO})
    if not own or len(own) >= BUSY or asked.playing.genre not in PEDALLED or asked.playing.is_last:
        return
    changes = {0, *asked.changes}
    if asked.chords is not None and asked.chords[0] != asked.chords[1]:
        changes.add(TICKS_PER_BAR // 2)
    stops = set(asked.stops)
    for tick, after in zip(edges := sorted(changes | stops), [*edges[1:], TICKS_PER_BAR], strict=True):
        first = next((each for each in own if tick <= each < after), None)
        if tick:
            yield Controller(float(tick), PIANO, PEDAL, 0)
        if first is not None and after - first > DOWN_AFTER:
            yield Controller(first + DOWN_AFTER, PIANO, PEDAL, 127)
