"""The bar lines that put the weightiest moments on good ticks and the last bar line on the last frame.

Dynamic programming over time: each bar has a tempo of its own, near that of the bar before it and near the base tempo,
so no jerk is ever on offer; a moment costs the less the better the tick that falls on it. A first, coarse pass ranks
the base tempi; a second, for the best of them, finds the bars.
"""

from __future__ import annotations

import bisect
import zlib
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.plan.tempo.grid import BLUR_S, FAR_S, MISS, MISS_TEMPO, NEAR_S, BarGrid, Weighed, bar_grid

MOST_OFF_S = 0.035
"""A moment farther from its tick may be lost when the tempo is eased."""
COARSE_S, FINE_S = 0.02, 0.01
"""Bar lines of the two passes lie on grids of this many seconds, or a little more or less so that the end is on it."""
BASE_STEP = 0.02
"""Neighbouring base tempi differ by this share."""
EXCERPT_S = 120.0
"""The coarse pass hears at most so much, from the middle of the film."""
FINALISTS, ALIKE, MANY_BARS, FURTHER = 6, 0.065, 200, 16
"""So many base tempi reach the second pass, all within a ratio (its logarithm) of the best; in a film of more than
MANY_BARS bars only one does. Where a moment is left out by all of them, FURTHER more are tried, however unlike."""
STEP_COST, DEVIATION_COST = 0.1, 0.02
"""The largest step allowed between two bars, and the largest deviation of a bar, cost so much."""
NEAR_COST, NEAR_RATIO, FAR_COST = 3.0, 0.1, 1.0
"""A tempo away from the middle one costs NEAR_COST of all weights times the logarithm of the ratio up to NEAR_RATIO,
then FAR_COST: chance, or cuts a frame earlier or later, do not lead far from the middle; cuts that keep time do."""
STEPS_IN_TWO_BARS = 2
"""Tempo changes that a stretch of two bars can hold: each gets its share of the deviation allowed there."""
MARGIN = 0.94
"""Of the changes allowed, so much is used: what merging and rounding add stays within them."""
DRIFT = 2.0
"""Over many bars the tempo may drift so much farther from the base tempo than it may bend within two."""

Costs = NDArray[np.float32]


@dataclass(frozen=True)
class TempoFit:
    """lines_s (bars + 1,): the bar lines, from 0 to the clip's end. ticks (bars,): sixteenths of each bar. cost: of the
    moments, of all bends, and of being away from the middle tempo; away: the last of these.
    """

    base_bpm: float
    lines_s: NDArray[np.float64]
    ticks: NDArray[np.int64]
    cost: float
    away: float = 0.0


def fit_tempo(
    ruling: Weighed,
    moments: Weighed,
    duration_s: float,
    bpm_range: tuple[float, float],
    middle_bpm: float,
    deviation: float,
    grid: BarGrid | None = None,
) -> tuple[TempoFit, ...]:
    """The best fits with base tempi in `bpm_range`, which are much alike; none where no way ends on a bar line.

    ruling: the moments that choose the base tempo; moments: all that the bars then bend to. middle_bpm: the tempo that
    is taken where the moments do not care. deviation: the share by which the tempo may differ within two bars, and
    DRIFT times that from the base tempo; over 0. grid: the bars; None: of 4/4.
    """
    grid = grid or bar_grid()
    bases = np.geomspace(*bpm_range, 1 + int(np.ceil(np.log(bpm_range[1] / bpm_range[0]) / BASE_STEP)))
    pull = 1.0 + ruling.total
    start_s = max(0.0, (duration_s - EXCERPT_S) / 2)
    heard_s = min(duration_s, EXCERPT_S)
    part = ruling.between(start_s, start_s + heard_s)
    share = (1.0 + part.total) / (1.0 + ruling.total)
    many = duration_s * middle_bpm / 60.0 / grid.quarters > MANY_BARS
    fits: dict[int, TempoFit] = {}
    for blur_s in (BLUR_S, FAR_S):
        coarse = BarSearch(part, heard_s, bases, deviation, COARSE_S, heard_s < duration_s, False, grid, blur_s)
        totals = coarse.totals() + share * pull * middle_cost(bases / middle_bpm)
        ranked = [int(index) for index in np.argsort(totals, kind="stable") if np.isfinite(totals[index])]
        near = ALIKE if blur_s == BLUR_S else np.inf
        alike = [index for index in ranked if abs(np.log(bases[index] / bases[ranked[0]])) <= near]
        for index in alike[: 1 if many else FINALISTS if blur_s == BLUR_S else FURTHER]:
            fit = (
                None
                if index in fits
                else BarSearch(moments, duration_s, bases[index : index + 1], deviation, FINE_S, grid=grid).best()
            )
            if fit is not None:
                away = pull * float(middle_cost(fit.base_bpm / middle_bpm))
                fits[index] = replace(fit, cost=fit.cost + away, away=away)
        best = min(fits.values(), key=lambda fit: fit.cost, default=None)
        if best is not None and not _leaves_out(best, ruling, grid):
            break
    return tuple(sorted(fits.values(), key=lambda fit: fit.cost))


def _leaves_out(fit: TempoFit, ruling: Weighed, grid: BarGrid) -> bool:
    """Whether one of the moments lies too far from any tick to be hit."""
    bars = np.searchsorted(fit.lines_s, ruling.times_s, side="right") - 1
    bars = np.clip(bars, 0, len(fit.lines_s) - 2)
    lengths_s = np.diff(fit.lines_s)[bars]
    ticks = (ruling.times_s - fit.lines_s[bars]) / lengths_s * grid.ticks
    return bool((np.abs(ticks - np.rint(ticks)) * lengths_s / grid.ticks > MOST_OFF_S).any())


def steady_fit(
    ruling: Weighed,
    moments: Weighed,
    duration_s: float,
    bpm_range: tuple[float, float],
    middle_bpm: float,
    grid: BarGrid | None = None,
) -> TempoFit | None:
    """The best of the tempi that never bend and end on a bar line, or None where the range holds none.

    As `fit_tempo`.
    """
    grid = grid or bar_grid()
    bar_bpm = 60.0 * grid.quarters / duration_s  # the tempo of one bar in all
    pull = 1.0 + ruling.total
    best: TempoFit | None = None
    for bars in range(max(1, int(np.ceil(bpm_range[0] / bar_bpm - 1e-9))), int(bpm_range[1] / bar_bpm + 1e-9) + 1):
        bpm = bars * bar_bpm
        cost = grid.steady_cost(moments, duration_s / bars) + pull * float(middle_cost(bpm / middle_bpm))
        if best is None or cost < best.cost:
            best = TempoFit(bpm, np.linspace(0.0, duration_s, bars + 1), np.full(bars, grid.ticks), float(cost))
    return best


def middle_cost(ratio: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """What a tempo costs that is `ratio` times the middle one, as a share of all weights."""
    away = np.abs(np.log(ratio))
    return np.asarray(NEAR_COST * np.minimum(away, NEAR_RATIO) + FAR_COST * np.maximum(away - NEAR_RATIO, 0.0))


class BarSearch:
    """The table of the dynamic programme.

    It holds, for the times of the last bar only (each in row `time % rows`), the cheapest way to a bar line then whose
    last bar had that length, in grid units (rows, bases, lengths); a base's lengths are those that its deviation
    allows, the middle one nearest to it. So an hour takes no more memory than a minute, but for the trail that leads
    back, which is packed.
    """

    def __init__(
        self,
        moments: Weighed,
        duration_s: float,
        bases_bpm: NDArray[np.float64],
        deviation: float,
        grid_s: float,
        open_ends: bool = False,
        traced: bool = True,
        grid: BarGrid | None = None,
        blur_s: float = FAR_S,
    ) -> None:
        """grid: the bars; None: of 4/4. traced: the pass that bends the tempo and keeps the way, for `best`; else the
        one that chooses it. blur_s: up to where a tick costs the more the farther it is."""
        self.units = max(1, round(duration_s / grid_s))
        self.grid_s = duration_s / self.units
        self.bases_bpm, self.open_ends, self.traced = bases_bpm, open_ends, traced
        self.miss = MISS if traced else MISS_TEMPO
        self.grid = grid or bar_grid()
        self.reach_s = (0.0 if blur_s > FAR_S else NEAR_S, blur_s)
        natural = 60.0 * self.grid.quarters / bases_bpm / self.grid_s  # (bases,) units a bar
        drift = DRIFT * deviation if traced else deviation
        reach = int(np.ceil(natural.max() * drift))
        self.lengths = np.rint(natural).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)  # (bases, lengths)
        bent = self.lengths / natural[:, None] - 1.0
        self.allowed = (np.abs(bent) <= drift + 0.5 / natural[:, None]) & (self.lengths >= 1)
        self.bend_cost = DEVIATION_COST * (bent / drift) ** 2
        self.step_limit = natural * MARGIN * deviation / STEPS_IN_TWO_BARS  # (bases,) units
        self._moments, self._places = moments, moments.times_s / self.grid_s
        self._trail = _Trail()
        self._run()

    def totals(self) -> NDArray[np.float64]:
        """(bases,): the cheapest way to the end; with open ends, to any bar line within the last bar."""
        last = int(self.lengths.min()) if self.open_ends else 1
        times = np.arange(max(0, self.units + 1 - last), self.units + 1)
        return np.asarray(self._cost[times % self._rows].min(axis=(0, 2)), np.float64)

    def best(self) -> TempoFit | None:
        """The cheapest way of the first base; None where it cannot end on a bar line."""
        last = self._cost[self.units % self._rows, 0]
        length = int(np.argmin(last))
        total = float(last[length])
        if not np.isfinite(total):
            return None
        lines = [self.units]
        while lines[-1] > 0:
            start = lines[-1] - int(self.lengths[0, length])
            length += self._trail.step(start, length)
            lines.append(start)
        ticks = np.full(len(lines) - 1, self.grid.ticks)
        return TempoFit(float(self.bases_bpm[0]), np.array(lines[::-1]) * self.grid_s, ticks, total)

    def _own(self, first: int, stop: int) -> Costs:
        """(stop - first, bases, lengths): what a bar costs that begins then and has that length: its bend and its
        moments."""
        shape = (stop - first, *self.lengths.shape)
        own: Costs = np.broadcast_to(np.where(self.allowed, self.bend_cost, np.inf).astype(np.float32), shape).copy()
        longest = int(self.lengths.max())
        bar_s = np.asarray(self.lengths * self.grid_s, np.float64)
        near = slice(*np.searchsorted(self._places, (first, stop + longest)).tolist())
        for place, weight in zip(self._places[near].tolist(), self._moments.weights[near].tolist(), strict=True):
            low, high = max(first, int(np.ceil(place - longest))), min(int(place), stop - 1)
            if low > high:
                continue
            since = place - np.arange(low, high + 1)[:, None, None]
            ticks = since / self.lengths * self.grid.ticks
            inside = ticks < self.grid.ticks
            costs = self.grid.cost(np.where(inside, ticks, 0.0), bar_s, self.miss, *self.reach_s)
            own[low - first : high + 1 - first] += np.where(inside, weight * costs, 0.0).astype(np.float32)
        return own

    def _run(self) -> None:
        """Fill the table forwards, block by block: no bar is so short that it begins and ends in one block."""
        bases, lengths = self.lengths.shape
        longest, block = int(self.lengths.max()), max(1, int(self.lengths[self.allowed].min()))
        self._rows = longest + block
        self._cost = np.full((self._rows, bases, lengths), np.inf, np.float32)
        onward = np.full_like(self._cost, np.inf)  # cheapest way to a bar line from which such a bar may start
        own = np.full_like(self._cost, np.inf)
        opening = min(self.units, longest) if self.open_ends else 0
        onward[0], own[:1] = 0.0, self._own(0, 1)
        base, length = np.arange(bases)[:, None], np.arange(lengths)
        for first, stop in pairwise([*range(1, self.units + 1, block), self.units + 1]):
            start = np.arange(first, stop)[:, None, None] - self.lengths
            before = np.maximum(start, 0) % self._rows
            way = onward[before, base, length] + own[before, base, length]
            cost = np.where(start >= 0, way, np.float32(np.inf))
            rows = np.arange(first, stop) % self._rows
            self._cost[rows], own[rows] = cost, self._own(first, stop)
            onward[rows] = self._lead_on(cost, np.arange(first, stop) <= opening)

    def _lead_on(self, cost: Costs, is_opening: NDArray[np.bool_]) -> Costs:
        """From each bar line of a block (times, bases, lengths), the cheapest way to go on with a bar of each length;
        nothing where a film cut short may open."""
        widest, lengths = int(np.ceil(self.step_limit.max())), self.lengths.shape[1]
        onward: Costs = np.full_like(cost, np.inf)
        onward[is_opening] = 0.0
        origin = np.zeros(cost.shape if self.traced else 0, np.int8)
        for step in sorted(range(-widest, widest + 1), key=abs):
            charge = STEP_COST * (max(0, abs(step) - 1) / self.step_limit) ** 2
            charge = np.where(abs(step) <= np.maximum(1.0, self.step_limit), charge, np.inf).astype(np.float32)
            here = slice(max(0, -step), lengths - max(0, step))
            there = slice(max(0, step), lengths - max(0, -step))
            way = cost[..., there] + charge[:, None]
            known = onward[..., here]
            if self.traced:
                np.putmask(origin[..., here], way < known, step)
            np.minimum(known, way, out=known)
        if self.traced:
            self._trail.add(origin[:, 0])
        return onward


class _Trail:
    """By how much the bar that ends at a time was shorter or longer in the table than the one after it, packed."""

    def __init__(self) -> None:
        self._firsts, self._packed = [1], list[bytes]()
        self._width, self._open = 0, (-1, np.zeros((0, 0), np.int8))

    def add(self, steps: NDArray[np.int8]) -> None:
        """Steps (times, lengths) of the next times, from 1 on."""
        self._width = steps.shape[1]
        self._packed.append(zlib.compress(np.ascontiguousarray(steps).tobytes(), 1))
        self._firsts.append(self._firsts[-1] + len(steps))

    def step(self, time: int, length: int) -> int:
        """The step at a time, for a bar of that length (its place in the table)."""
        if time < 1:
            return 0
        block = bisect.bisect_right(self._firsts, time) - 1
        if self._open[0] != block:
            steps = np.frombuffer(zlib.decompress(self._packed[block]), np.int8).reshape(-1, self._width)
            self._open = block, steps
        return int(self._open[1][time - self._firsts[block], length])
