"""Scores written by hand, whose figures are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from hitpoint.model.music.score import Bar, Note, Score, TempoMap, TempoPoint

Event = tuple[int, int, int, int, int]
"""Tick from the start of the piece, instrument, pitch, ticks, velocity."""


@pytest.fixture
def written() -> Callable[..., Score]:
    """A score from events; tempi: (beat, bpm) pairs, 120 BPM throughout if left out."""

    def write(events: Sequence[Event], bars: int, tempi: Sequence[tuple[float, float]] = ((0.0, 120.0),)) -> Score:
        points: list[TempoPoint] = []
        for beat, bpm in tempi:
            points.append(TempoPoint(TempoMap(tuple(points)).time_at_beat(beat) if points else 0.0, beat, bpm))
        inside: list[list[Note]] = [[] for _ in range(bars)]
        for tick, instrument, pitch, ticks, velocity in events:
            inside[tick // 16].append(Note(tick % 16, instrument, pitch, ticks, velocity))
        whole = tuple(Bar(index, tuple(sorted(notes))) for index, notes in enumerate(inside))
        return Score(whole, TempoMap(tuple(points)), "pop", (0, 1, 2, 3, 4), 0)

    return write


def chord(tick: int, pitches: Sequence[int], ticks: int = 8, velocity: int = 80, instrument: int = 1) -> list[Event]:
    """The events of one chord."""
    return [(tick, instrument, pitch, ticks, velocity) for pitch in pitches]
