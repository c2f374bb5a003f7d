"""What a bar is to the search for a tempo: its ticks, and what a moment costs on each of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.meter import FOUR_FOUR, METERS
from hitpoint.model.music.score import TICKS_PER_BEAT

NEAR_S, FAR_S = 0.012, 0.05
"""A tick so near a moment is on it; one so far is not, and costs as much as none."""
BLUR_S = 0.2
"""In the pass that chooses the tempo a tick costs the more the farther it is, up to so far: the bars bend to it later,
and a cut that another copy of the film shows a frame earlier or later must not lead to another tempo."""
MISS_TEMPO, MISS = 2.5, 8.0
"""What a moment costs that no tick meets, in units of its weight, in the pass that chooses the tempo and in the one
that bends it; the worst tick costs 0.65."""
HALF, BEAT, EIGHTH, SIXTEENTH = 0.25, 0.3, 0.5, 0.65
"""What it costs on a beat in the middle of the bar, on another, and between beats; on the downbeat nothing."""
LOOSE_BEAT, LOOSE_BETWEEN = 0.3, 3.0
"""So many times as much it costs on a beat, and between beats, where bar lines may move to any beat afterwards."""


@dataclass(frozen=True)
class Weighed:
    """The moments a tempo is fitted to. times_s, weights (n,): strictly inside the clip, rising; what each is worth."""

    times_s: NDArray[np.float64]
    weights: NDArray[np.float64]

    @property
    def total(self) -> float:
        """All weights together."""
        return float(self.weights.sum())

    def between(self, start_s: float, end_s: float) -> Weighed:
        """The moments in [start_s, end_s), counted from start_s."""
        inside = (self.times_s >= start_s) & (self.times_s < end_s)
        return Weighed(self.times_s[inside] - start_s, self.weights[inside])


@dataclass(frozen=True)
class BarGrid:
    """A bar of `ticks` sixteenths. costs (ticks + 1,): of a moment of weight 1 on each; the last is the next downbeat.

    beat_ticks: those of a beat.
    """

    ticks: int
    costs: tuple[float, ...]
    beat_ticks: int = TICKS_PER_BEAT

    @property
    def quarters(self) -> float:
        """Quarter notes a bar."""
        return self.ticks / TICKS_PER_BEAT

    def cost(
        self,
        ticks: NDArray[np.float64],
        bar_s: NDArray[np.float64] | float,
        miss: float,
        near_s: float = NEAR_S,
        far_s: float = FAR_S,
    ) -> NDArray[np.float64]:
        """What a moment of weight 1 costs that falls on `ticks` (any shape, any real within the bar) of a bar of
        `bar_s` seconds.

        It rises steadily with the distance to the nearest tick, from `near_s` to `far_s`, so that a frame more or less
        decides nothing.
        """
        nearest = np.rint(ticks)
        off_s = np.abs(ticks - nearest) * (bar_s / self.ticks)
        share = np.clip((off_s - near_s) / (far_s - near_s), 0.0, 1.0)
        return np.asarray(np.array(self.costs)[nearest.astype(np.int64)] * (1.0 - share) + miss * share)

    def steady_cost(self, moments: Weighed, bar_s: float) -> float:
        """What the moments cost on bars of `bar_s` seconds from 0 on."""
        ticks = (moments.times_s / bar_s % 1.0) * self.ticks
        return float((moments.weights * self.cost(ticks, bar_s, MISS)).sum())


@cache
def bar_grid(ticks: int = METERS[FOUR_FOUR].ticks, beat_ticks: int = TICKS_PER_BEAT, loose: bool = False) -> BarGrid:
    """A bar of `ticks` sixteenths, `beat_ticks` a beat. loose: bar lines may move to any beat afterwards."""
    beat, between = (LOOSE_BEAT, LOOSE_BETWEEN) if loose else (1.0, 1.0)
    costs = [between * (SIXTEENTH if tick % 2 else EIGHTH) for tick in range(ticks + 1)]
    for tick in range(beat_ticks, ticks, beat_ticks):
        costs[tick] = beat * (HALF if 2 * tick == ticks else BEAT)
    costs[0] = costs[ticks] = 0.0
    return BarGrid(ticks, tuple(costs), beat_ticks)


def grid_of(meter: str, loose: bool = False) -> BarGrid:
    """The usual bar of one of METERS; loose: as in `bar_grid`."""
    return bar_grid(METERS[meter].ticks, METERS[meter].beat_ticks, loose)
