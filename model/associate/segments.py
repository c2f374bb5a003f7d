"""A piece in segments of musical lengths: eights of bars, moved to where the music turns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.novelty import bar_vectors, novelty
from hitpoint.model.music.score import INSTRUMENTS
from hitpoint.model.music.tokens import Notes

HALF_BARS = 4
LONGEST = 16
LENGTH_COST = {8: 0.0, 4: 0.4, 12: 0.5, 16: 0.5}
"""Of a segment of so many bars; any other costs OTHER, but what is left at the end next to nothing."""
OTHER, REST = 0.8, 0.05
GAIN = 0.3
"""What the greatest turn of a piece is worth; chosen, with the costs, on validation songs."""


def segments(notes: Notes, bars: int) -> NDArray[np.int64]:
    """(n, 2): first bar and end of each segment, in order, covering all bars."""
    columns = (column.astype(np.int64) for column in (notes.bar, notes.tick, notes.pitch, notes.instrument))
    bar, tick, pitch, instrument = columns
    curve = novelty(bar_vectors(bars, bar, tick, pitch, instrument, len(INSTRUMENTS), instrument > 0), HALF_BARS)
    starts = _cheapest(curve / max(float(curve.max()), 1e-9))
    return np.asarray(np.array([starts, [*starts[1:], bars]], np.int64).T)


def _cheapest(curve: NDArray[np.float64]) -> list[int]:
    """First bars of the segments, by dynamic programming. curve (bars,): how much the music turns at each, 0..1."""
    bars = len(curve)
    cost, origin = [0.0] + [float("inf")] * bars, [0] * (bars + 1)
    for end in range(1, bars + 1):
        for length in range(1, min(LONGEST, end) + 1):
            start = end - length
            own = REST if end == bars and length < 8 else LENGTH_COST.get(length, OTHER)
            total = cost[start] + own - (GAIN * float(curve[start]) if start else 0.0)
            if total < cost[end]:
                cost[end], origin[end] = total, start
    starts, end = [], bars
    while end > 0:
        end = origin[end]
        starts.append(end)
    return starts[::-1]
