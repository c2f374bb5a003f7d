"""From the user's wishes and the moments to a tempo map whose last bar line is the clip's end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hitpoint.model.plan.tempo_fit import AUTO_BPM, Anchor, base_tempi, fit_tempo
from hitpoint.model.plan.types import Wishes
from hitpoint.model.plan.weights import Moment
from hitpoint.model.score import BEATS_PER_BAR, TempoMap, TempoPoint

ENDING_BARS = 4
"""With a fixed tempo, at most so many bars bend to reach the end."""
FIT_WEIGHT = 0.12
"""Moments of less weight do not pull at the tempo."""


@dataclass(frozen=True)
class TempoPlan:
    """The tempo map, its bars, the base tempo it bends from, and sentences on what had to give."""

    tempo_map: TempoMap
    bars: int
    base_bpm: float
    changes: tuple[str, ...] = ()


def plan_tempo(moments: Sequence[Moment], duration_s: float, wishes: Wishes) -> TempoPlan:
    """The tempo map for a clip of `duration_s` seconds (> 0): fixed, in a range, or chosen."""
    if wishes.tempo_bpm is not None and wishes.tempo_bpm[0] == wishes.tempo_bpm[1]:
        return _fixed(duration_s, wishes.tempo_bpm[0], wishes.max_deviation)
    low, high = wishes.tempo_bpm or AUTO_BPM
    fitted = [each for each in moments if each.weight >= FIT_WEIGHT and 0.0 < each.time_s < duration_s]
    times = np.array([each.time_s for each in fitted])
    weights = np.array([each.weight for each in fitted])
    bases = base_tempi(low, high)
    prior = 0.3 * np.abs(np.log(bases / np.sqrt(low * high)))
    for widening in (1.0, 1.5, 2.0, 3.0, 4.0):
        deviation = max(wishes.max_deviation, 1e-4) * widening
        fit = fit_tempo(times, weights, duration_s, bases, prior, deviation)
        if fit is not None:
            changes = (
                ()
                if widening == 1.0
                else (
                    f"the tempo bends by up to {100 * deviation:.1f}% instead of {100 * wishes.max_deviation:g}%, "
                    "so that the last bar line meets the end of the clip",
                )
            )
            return TempoPlan(map_of(fit.anchors), fit.anchors[-1].beat // BEATS_PER_BAR, fit.base_bpm, changes)
    return _too_short(duration_s, low, high)


def map_of(anchors: Sequence[Anchor]) -> TempoMap:
    """One tempo from each anchor to the next."""
    points = tuple(
        TempoPoint(start.time_s, float(start.beat), 60.0 * (end.beat - start.beat) / (end.time_s - start.time_s))
        for start, end in pairwise(anchors)
    )
    return TempoMap(points)


def _fixed(duration_s: float, bpm: float, deviation: float) -> TempoPlan:
    """`bpm` throughout, but for the fewest closing bars that must bend to end with the clip."""
    bar_s = 60.0 * BEATS_PER_BAR / bpm
    bars = max(1, round(duration_s / bar_s))
    rest_s = duration_s - bars * bar_s
    if abs(rest_s) < 1e-9:
        return TempoPlan(map_of((Anchor(0.0, 0), Anchor(duration_s, bars * BEATS_PER_BAR))), bars, bpm)
    bent = next((n for n in range(1, ENDING_BARS) if abs(rest_s) <= deviation * n * bar_s), ENDING_BARS)
    bent = min(bent, bars)
    anchors = [Anchor(0.0, 0)]
    if bars > bent:
        anchors.append(Anchor((bars - bent) * bar_s, (bars - bent) * BEATS_PER_BAR))
    anchors.append(Anchor(duration_s, bars * BEATS_PER_BAR))
    tempo_map = map_of(anchors)
    which = "the only bar runs" if bars == 1 else "the last bar runs" if bent == 1 else f"the last {bent} bars run"
    change = f"{which} at {tempo_map.points[-1].bpm:.2f} BPM instead of {bpm:g}, so that the music ends with the clip"
    return TempoPlan(tempo_map, bars, bpm, (change,))


def _too_short(duration_s: float, low_bpm: float, high_bpm: float) -> TempoPlan:
    """A steady tempo for a clip in which no whole number of bars fits the range: as near to it as can be."""
    middle = (low_bpm * high_bpm) ** 0.5
    bars = max(1, round(duration_s * middle / (60.0 * BEATS_PER_BAR)))
    bpm = bars * 60.0 * BEATS_PER_BAR / duration_s
    change = (
        f"the clip of {duration_s:g} s is {'one bar' if bars == 1 else f'{bars} bars'} at {bpm:.2f} BPM: "
        f"no whole number of bars fits {low_bpm:g}-{high_bpm:g} BPM"
    )
    return TempoPlan(map_of((Anchor(0.0, 0), Anchor(duration_s, bars * BEATS_PER_BAR))), bars, bpm, (change,))
