"""The tempo that puts the weightiest moments on beats and the last bar line on the last frame.

Dynamic programming over the moments: between two moments that are hit lies a whole number of beats, so the tempo of
that span follows; it may leave the base tempo by `max_deviation`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.score import BEATS_PER_BAR

AUTO_BPM = (80.0, 140.0)
BASE_STEP = 0.005
"""Neighbouring base tempi differ by this share: finer than a BPM, and half a span's slack away at most."""

HIT_COST = np.array([0.0, 0.6, 0.4, 0.6])
"""What it costs to hit a moment on beat 1, 2, 3 or 4 of the bar; missing it costs 1."""
DEVIATION_COST = 0.15
STEP_COST = 3.0
"""A step of 10% between neighbouring spans costs 0.3: a third of a missed hit."""
MAX_SPANNED = 10
"""A span passes over at most this many moments less one."""
BEAT_OFFSETS = np.arange(-2, 3)
"""Beat counts tried around the nearest: five in a row reach every phase of the bar."""


@dataclass(frozen=True)
class Anchor:
    """A moment nailed to the grid: `beat` quarter notes from the start, at `time_s`."""

    time_s: float
    beat: int


@dataclass(frozen=True)
class TempoFit:
    """Anchors from (0, 0) to the end, whose beat is a whole number of bars; cost: what the fit gave up."""

    base_bpm: float
    anchors: tuple[Anchor, ...]
    cost: float


def base_tempi(low_bpm: float, high_bpm: float) -> NDArray[np.float64]:
    """Base tempi from `low_bpm` to `high_bpm`, a share of BASE_STEP apart; one if they are equal."""
    count = int(np.ceil(np.log(high_bpm / low_bpm) / BASE_STEP)) + 1
    return np.geomspace(low_bpm, high_bpm, count)


def fit_tempo(
    times_s: NDArray[np.float64],
    weights: NDArray[np.float64],
    duration_s: float,
    bases_bpm: NDArray[np.float64],
    prior: NDArray[np.float64],
    max_deviation: float,
) -> TempoFit | None:
    """The cheapest fit over all base tempi, or None where none reaches a bar line at the end.

    times_s, weights (n,): moments strictly inside the clip, rising. bases_bpm, prior (k,): base tempi and what
    choosing each costs. max_deviation: share of the base tempo.
    """
    points = np.concatenate([[0.0], times_s, [duration_s]])
    worth = np.concatenate([[0.0], weights, [0.0]])
    search = _Search(points, worth, 60.0 / bases_bpm, max_deviation)
    for index in range(1, len(points)):
        search.reach(index)
    totals = search.cost[-1, :, 0] + prior
    best = int(np.argmin(totals))
    if not np.isfinite(totals[best]):
        return None
    return TempoFit(float(bases_bpm[best]), search.path(best), float(totals[best]))


class _Search:
    """The table of the dynamic programme: states (point, base tempo, beat of the bar)."""

    def __init__(
        self, points: NDArray[np.float64], worth: NDArray[np.float64], beat_s: NDArray[np.float64], deviation: float
    ) -> None:
        self.points, self.worth, self.beat_s, self.deviation = points, worth, beat_s, deviation
        shape = (len(points), len(beat_s), BEATS_PER_BAR)
        self.cost = np.full(shape, np.inf)
        self.cost[0, :, 0] = 0.0
        self.tempo = np.zeros(shape)  # log deviation of the span that leads here; the start takes any
        self.origin = np.zeros(shape, dtype=np.int32)
        self.beats = np.zeros(shape, dtype=np.int32)
        self.missed = np.concatenate([[0.0], np.cumsum(worth)])

    def reach(self, index: int) -> None:
        """Fill the states of point `index` from those of the points before it."""
        first = max(0, index - MAX_SPANNED)
        origins = np.arange(first, index)
        spans_s = self.points[index] - self.points[origins]
        nearest = np.rint(spans_s[:, None] / self.beat_s)
        beats = (nearest[..., None] + BEAT_OFFSETS).astype(np.int32)  # (origin, base, offset)
        with np.errstate(divide="ignore", invalid="ignore"):
            deviation = spans_s[:, None, None] / (beats * self.beat_s[:, None]) - 1.0
            allowed = (beats >= 1) & (np.abs(deviation) <= self.deviation)
            tempo = np.where(allowed, np.log1p(np.where(allowed, deviation, 0.0)), 0.0)
        skipped = self.missed[index] - self.missed[origins + 1]
        span_cost = DEVIATION_COST * (deviation / self.deviation) ** 2 + skipped[:, None, None]
        span_cost = np.where(allowed, span_cost, np.inf)

        target = np.arange(BEATS_PER_BAR)
        phase = (target - beats[..., None]) % BEATS_PER_BAR  # (origin, base, offset, phase at `index`)
        where = (origins[:, None, None, None], np.arange(len(self.beat_s))[:, None, None], phase)
        step = np.abs(tempo[..., None] - self.tempo[where])
        step[origins == 0] = 0.0
        total = self.cost[where] + span_cost[..., None] + STEP_COST * step

        flat = np.moveaxis(total, 2, 1).reshape(-1, len(self.beat_s), BEATS_PER_BAR)
        chosen = np.argmin(flat, axis=0)
        origin, offset = np.divmod(chosen, len(BEAT_OFFSETS))
        base = np.arange(len(self.beat_s))[:, None]
        self.cost[index] = np.take_along_axis(flat, chosen[None], axis=0)[0] + HIT_COST * self.worth[index]
        self.tempo[index] = tempo[origin, base, offset]
        self.origin[index] = origin + first
        self.beats[index] = beats[origin, base, offset]

    def path(self, base: int) -> tuple[Anchor, ...]:
        """The anchors of the cheapest path of base tempo `base` that ends on a bar line."""
        steps: list[tuple[int, int]] = []
        index, phase = len(self.points) - 1, 0
        while index > 0:
            beats = int(self.beats[index, base, phase])
            steps.append((index, beats))
            index, phase = int(self.origin[index, base, phase]), (phase - beats) % BEATS_PER_BAR
        anchors = [Anchor(0.0, 0)]
        for point, beats in reversed(steps):
            anchors.append(Anchor(float(self.points[point]), anchors[-1].beat + beats))
        return tuple(anchors)
