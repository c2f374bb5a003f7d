"""The signs of impacts, frame by frame, as moments with weights, and the curve that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors.changes import LONG_S, NAMES, SHORT_S

Floats = NDArray[np.float64]

NEAR_S, SOFT_S = 0.055, 0.09
"""What lies so near a moment belongs to its impact: of the sharp signs, and of the soft ones."""
SOFT_WEIGHT = 0.1
"""A soft sign's weight in an impact, against a sharp one's."""


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
class Events:
    """Sharp signs as moments with weights, in order of time, and their running sums."""

    times_s: Floats
    weight: Floats
    moment: Floats

    def within(self, centres_s: Floats, reach_s: float) -> tuple[Floats, Floats]:
        """(weight, weight x time) of the events within `reach_s` of each centre."""
        first = np.searchsorted(self.times_s, centres_s - reach_s - 1e-6)
        last = np.searchsorted(self.times_s, centres_s + reach_s + 1e-6)
        return self.weight[last] - self.weight[first], self.moment[last] - self.moment[first]


def events_of(times_s: Floats, weight: Floats) -> Events:
    """Moments (k,) in any order, with their weights (k,)."""
    order = np.argsort(times_s, kind="stable")
    times_s, weight = times_s[order], weight[order]
    return Events(times_s, np.append(0, np.cumsum(weight)), np.append(0, np.cumsum(weight * times_s)))


def turns_of(found: Signs) -> Events:
    """Every turn and bend at its own moment: what lies between two frames, between them."""
    t, half_s = found.times_s, found.step_s / 2
    moments = np.concatenate([t, t + half_s, t - lag_of(found) * half_s])  # a bend is that of the way into its frame
    return events_of(moments, np.concatenate([2 * found.turn, 2 * found.turn_between, 1.5 * found.bend]))


def stops_of(found: Signs) -> Events:
    """Every stop at its own moment: before its frame, by the share of a usual step that the last one falls short of."""
    lag = lag_of(found)
    usual = np.concatenate([found.change[:lag], found.change[:-lag]])
    missing = 1 - np.clip(found.change / np.maximum(usual, 1e-3), 0, 1)
    moments = found.times_s - missing * lag * found.step_s
    return events_of(np.tile(moments, 2), np.concatenate([found.stop, 0.5 * found.fall]))


def lag_of(found: Signs) -> int:
    """Frames that the short lag takes."""
    return max(1, round(SHORT_S / found.step_s))


def impact_curve(found: Signs) -> Floats:
    """How much stops, turns or goes elsewhere around each frame (m,), in cells; 0 or more."""
    t = found.times_s
    sharp = [events.within(t, reach_s)[0] for events in (turns_of(found), stops_of(found)) for reach_s in (0.05, 0.025)]
    curve = 0.5 * np.sum(sharp, axis=0) + 0.3 * (found.stop_long + found.turn_long)
    curve[1:-1] = 0.25 * curve[:-2] + 0.5 * curve[1:-1] + 0.25 * curve[2:]
    return np.asarray(np.maximum(curve, 0.0), np.float64)


def highest(times_s: Floats, values: Floats, at_s: Floats, reach_s: float) -> Floats:
    """The highest of the values (m,) within `reach_s` of each moment (k,)."""
    first = np.searchsorted(times_s, at_s - reach_s - 1e-6)
    last = np.searchsorted(times_s, at_s + reach_s + 1e-6)
    return np.array([values[a:b].max(initial=0.0) for a, b in zip(first, last, strict=True)])


def kinds_and_moments_s(found: Signs, at_s: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Whether what lies around each of k moments is a stop, no turn (k,), and the middle of its signs (k,), finer than
    a frame.

    A thing that turns softly slows down first; so a turn's moment is that of its turning alone.
    """
    sums = {}
    for name, events, soft in (
        ("turn", turns_of(found), events_of(found.times_s, found.turn_long)),
        ("stop", stops_of(found), events_of(found.times_s, found.stop_long)),
    ):
        weight, moment = events.within(at_s, NEAR_S)
        soft_weight, soft_moment = soft.within(at_s, SOFT_S)
        total = weight + SOFT_WEIGHT * soft_weight
        mean_s = (moment + SOFT_WEIGHT * soft_moment) / np.maximum(total, 1e-9)
        sums[name] = total, np.where(total > 1e-6, mean_s, at_s)
    is_stop = np.asarray(sums["stop"][0] > sums["turn"][0])
    middle_s = np.where(is_stop, sums["stop"][1], sums["turn"][1])
    return is_stop, np.clip(middle_s, found.times_s[0], found.times_s[-1])
