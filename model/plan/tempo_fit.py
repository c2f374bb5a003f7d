"""The tempo that puts the weightiest moments on beats and the last bar line on the last frame.

Dynamic programming over the moments: between two moments that are hit lies a whole number of grid units, so the tempo
of that span follows; it may leave the base tempo by `max_deviation`. A first pass on whole beats ranks the base tempi;
a second, for the best of them, works on eighths and lets a hit lie SLACK_S off its moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import BEATS_PER_BAR

AUTO_BPM = (80.0, 140.0)
COARSE_STEP, FINE_STEP = 0.01, 0.0025
"""Neighbouring base tempi of the two passes differ by these shares: the second is finer than half a BPM."""
SLACK_S = 0.012
"""A hit may lie so far off its moment: less than a third of a film frame, better than a cut's own time is known."""
DEVIATION_COST = 0.1
STEP_COST = 0.7
"""A step of 10% between neighbouring spans costs 0.07 of a missed hit."""
CHANGE_COST, HEARD_STEP = 0.03, 0.01
"""A step of HEARD_STEP or more costs CHANGE_COST besides, a smaller one in proportion: a tempo that can stay stays."""
LARGEST_STEP = 1.6
"""No two neighbouring spans differ by more (natural logarithm of their ratio), in largest deviations."""
MAX_SPANNED = 10
"""A span passes over fewer moments than this."""
EXCERPT = 240
"""The first pass hears at most so many moments, from the middle of the film."""
FINALISTS = 5
MANY = 150
"""With more moments than this the second pass takes one finalist, to keep the time in bounds."""
MIDDLE_COST = 0.15
"""A tempo away from the middle one costs this share of all moments, times the logarithm of the ratio."""


@dataclass(frozen=True)
class Anchor:
    """A place nailed down: `beat` quarter notes from the start fall at `time_s`, for the sake of `moment_s`."""

    time_s: float
    beat: float
    moment_s: float


@dataclass(frozen=True)
class TempoFit:
    """Anchors from (0, 0) to the end, whose beat is a whole number of bars; missed: weight of the moments not hit."""

    base_bpm: float
    anchors: tuple[Anchor, ...]
    missed: float


@dataclass(frozen=True)
class Grid:
    """Where hits may fall: `units` a beat; hit_cost (units a bar,): 0 on the downbeat, 1 as bad as missing."""

    units: int
    hit_cost: tuple[float, ...]


BEATS = Grid(1, (0.0, 0.6, 0.5, 0.6))
EIGHTHS = Grid(2, (0.0, 0.85, 0.6, 0.85, 0.5, 0.85, 0.6, 0.85))


def fit_tempo(
    times_s: NDArray[np.float64],
    weights: NDArray[np.float64],
    duration_s: float,
    bpm_range: tuple[float, float],
    middle_bpm: float,
    max_deviation: float,
) -> TempoFit | None:
    """The best fit with a base tempo in `bpm_range`, or None where none reaches a bar line at the end.

    times_s, weights (n,): moments strictly inside the clip, rising, and what missing each costs. middle_bpm: the tempo
    that is taken where the moments do not care. max_deviation: share of the base tempo, over 0.
    """
    points = np.concatenate([[0.0], times_s, [duration_s]])
    worth = np.concatenate([[0.0], weights, [0.0]])
    pull = MIDDLE_COST * (1.0 + float(weights.sum()))
    coarse = _tempi(*bpm_range, COARSE_STEP, duration_s)
    first = max(0, (len(points) - EXCERPT) // 2)
    part = slice(first, first + EXCERPT)
    whole = len(points) <= EXCERPT
    search = Search(points[part], worth[part], coarse, BEATS, max_deviation, (0.0,), open_ends=not whole)
    share = float(worth[part].sum() + 1.0) / float(worth.sum() + 1.0)
    totals = search.totals() + share * pull * np.abs(np.log(coarse / middle_bpm))
    order = [int(index) for index in np.argsort(totals, kind="stable") if np.isfinite(totals[index])]
    finalists = [float(coarse[index]) for index in order[: 1 if len(points) > MANY else FINALISTS]] or [middle_bpm]
    spread = np.arange(-1, 2) * FINE_STEP
    fine = np.unique(np.clip(np.outer(finalists, 1.0 + spread).ravel(), *bpm_range))
    final = Search(points, worth, fine, EIGHTHS, max_deviation, (-SLACK_S, 0.0, SLACK_S))
    totals = final.totals() + pull * np.abs(np.log(fine / middle_bpm))
    best = int(np.argmin(totals))
    if not np.isfinite(totals[best]):
        return None
    anchors = final.path(best)
    hit = np.isin(points, [each.moment_s for each in anchors])
    return TempoFit(float(fine[best]), anchors, float(worth[~hit].sum()))


def _tempi(low_bpm: float, high_bpm: float, step: float, duration_s: float) -> NDArray[np.float64]:
    """Base tempi a share of `step` apart and, in clips too short for that to matter little, those that by themselves
    end on a bar line.
    """
    even = np.geomspace(low_bpm, high_bpm, int(np.ceil(np.log(high_bpm / low_bpm) / step)) + 1)
    bar_bpm = 60.0 * BEATS_PER_BAR / duration_s  # the tempo of one bar in all
    bars = np.arange(np.ceil(low_bpm / bar_bpm), np.floor(high_bpm / bar_bpm) + 1)
    return np.union1d(even, bars * bar_bpm) if len(bars) <= len(even) else even


class Search:
    """The table of the dynamic programme.

    State: point, slack (index), base tempo, unit of the bar. Its cost is that of the cheapest way there; the log
    deviation of the span that leads there is kept beside it, so that a step in tempo can be charged.
    """

    def __init__(
        self,
        points: NDArray[np.float64],
        worth: NDArray[np.float64],
        bases_bpm: NDArray[np.float64],
        grid: Grid,
        deviation: float,
        slack_s: tuple[float, ...],
        open_ends: bool = False,
    ) -> None:
        self.grid, self.deviation, self.open_ends = grid, deviation, open_ends
        self.points, self.worth = points, worth
        self.unit_s = 60.0 / bases_bpm / grid.units  # (base,)
        self.hit_cost = np.array(grid.hit_cost)
        self.phases = np.arange(len(self.hit_cost))
        self.offsets = np.arange(-len(self.phases) // 2, len(self.phases) // 2 + 1)  # reach every phase of the bar
        self.slack_s = np.array(slack_s)
        self.rest = int(np.argmin(np.abs(self.slack_s)))  # the slack of 0
        shape = (len(points), len(slack_s), len(bases_bpm), len(self.phases))
        self.cost = np.full(shape, np.inf)
        self.cost[0, self.rest, :, : len(self.phases) if open_ends else 1] = 0.0
        self.tempo = np.zeros(shape)
        self.origin = np.zeros(shape, dtype=np.int32)
        self.units = np.zeros(shape, dtype=np.int32)
        self.missed = np.concatenate([[0.0], np.cumsum(worth)])
        for index in range(1, len(points)):
            self._reach(index)

    def totals(self) -> NDArray[np.float64]:
        """(base,): cost of the cheapest way to the last point, on a bar line unless the ends are open."""
        last = self.cost[-1, self.rest]
        return np.asarray(last.min(axis=1) if self.open_ends else last[:, 0])

    def _reach(self, index: int) -> None:
        """Fill the states of point `index` from those of the points before it."""
        origins = np.arange(max(0, index - MAX_SPANNED), index)
        if index == len(self.points) - 1:
            origins = np.union1d(origins, [0])  # without a single hit there is always a way
        gap_s = self.points[index] - self.points[origins]
        # axes: origin, slack there, slack here, base, offset, (phase here)
        span_s = gap_s[:, None, None] - self.slack_s[:, None] + self.slack_s
        units = np.rint(span_s[..., None] / self.unit_s)[..., None] + self.offsets
        grid_s = units * self.unit_s[:, None]
        bent = grid_s / np.maximum(span_s, 1e-9)[..., None, None]
        allowed = (units >= 1) & (np.abs(bent - 1.0) <= self.deviation) & (span_s > 0)[..., None, None]
        tempo = np.log(np.where(allowed, bent, 1.0))
        skipped = self.missed[index] - self.missed[origins + 1]
        own = DEVIATION_COST * (tempo / self.deviation) ** 2 + skipped[:, None, None, None, None]
        own = np.where(allowed, own, np.inf)

        phase = (self.phases - units[..., None].astype(np.int64)) % len(self.phases)
        base = np.arange(len(self.unit_s))[:, None, None]
        slack = np.arange(len(self.slack_s))[:, None, None, None, None]
        where = (origins.reshape(-1, 1, 1, 1, 1, 1), slack, base, phase)
        step = np.abs(tempo[..., None] - self.tempo[where])
        step[origins == 0] = 0.0
        charge = STEP_COST * step + CHANGE_COST * np.minimum(step / HEARD_STEP, 1.0)
        total = self.cost[where] + own[..., None] + charge
        total[step > LARGEST_STEP * self.deviation] = np.inf
        self._keep(index, origins, total, tempo, units)

    def _keep(
        self,
        index: int,
        origins: NDArray[np.int64],
        total: NDArray[np.float64],
        tempo: NDArray[np.float64],
        units: NDArray[np.float64],
    ) -> None:
        """Store the cheapest way to each state of point `index`."""
        slacks, bases, offsets, phases = total.shape[2:]
        flat = np.moveaxis(total, 4, 2).reshape(-1, slacks, bases, phases)  # (origin, slack there, offset) in front
        chosen = np.argmin(flat, axis=0)
        rest, offset = np.divmod(chosen, offsets)
        origin, slack = np.divmod(rest, slacks)
        here = (origin, slack, np.arange(slacks)[:, None, None], np.arange(bases)[:, None], offset)
        self.cost[index] = np.take_along_axis(flat, chosen[None], axis=0)[0] + self.hit_cost * self.worth[index]
        self.tempo[index] = tempo[here]
        self.origin[index] = origins[origin] * slacks + slack
        self.units[index] = units[here].astype(np.int32)

    def path(self, base: int) -> tuple[Anchor, ...]:
        """The anchors of the cheapest way of base tempo `base` that ends on a bar line."""
        steps: list[tuple[int, int, int]] = []
        index, slack, phase = len(self.points) - 1, self.rest, 0
        while index > 0:
            state = (index, slack, base, phase)
            steps.append((index, slack, int(self.units[state])))
            phase = (phase - int(self.units[state])) % len(self.phases)
            index, slack = divmod(int(self.origin[state]), len(self.slack_s))
        anchors, units = [Anchor(0.0, 0.0, 0.0)], 0
        for point, slack, span in reversed(steps):
            units += span
            moment_s = float(self.points[point])
            anchors.append(Anchor(moment_s + float(self.slack_s[slack]), units / self.grid.units, moment_s))
        return tuple(anchors)


def bars_of(fit: TempoFit) -> int:
    """How many bars `fit` has."""
    return round(fit.anchors[-1].beat) // BEATS_PER_BAR
