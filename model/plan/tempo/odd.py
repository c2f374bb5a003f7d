"""Odd bars: bar lines moved, at a tempo that stays as it is, so that more cuts are followed by a downbeat.

A dynamic programme over beats. A bar may have another length than the others only where a weighty cut falls on the bar
line that ends it, and where the bars before it were whole ones for a while: a metre has to be felt before it is broken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.meter import Meter
from hitpoint.model.plan.hits.weights import Moment
from hitpoint.model.plan.tempo.grid import FAR_S, bar_grid

ODD_COST = 0.06
"""What an odd bar costs, in units of a moment's weight: a light cut on another beat does not pay for one."""
WHOLE_BEFORE = 2
"""So many whole bars come before each odd one."""
SHORTEST_END, LONGER_END = 5, 4
"""The last bar has so many ticks or more; and so many at most more than a whole one."""


def odd_bars(ticks_s: NDArray[np.float64], moments: Sequence[Moment], meter: Meter) -> tuple[list[int], float]:
    """Ticks of each bar, and what the moments and the odd bars cost.

    ticks_s (ticks + 1,): when each sixteenth of the piece begins, and its end.
    """
    total = len(ticks_s) - 1
    weight, cut = _weights(ticks_s, moments)
    costs = {ticks: np.array(bar_grid(ticks, meter.beat_ticks).costs[:ticks]) for ticks in _lengths(meter)}
    best: dict[int, list[tuple[float, int, int]]] = {0: [(0.0, 0, -1)] + [_NOWHERE] * WHOLE_BEFORE}
    for start in range(0, total, meter.beat_ticks):
        for since, (cost, _, _) in enumerate(best.get(start, ())):
            if cost == np.inf:
                continue
            for ticks, charge in _next_bars(start, total, since, cut, meter):
                within = weight[start : start + ticks]
                spent = cost + charge + float(within[: len(costs[ticks])] @ costs[ticks][: len(within)])
                whole = ticks == meter.ticks
                then = min(since + 1, WHOLE_BEFORE) if whole else 0
                ways = best.setdefault(start + ticks, [_NOWHERE] * (WHOLE_BEFORE + 1))
                if spent < ways[then][0]:
                    ways[then] = spent, ticks, since
    return _way_back(best, total)


_NOWHERE = (float("inf"), 0, -1)


def _lengths(meter: Meter) -> set[int]:
    return {*range(1, meter.ticks + LONGER_END + 1), *meter.odd_ticks}


def _weights(ticks_s: NDArray[np.float64], moments: Sequence[Moment]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(ticks + 1,): the weight of what falls on each tick, and whether one of them is a cut."""
    weight, cut = np.zeros(len(ticks_s)), np.zeros(len(ticks_s), bool)
    for moment in moments:
        after = int(np.clip(np.searchsorted(ticks_s, moment.time_s), 1, len(ticks_s) - 1))
        tick = after - (moment.time_s - ticks_s[after - 1] < ticks_s[after] - moment.time_s)
        if abs(moment.time_s - ticks_s[tick]) <= FAR_S:
            weight[tick] += moment.weight
            cut[tick] |= moment.kind != "beat"
    return weight, cut


def _next_bars(start: int, total: int, since: int, cut: NDArray[np.bool_], meter: Meter) -> Iterator[tuple[int, float]]:
    """(ticks, cost) of the bars that may begin at tick `start`."""
    left = total - start
    if left == meter.ticks or left >= meter.ticks + SHORTEST_END:
        yield meter.ticks, 0.0
    for ticks in meter.odd_ticks:
        if since >= WHOLE_BEFORE and left >= ticks + meter.ticks and cut[start + ticks]:
            yield ticks, ODD_COST
    if left != meter.ticks and left <= meter.ticks + LONGER_END and (left >= SHORTEST_END or start == 0):
        yield left, ODD_COST


def _way_back(best: dict[int, list[tuple[float, int, int]]], total: int) -> tuple[list[int], float]:
    since = min(range(WHOLE_BEFORE + 1), key=lambda one: best[total][one][0])
    cost = best[total][since][0]
    bars: list[int] = []
    place = total
    while place > 0:
        _, ticks, before = best[place][since]
        bars.append(ticks)
        place, since = place - ticks, before
    return bars[::-1], cost
