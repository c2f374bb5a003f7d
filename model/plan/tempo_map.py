"""From the user's wishes and the moments to a tempo map whose last bar line is the clip's end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hitpoint.model.music.score import BEATS_PER_BAR, TempoMap
from hitpoint.model.plan.tempo_ease import ease, steady
from hitpoint.model.plan.tempo_fit import AUTO_BPM, Anchor, TempoFit, bars_of, fit_tempo
from hitpoint.model.plan.types import Wishes
from hitpoint.model.plan.weights import Moment

EARLY = 0.35
"""With a fixed tempo the end may hurry to save this share of a bar: beyond it, slowing down sounds more natural."""
ENDING_BARS = 4
"""With a fixed tempo, at most so many bars bend to reach the end."""
WIDENINGS = (1.0, 1.5, 2.0, 3.0, 4.0)
"""The deviations tried until one ends on a bar line, in allowed ones."""
STEADY, STEADY_WORTH = 0.005, 0.05
"""A tempo that bends by no more than STEADY is taken even if it misses this share of all moments more."""
UNHEARD = 0.001
"""Even a tempo that must not bend may bend by this share."""
LOUD_BEAT = 0.6
"""Visual beats of less saliency do not pull at the tempo."""
BEAT_GAP_S = 0.8
"""Nor do those closer than this to a louder one; in films over ten minutes the gap grows with the length."""
CALM_BPM, LIVELY_BPM, LIVELY_CUTS_PER_S = 92.0, 124.0, 0.5
"""The tempo to lean to without any cut, and with so many cuts a second or more."""


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
    fit, deviation = _fit(moments, duration_s, (low, high), max(wishes.max_deviation, UNHEARD))
    if fit is None:
        return _too_short(duration_s, low, high)
    changes = []
    if deviation > max(wishes.max_deviation, UNHEARD):
        changes.append(
            f"the tempo bends by up to {100 * deviation:.1f}% instead of {100 * wishes.max_deviation:g}%, "
            "so that the last bar line meets the end of the clip"
        )
    return TempoPlan(ease(fit, deviation), bars_of(fit), fit.base_bpm, tuple(changes))


def _fit(
    moments: Sequence[Moment], duration_s: float, bpm_range: tuple[float, float], wanted: float
) -> tuple[TempoFit | None, float]:
    """The best fit, and the deviation it needs: less than `wanted` where a steady tempo serves as well, more where
    nothing else ends on a bar line.
    """
    fitted = _worth_fitting(moments, duration_s)
    times_s = np.array([each.time_s for each in fitted])
    weights = np.array([each.weight for each in fitted])
    middle_bpm = min(bpm_range[1], max(bpm_range[0], _leaning(moments, duration_s)))
    for deviation in (wanted * widening for widening in WIDENINGS):
        fit = fit_tempo(times_s, weights, duration_s, bpm_range, middle_bpm, deviation)
        if fit is None:
            continue
        if fitted and deviation > STEADY:
            steadier = fit_tempo(times_s, weights, duration_s, bpm_range, middle_bpm, STEADY)
            if steadier is not None and steadier.missed <= fit.missed + STEADY_WORTH * weights.sum():
                return steadier, STEADY
        return fit, deviation
    return None, 0.0


def _worth_fitting(moments: Sequence[Moment], duration_s: float) -> list[Moment]:
    """The moments inside the clip that may pull at the tempo: cuts, fades, and loud visual beats far enough apart."""
    gap_s = max(BEAT_GAP_S, duration_s / 750.0)
    chosen = [each for each in moments if each.kind != "beat" and 0.0 < each.time_s < duration_s]
    taken = {int(each.time_s / gap_s) for each in chosen}
    beats = [each for each in moments if each.kind == "beat" and each.saliency >= LOUD_BEAT]
    for each in sorted(beats, key=lambda one: (-one.saliency, one.time_s)):
        place = int(each.time_s / gap_s)
        if place not in taken and 0.0 < each.time_s < duration_s:
            taken.add(place)
            chosen.append(each)
    return sorted(chosen, key=lambda one: one.time_s)


def _leaning(moments: Sequence[Moment], duration_s: float) -> float:
    """The BPM to take where the moments do not care: livelier the more often the film cuts."""
    cuts = sum(each.kind != "beat" for each in moments)
    pace = min(1.0, cuts / duration_s / LIVELY_CUTS_PER_S)
    return CALM_BPM + pace * (LIVELY_BPM - CALM_BPM)


def _fixed(duration_s: float, bpm: float, deviation: float) -> TempoPlan:
    """`bpm` throughout, but for the fewest closing bars that must bend to end with the clip."""
    bar_s = 60.0 * BEATS_PER_BAR / bpm
    bars = max(1, int(duration_s / bar_s + EARLY))
    rest_s = duration_s - bars * bar_s
    if abs(rest_s) < 1e-9:
        return TempoPlan(steady((_at(0.0, 0), _at(duration_s, bars))), bars, bpm)
    bent = next((n for n in range(1, ENDING_BARS) if abs(rest_s) <= deviation * n * bar_s), ENDING_BARS)
    bent = min(bent, bars)
    anchors = [_at(0.0, 0)]
    if bars > bent:
        anchors.append(_at((bars - bent) * bar_s, bars - bent))
    anchors.append(_at(duration_s, bars))
    tempo_map = steady(anchors)
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
    return TempoPlan(steady((_at(0.0, 0), _at(duration_s, bars))), bars, bpm, (change,))


def _at(time_s: float, bar: int) -> Anchor:
    return Anchor(time_s, float(bar * BEATS_PER_BAR), time_s)
