"""Visual beats: the moments at which something strikes, stops or turns back, and how sure that is."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors import confidence
from hitpoint.model.video.detectors.changes import LONG_S, NAMES, SHORT_S
from hitpoint.model.video.types import LOUD_BEAT, VisualBeat

Floats = NDArray[np.float64]

SHAPE = 0.35
"""A beat's saliency is its confidence to this power: near 1 where it is all but certain."""
LOUD_CONFIDENCE = 0.45
"""From here on a beat is a LOUD_BEAT, however large it is among the film's own."""
MIN_CONFIDENCE = 0.35
"""Anything less likely than this to be an impact is not a visual beat."""
MIN_GAP_S = 0.2
"""Of two visual beats nearer to each other the surer one stays."""
APART_S = 0.13
"""Two peaks of the impact curve nearer than this are one impact."""
NEAR_S, SOFT_S = 0.055, 0.09
"""What lies so near a peak belongs to its impact: of the sharp signs, and of the soft ones."""
SOFT_WEIGHT = 0.1
"""A soft sign's weight in the moment of an impact, against a sharp one's."""
FAINT = 0.1
"""Cells: a lower peak is not an impact."""
WHOLE_PICTURE = 0.6
"""Share of the picture: if more of it changes, it is the light, or a camera that cannot be followed."""
LIGHT_LEVELS = 8.0
"""How far the mean brightness (0..255) jumps with a sudden light."""
LONGEST_GAP_S = 0.4
"""Frames further apart show no motion."""
FEATURES = 24
"""Numbers by which a peak is judged."""


@dataclass(frozen=True)
class Signs:
    """The signs of impacts in m new frames: `stop` … `rim` (m,) as in `changes.NAMES`, per thirtieth of a second."""

    times_s: Floats
    breaks: NDArray[np.int64]
    step_s: float
    stop: Floats
    turn: Floats
    turn_between: Floats
    bend: Floats
    fall: Floats
    stop_long: Floats
    turn_long: Floats
    change: Floats
    area: Floats
    rise: Floats
    rim: Floats


def signs(times_s: Floats, changes: NDArray[np.float32], breaks: Sequence[int] | NDArray[np.int64]) -> Signs:
    """Signs from `changes` (m, len(NAMES)) at `times_s` (m,); nothing counts across `breaks`, which begin shots.

    Half a frame more or less is the business of `impact_curve`: here every sign stands at the frame that it is kept by.
    """
    kept = changes.astype(np.float64)
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else SHORT_S
    long_columns = [NAMES.index(name) for name in NAMES if name.endswith("_long")]
    short_columns = [index for index in range(len(NAMES)) if index not in long_columns]
    reach_s = max(SHORT_S, step_s)
    breaks = np.unique(np.asarray(breaks, np.int64))
    for frame in breaks.tolist():
        for columns, before_s, after_s in (
            (short_columns, reach_s, 2 * reach_s),
            (long_columns, LONG_S + step_s, LONG_S + step_s),
        ):
            at_s = times_s[frame]
            first, last = np.searchsorted(times_s, (at_s - before_s - 1e-3, at_s + after_s + 1e-3)).tolist()
            # Signs reach so many frames: further than that in time where frames between were repeats.
            first, last = min(first, frame - round(before_s / step_s)), max(last, frame + round(after_s / step_s))
            kept[max(first, 0) : last, columns] = 0
    share = min(1.0, step_s / SHORT_S)
    column = {name: kept[:, NAMES.index(name)] for name in NAMES}
    sharp = {name: column[name] * share for name in ("stop", "turn", "turn_between", "bend", "fall", "rise", "rim")}
    others = {name: column[name] for name in ("stop_long", "turn_long", "change", "area")}
    return Signs(times_s, breaks, step_s, **sharp, **others)


@dataclass(frozen=True)
class _Events:
    """Sharp signs as moments with weights, in order of time, and their running sums."""

    times_s: Floats
    weight: Floats
    moment: Floats

    def within(self, centres_s: Floats, reach_s: float) -> tuple[Floats, Floats]:
        """(weight, weight x time) of the events within `reach_s` of each centre."""
        first = np.searchsorted(self.times_s, centres_s - reach_s - 1e-6)
        last = np.searchsorted(self.times_s, centres_s + reach_s + 1e-6)
        return self.weight[last] - self.weight[first], self.moment[last] - self.moment[first]


def _events(times_s: Floats, weight: Floats) -> _Events:
    order = np.argsort(times_s, kind="stable")
    times_s, weight = times_s[order], weight[order]
    return _Events(times_s, np.append(0, np.cumsum(weight)), np.append(0, np.cumsum(weight * times_s)))


def _turns(found: Signs) -> _Events:
    """Every turn and bend at its own moment: what lies between two frames, between them."""
    t, half_s = found.times_s, found.step_s / 2
    moments = np.concatenate([t, t + half_s, t - _lag(found) * half_s])  # a bend is that of the way into its frame
    return _events(moments, np.concatenate([2 * found.turn, 2 * found.turn_between, 1.5 * found.bend]))


def _stops(found: Signs) -> _Events:
    """Every stop at its own moment: before its frame, by the share of a usual step that the last one falls short of."""
    lag = _lag(found)
    usual = np.concatenate([found.change[:lag], found.change[:-lag]])
    missing = 1 - np.clip(found.change / np.maximum(usual, 1e-3), 0, 1)
    moments = found.times_s - missing * lag * found.step_s
    return _events(np.tile(moments, 2), np.concatenate([found.stop, 0.5 * found.fall]))


def _lag(found: Signs) -> int:
    return max(1, round(SHORT_S / found.step_s))


def impact_curve(found: Signs) -> Floats:
    """How much stops, turns or goes elsewhere around each frame (m,), in cells; 0 or more."""
    t = found.times_s
    sharp = [events.within(t, reach_s)[0] for events in (_turns(found), _stops(found)) for reach_s in (0.05, 0.025)]
    curve = 0.5 * np.sum(sharp, axis=0) + 0.3 * (found.stop_long + found.turn_long)
    curve[1:-1] = 0.25 * curve[:-2] + 0.5 * curve[1:-1] + 0.25 * curve[2:]
    return np.asarray(np.maximum(curve, 0.0), np.float64)


def peaks(times_s: Floats, curve: Floats) -> NDArray[np.int64]:
    """Frames that are highest within APART_S on both sides, and higher than FAINT."""
    high = np.flatnonzero((curve >= _highest(times_s, curve, times_s, APART_S) - 1e-9) & (curve > FAINT))
    kept: list[int] = []
    for frame in high.tolist():
        if not kept or times_s[frame] - times_s[kept[-1]] >= APART_S:
            kept.append(frame)
    return np.asarray(kept, np.int64)


def _highest(times_s: Floats, values: Floats, centres_s: Floats, reach_s: float) -> Floats:
    first = np.searchsorted(times_s, centres_s - reach_s - 1e-6)
    last = np.searchsorted(times_s, centres_s + reach_s + 1e-6)
    return np.array([values[a:b].max(initial=0.0) for a, b in zip(first, last, strict=True)])


def kinds_and_moments_s(found: Signs, at: NDArray[np.int64]) -> tuple[NDArray[np.bool_], Floats]:
    """Whether each of k peaks is a stop, no turn (k,), and its moment (k,): the middle of its signs, finer than a
    frame.

    A thing that turns softly slows down first; so a turn's moment is that of its turning alone.
    """
    t = found.times_s[at]
    sums = {}
    for name, events, soft in (
        ("turn", _turns(found), _events(found.times_s, found.turn_long)),
        ("stop", _stops(found), _events(found.times_s, found.stop_long)),
    ):
        weight, moment = events.within(t, NEAR_S)
        soft_weight, soft_moment = soft.within(t, SOFT_S)
        total = weight + SOFT_WEIGHT * soft_weight
        mean_s = (moment + SOFT_WEIGHT * soft_moment) / np.maximum(total, 1e-9)
        sums[name] = total, np.where(total > 1e-6, mean_s, t)
    is_stop = np.asarray(sums["stop"][0] > sums["turn"][0])
    at_s = np.where(is_stop, sums["stop"][1], sums["turn"][1])
    return is_stop, np.clip(at_s, found.times_s[0], found.times_s[-1])


class _Around:
    """What lies around k peaks, within the shot of each."""

    def __init__(self, found: Signs, at: NDArray[np.int64]) -> None:
        self._times_s, self._at_s = found.times_s, found.times_s[at]
        edges = np.concatenate([[0], found.breaks, [len(found.times_s)]])
        place = np.searchsorted(edges, at, side="right")
        self._first, self._last = edges[place - 1], edges[np.minimum(place, len(edges) - 1)]

    def spans(self, from_s: float, to_s: float) -> list[tuple[int, int]]:
        """Frames (first, past the last) of each peak's time from `from_s` to `to_s`."""
        first = np.searchsorted(self._times_s, self._at_s + from_s - 1e-6)
        last = np.searchsorted(self._times_s, self._at_s + to_s + 1e-6)
        return list(zip(np.maximum(first, self._first).tolist(), np.minimum(last, self._last).tolist(), strict=True))

    def highest(self, values: Floats, from_s: float, to_s: float) -> Floats:
        return np.array([values[a:b].max(initial=0.0) for a, b in self.spans(from_s, to_s)])

    def total(self, values: Floats, reach_s: float) -> Floats:
        return np.array([values[a:b].sum() for a, b in self.spans(-reach_s, reach_s)])

    def mean(self, values: Floats, reach_s: float) -> Floats:
        return np.array([values[a:b].mean() for a, b in self.spans(-reach_s, reach_s)])

    def quartiles(self, values: Floats, reach_s: float) -> tuple[Floats, Floats]:
        """(upper quartile, median)."""
        both = np.array([np.quantile(values[a:b], (0.75, 0.5)) for a, b in self.spans(-reach_s, reach_s)])
        return both[:, 0], both[:, 1]


def features(found: Signs, curve: Floats, at: NDArray[np.int64]) -> Floats:
    """What `confidence` judges k > 0 peaks by (k, FEATURES): 19 logarithms, of their signs and of the picture around
    them, and five shares.

    Signs at the rim of the picture are those of things that come and go. The picture around is what tells an impact
    from restlessness: how much changes in .3 and 1 s, the highest curve within 1.5 s, its quartiles within 2.5 s,
    change well and just before and after, and the curve next to the peak. The shares: of the rim, of bends and of turns
    in the sharp signs, and of the soft signs beside the curve. What glides by bends at the rim, and softly not at all.
    """
    around, near = _Around(found, at), 0.05
    turn = found.turn + found.turn_between
    signs_near = (found.stop, turn, found.bend, found.fall, found.rise, found.rim)
    columns = [
        curve[at],
        *(around.total(each, near) for each in signs_near),
        *(around.highest(each, -near, near) for each in (found.stop_long, found.turn_long)),
        *(around.mean(found.change, reach_s) for reach_s in (0.3, 1.0)),
        around.highest(curve, -1.5, 1.5),
        *around.quartiles(curve, 2.5),
        *(around.highest(found.change, *span) for span in ((-0.25, -0.06), (-0.06, 0), (2e-6, 0.07), (0.07, 0.25))),
        np.maximum(around.highest(curve, -0.32, -0.12), around.highest(curve, 0.12, 0.32)),
    ]
    stop, turned, bend, fall, _, rim = columns[1:7]
    sharp = np.maximum(stop + 0.5 * fall + 2 * turned + 1.5 * bend, 1e-3)
    shares = [np.minimum(part / sharp, 1.5) for part in (rim, 1.5 * bend, 2 * turned)]
    shares += [soft / (soft + columns[0] + 0.1) for soft in columns[7:9]]
    logs = np.log(np.maximum(np.stack(columns, axis=1), 0) + 0.15)
    return np.asarray(np.concatenate([logs, np.stack(shares, axis=1)], axis=1))


def find(
    times_s: Floats,
    changes: NDArray[np.float32],
    is_new: NDArray[np.uint8],
    luma_mean: NDArray[np.float32],
    breaks: NDArray[np.int64],
    quiet: Sequence[tuple[float, float]] = (),
) -> tuple[tuple[VisualBeat, ...], NDArray[np.float32]]:
    """(visual beats in order of time, impact curve (n,) as `impact_curve`, 0 at frames that repeat another).

    times_s (n,), changes (n, len(NAMES)), is_new (n,), luma_mean (n,) 0..255: as the detectors measured them. breaks:
    frames that begin a shot. quiet: spans of seconds, fades, in which nothing counts.
    """
    new = np.flatnonzero(is_new)
    shown = np.zeros(len(times_s), np.float32)
    if len(new) < 3:
        return (), shown
    t = times_s[new]
    found = signs(t, changes[new], np.minimum(np.searchsorted(new, breaks), len(new) - 1))
    curve = impact_curve(found)
    for first_s, last_s in quiet:
        curve[(t >= first_s - 1e-6) & (t <= last_s + 1e-6)] = 0
    shown[new] = curve
    at = peaks(t, curve)
    at = at[_steps_s(t)[at] < LONGEST_GAP_S]
    if len(at) == 0:
        return (), shown
    sure = confidence.of(features(found, curve, at))
    around = _Around(found, at)
    lit = around.highest(found.area, -0.05, 0.07) > WHOLE_PICTURE
    jump = np.abs(np.diff(luma_mean[new].astype(np.float64), prepend=float(luma_mean[new[0]])))
    is_light = lit & (around.highest(jump, -0.05, 0.05) > LIGHT_LEVELS)
    sure = np.where(lit & ~is_light, 0.3 * sure, sure)
    is_stop, at_s = kinds_and_moments_s(found, at)
    kinds = np.where(is_light, "light", np.where(is_stop, "stop", "turn"))
    return _beats(at_s, sure, curve[at], kinds.tolist()), shown


def _steps_s(times_s: Floats) -> Floats:
    """The longer of the two steps that meet at each frame."""
    steps_s = np.diff(times_s)
    return np.asarray(np.maximum(np.append(0, steps_s), np.append(steps_s, 0)))


def _beats(at_s: Floats, sure: Floats, heights: Floats, kinds: Sequence[str]) -> tuple[VisualBeat, ...]:
    """The surest first, none nearer than MIN_GAP_S to another."""
    taken_s: list[float] = []
    kept: list[int] = []
    for index in np.argsort(-sure, kind="stable").tolist():
        time_s = float(at_s[index])
        place = bisect.bisect(taken_s, time_s)
        is_free = all(abs(time_s - near_s) >= MIN_GAP_S for near_s in taken_s[max(0, place - 1) : place + 1])
        if sure[index] >= MIN_CONFIDENCE and is_free:
            taken_s.insert(place, time_s)
            kept.append(index)
    kept.sort(key=lambda index: float(at_s[index]))
    size = np.sort(heights[kept])
    return tuple(
        VisualBeat(
            float(at_s[index]),
            _saliency(float(sure[index]), float(np.searchsorted(size, heights[index], "right") / len(size))),
            kinds[index],
            float(sure[index]),
        )
        for index in kept
    )


def _saliency(sure: float, rank: float) -> float:
    """Rises with confidence, and a little with a beat's size among the film's own, `rank` 0..1."""
    saliency = float(sure**SHAPE) * (0.85 + 0.15 * rank)
    return max(saliency, LOUD_BEAT) if sure >= LOUD_CONFIDENCE else min(saliency, LOUD_BEAT - 0.01)
