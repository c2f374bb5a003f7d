"""From the user's wishes and the moments to a tempo map that ends with the clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.meter import METERS, Meter, odd_of
from hitpoint.model.music.score import TICKS_PER_BAR, TICKS_PER_BEAT, TempoMap, TempoPoint
from hitpoint.model.plan.hits.weights import Moment
from hitpoint.model.plan.tempo.ease import Nail, ease, tempo_map
from hitpoint.model.plan.tempo.fit import TempoFit, fit_tempo, steady_fit
from hitpoint.model.plan.tempo.grid import FAR_S, MISS, NEAR_S, BarGrid, Weighed, grid_of
from hitpoint.model.plan.tempo.odd import odd_bars
from hitpoint.model.plan.tempo.pace import SLOWEST_BPM, pace, pulse_s
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.video.types import LOUD_BEAT

STEADY_WORTH, STEADY_MOST, STEADY_REACH = 0.15, 2.0, 0.065
"""A tempo that never bends is taken even if it costs so much more of all weights, but at most as much as missing a
light cut; from this share around the best that does bend, so that it has as many bars in another copy too."""
LEAST_BEND = 0.005
"""A tempo that may bend by less than this share does not bend."""
BEAT_GAP_S = 0.8
"""Visual beats closer than this to a cut or to a louder one do not bend the tempo; in films over ten minutes the gap
grows with the length."""
NAILED_S = 0.039
"""A moment so near a tick of the fit may be nailed to it."""
TEMPO_ROUNDING = 0.01
"""A tempo asked for may be rounded by this share, so that the clip holds a whole number of ticks."""
OPENING_BARS, SHIFT_WORTH = 4, 0.15
"""The first bars, at most so many, may be rounded otherwise than the rest, for this share of all weights."""
BESIDE = 4.0
"""Where bars may be odd, a moment as far beside its tick as it may be costs so much, in units of its weight: more than
on the weakest tick, less than on none."""
LONG_REST = 4
"""So many ticks more than whole bars lengthen the last bar; more ticks make a short bar of their own."""


@dataclass(frozen=True)
class TempoPlan:
    """The tempo map, its bars, the base tempo it bends from, the ticks of the last bar, and what had to give."""

    tempo_map: TempoMap
    bars: int
    base_bpm: float
    last_bar_ticks: int = TICKS_PER_BAR
    changes: tuple[str, ...] = ()


def tempo_of(plan: Plan) -> TempoPlan:
    """The tempo of a plan that exists already, so that the rest of it can be planned again."""
    return TempoPlan(plan.tempo_map, len(plan.bars), plan.tempo_map.points[0].bpm, plan.last_bar_ticks)


def plan_tempo(
    moments: Sequence[Moment], motion: NDArray[np.float32], duration_s: float, wishes: Wishes, bias_bpm: float = 0.0
) -> TempoPlan:
    """The tempo map for a clip of `duration_s` seconds (> 0): fixed, in a range, or chosen.

    motion (n,): frame widths a second. bias_bpm: what the mood adds to the tempo that the picture leans to.
    """
    inside = [each for each in moments if 0.0 < each.time_s < duration_s]
    meter, grid = METERS[wishes.meter], grid_of(wishes.meter, wishes.odd_bars)
    if wishes.tempo_bpm is not None and wishes.tempo_bpm[0] == wishes.tempo_bpm[1]:
        return _with_odd_bars(_unbent(_weighed(inside), duration_s, wishes.tempo_bpm, wishes.tempo_bpm[0], meter, grid),
                              inside, duration_s, wishes)  # fmt: skip
    aim_bpm, top = pace(inside, motion, duration_s, bias_bpm)
    low, high = wishes.tempo_bpm or (SLOWEST_BPM, top)
    middle = min(high, max(low, aim_bpm))
    worth = _worth_bending(inside, duration_s)
    bending = _weighed(worth)
    ruling = bending if pulse_s(inside) is not None else _weighed([each for each in inside if each.kind != "beat"])
    fits: tuple[TempoFit, ...] = ()
    deviation = wishes.max_deviation
    search = partial(fit_tempo, ruling, bending, duration_s, (low, high), middle, deviation)
    if deviation >= LEAST_BEND and bending.total > 0.0:
        fits = search(grid)
    fit = fits[0] if fits else None
    around = (low, high) if fit is None else _around(fit.base_bpm, low, high)
    steady = steady_fit(ruling, bending, duration_s, around, middle, grid)
    if steady is not None and (fit is None or steady.cost <= fit.cost + min(STEADY_MOST, STEADY_WORTH * bending.total)):
        found = tempo_map(steady.lines_s, steady.ticks, meter)
        plain = TempoPlan(found, len(steady.ticks), steady.base_bpm, meter.ticks)
        return _with_odd_bars(plain, worth, duration_s, wishes)
    if fit is None:
        return _with_odd_bars(_unbent(bending, duration_s, (low, high), middle, meter, grid), worth, duration_s, wishes)
    if wishes.odd_bars:
        fit, lines_s = _odd_and_eased(fits, search, worth, wishes)
    else:
        fit, lines_s = _best_eased(fits, worth, deviation)
    found = tempo_map(lines_s, fit.ticks, meter)
    return TempoPlan(found, len(fit.ticks), fit.base_bpm, int(fit.ticks[-1]), _odd_told(fit.ticks, meter))


def _with_odd_bars(tempo: TempoPlan, moments: Sequence[Moment], duration_s: float, wishes: Wishes) -> TempoPlan:
    """The same tempo with other bar lines, where odd bars are wished for."""
    if not wishes.odd_bars:
        return tempo
    meter, total = METERS[wishes.meter], round(tempo.tempo_map.written_tick(tempo.bars - 1)) + tempo.last_bar_ticks
    ticks_s = np.array([tempo.tempo_map.time_at_beat(tick / TICKS_PER_BEAT) for tick in range(total + 1)])
    bars, _ = odd_bars(ticks_s, moments, meter)
    ticks = np.array(bars)
    found = replace(tempo.tempo_map, odd_bars=odd_of(bars, meter))
    changes = (*tempo.changes, *_odd_told(ticks, meter))
    return replace(tempo, tempo_map=found, bars=len(bars), last_bar_ticks=bars[-1], changes=changes)


def _rebarred(fit: TempoFit, moments: Sequence[Moment], meter: Meter) -> TempoFit:
    """The fit with other bar lines; what it costs counts them."""
    numbers = np.concatenate([[0], np.cumsum(fit.ticks)])
    ticks_s = np.interp(np.arange(numbers[-1] + 1), numbers, fit.lines_s)
    bars, cost = odd_bars(ticks_s, moments, meter)
    lines_s = ticks_s[np.concatenate([[0], np.cumsum(bars)])]
    return replace(fit, lines_s=lines_s, ticks=np.array(bars), away=fit.away + cost)


def _odd_and_eased(
    fits: Sequence[TempoFit],
    search: Callable[[BarGrid], Sequence[TempoFit]],
    moments: Sequence[Moment],
    wishes: Wishes,
) -> tuple[TempoFit, NDArray[np.float64]]:
    """The best with odd bars, eased: of the fits, and of those that `search` finds on a grid that takes any tick for as
    good as usual. For it is better to have a cut on a weak tick than beside a downbeat."""
    meter = METERS[wishes.meter]
    every = [_rebarred(each, moments, meter) for each in (*fits, *search(grid_of(wishes.meter)))]
    return _best_eased(every, moments, wishes.max_deviation, _closely_met)


def _odd_told(ticks: NDArray[np.int64], meter: Meter) -> tuple[str, ...]:
    """A sentence on the bars, the last left out, that have another length than the metre's."""
    odd = int((ticks[:-1] != meter.ticks).sum())
    return (f"{odd} of {len(ticks)} bars {'is' if odd == 1 else 'are'} odd, for cuts on downbeats",) if odd else ()


Met = Callable[[NDArray[np.float64], Sequence[Nail]], float]


def _met(lines_s: NDArray[np.float64], nails: Sequence[Nail]) -> float:
    """The weight of all that is on a tick."""
    return sum(nail.weight for nail in nails)


def _closely_met(lines_s: NDArray[np.float64], nails: Sequence[Nail]) -> float:
    """The same, less what a little late or early costs."""
    off = np.array([nail.off_s(lines_s) for nail in nails])
    beside = np.clip((off - NEAR_S) / (FAR_S - NEAR_S), 0.0, 1.0)
    return float((1.0 - BESIDE / MISS * beside) @ np.array([nail.weight for nail in nails]))


def _best_eased(
    fits: Sequence[TempoFit], moments: Sequence[Moment], deviation: float, weigh: Met = _met
) -> tuple[TempoFit, NDArray[np.float64]]:
    """The fit that loses least when it is eased, and its bar lines then."""
    best: tuple[float, TempoFit, NDArray[np.float64]] | None = None
    for fit in fits:
        lines_s = ease(fit, _nails(fit.lines_s, fit.ticks, moments), deviation)
        met = weigh(lines_s, _nails(lines_s, fit.ticks, moments))
        cost = MISS * (sum(each.weight for each in moments) - met) + fit.away
        if best is None or cost < best[0]:
            best = cost, fit, lines_s
    assert best is not None
    return best[1], best[2]


def _around(bpm: float, low: float, high: float) -> tuple[float, float]:
    return max(low, bpm * (1.0 - STEADY_REACH)), min(high, bpm * (1.0 + STEADY_REACH))


def _weighed(moments: Sequence[Moment]) -> Weighed:
    return Weighed(np.array([each.time_s for each in moments]), np.array([each.weight for each in moments]))


def _worth_bending(moments: Sequence[Moment], duration_s: float) -> list[Moment]:
    """The moments that may bend the tempo: cuts, fades, and loud visual beats away from them and from each other."""
    gap_s = max(BEAT_GAP_S, duration_s / 750.0)
    chosen = [each for each in moments if each.kind != "beat"]
    taken_s = np.array([each.time_s for each in chosen])
    beats = [each for each in moments if each.kind == "beat" and each.saliency >= LOUD_BEAT]
    for each in sorted(beats, key=lambda one: (-one.saliency, one.time_s)):
        if np.abs(taken_s - each.time_s).min(initial=np.inf) >= gap_s:
            taken_s = np.append(taken_s, each.time_s)
            chosen.append(each)
    return sorted(chosen, key=lambda one: one.time_s)


def _nails(lines_s: NDArray[np.float64], bar_ticks: NDArray[np.int64], moments: Sequence[Moment]) -> list[Nail]:
    """The moments within NAILED_S of a tick, each on its tick; of several on one tick the weightiest."""
    times_s = np.array([each.time_s for each in moments])
    bars = np.clip(np.searchsorted(lines_s, times_s, side="right") - 1, 0, len(lines_s) - 2)
    firsts = np.concatenate([[0], np.cumsum(bar_ticks)])
    tick_s = (lines_s[bars + 1] - lines_s[bars]) / bar_ticks[bars]
    ticks = (times_s - lines_s[bars]) / tick_s
    near = np.abs(ticks - np.rint(ticks)) * tick_s <= NAILED_S
    places = firsts[bars] + np.rint(ticks).astype(np.int64)
    found: dict[int, Moment] = {}
    for index in np.flatnonzero(near).tolist():
        place, moment = int(places[index]), moments[index]
        if place not in found or moment.weight > found[place].weight:
            found[place] = moment
    nails = []
    for place, moment in sorted(found.items()):
        bar = int(np.searchsorted(firsts, place, side="right")) - 1
        length = int(bar_ticks[min(bar, len(bar_ticks) - 1)])
        nails.append(Nail(bar, place - int(firsts[bar]), moment.time_s, moment.weight, ticks=length))
    return nails


def _unbent(
    moments: Weighed, duration_s: float, bpm_range: tuple[float, float], wanted_bpm: float, meter: Meter, grid: BarGrid
) -> TempoPlan:
    """One tempo throughout. Where the clip does not hold whole bars of it, the last bar is longer or shorter.

    The tempo is rounded so that the clip holds a whole number of ticks; of several such tempi the one is taken that
    meets the moments best.
    """
    per_bpm = duration_s * TICKS_PER_BEAT / 60.0  # ticks of the clip at 1 BPM
    low, high = bpm_range[0] * (1.0 - TEMPO_ROUNDING), bpm_range[1] * (1.0 + TEMPO_ROUNDING)
    counts = range(int(np.ceil(low * per_bpm - 1e-9)), int(high * per_bpm + 1e-9) + 1)
    nearest = max(1, round(wanted_bpm * per_bpm))
    total = min(
        [count for count in counts if count >= 1] or [nearest],
        key=lambda count: (_count_cost(moments, duration_s, count, wanted_bpm * per_bpm, grid), count),
    )
    bpm = total / per_bpm
    bars, rest = divmod(total, meter.ticks)
    last = meter.ticks
    if rest:
        longer = bars > 0 and rest <= LONG_REST
        last = meter.ticks + rest if longer else rest
        bars += not longer
    changes = []
    if last != meter.ticks:
        which = "the only bar is" if bars == 1 else "the last bar is"
        changes.append(
            f"{which} {last / TICKS_PER_BEAT:g} beats long, so that the music ends with the clip at {bpm:.4g} BPM"
        )
    if not low <= bpm <= high:
        changes.append(
            f"the tempo is {bpm:.4g} BPM instead of {wanted_bpm:g}, so that a clip so short ends with a tick"
        )
    odd = odd_of([*[meter.ticks] * (bars - 1), last], meter)
    found = replace(_shifted(moments, duration_s, total, grid), meter=meter.name, odd_bars=odd)
    return TempoPlan(found, bars, bpm, last, tuple(changes))


def _shifted(moments: Weighed, duration_s: float, total: int, grid: BarGrid) -> TempoMap:
    """`total` ticks of one tempo; or, where more moments are met so, with opening bars that are a little quicker or
    slower, by TEMPO_ROUNDING at most, so that all ticks after them are shifted by up to half a tick.
    """
    tick_s = duration_s / total
    opening = min(OPENING_BARS, total // grid.ticks // 2) * grid.ticks
    best, best_cost = 0.0, _shift_cost(moments, tick_s, opening, 0.0, duration_s, grid)
    for shift in np.arange(-0.5, 0.5001, 0.05):
        if opening and abs(shift) <= TEMPO_ROUNDING * opening:
            cost = _shift_cost(moments, tick_s, opening, float(shift), duration_s, grid)
            cost += SHIFT_WORTH * (1 + moments.total)
            if cost < best_cost:
                best, best_cost = float(shift), cost
    if best == 0.0:
        return TempoMap((TempoPoint(0.0, 0.0, 15.0 / tick_s),))
    turn_s = tick_s * (opening + best)
    later = TempoPoint(turn_s, opening / TICKS_PER_BEAT, 15.0 * (total - opening) / (duration_s - turn_s))
    return TempoMap((TempoPoint(0.0, 0.0, 15.0 * opening / turn_s), later))


def _shift_cost(moments: Weighed, tick_s: float, opening: int, shift: float, duration_s: float, grid: BarGrid) -> float:
    """What the moments cost where the first `opening` ticks last `shift` ticks longer, and the rest fills the clip."""
    turn_s = tick_s * (opening + shift)
    rest_s = duration_s - turn_s
    later_s = tick_s * rest_s / (duration_s - tick_s * opening)
    first = moments.between(0.0, turn_s)
    rest = moments.between(turn_s, duration_s)
    cost = grid.steady_cost(rest, later_s * grid.ticks)
    return cost + (grid.steady_cost(first, turn_s / opening * grid.ticks) if opening else 0.0)


def _count_cost(moments: Weighed, duration_s: float, count: int, wanted: float, grid: BarGrid) -> float:
    """What it costs to divide the clip into `count` ticks, where `wanted` (a real number) are asked for."""
    odd = 0.0 if count % grid.ticks == 0 else 0.1 if count % grid.beat_ticks == 0 else 0.15 if count % 2 == 0 else 0.2
    away = abs(np.log(count / wanted)) / TEMPO_ROUNDING
    spoiled = float((1.0 + moments.total) * (odd + 0.1 * away))
    return grid.steady_cost(moments, duration_s / count * grid.ticks) + spoiled
