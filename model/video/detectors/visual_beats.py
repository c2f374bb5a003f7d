"""Visual beats: the moments at which something strikes, stops or turns back, and how sure that is."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors import impact_network, impact_peaks
from hitpoint.model.video.detectors.changes import SHORT_S
from hitpoint.model.video.detectors.impact_signs import (
    NEAR_S,
    Floats,
    Signs,
    highest,
    impact_curve,
    kinds_and_moments_s,
    signs,
    stops_of,
    turns_of,
)
from hitpoint.model.video.types import LOUD_BEAT, VisualBeat

SHAPE = 0.35
"""A beat's saliency is its confidence to this power: near 1 where it is all but certain."""
LOUD_CONFIDENCE = 0.4
"""From here on a beat is a LOUD_BEAT, however large it is among the film's own."""
MIN_CONFIDENCE = 0.25
"""Anything less likely than this to be an impact is not a visual beat."""
MIN_GAP_S = 0.2
"""Of two visual beats nearer to each other the surer one stays."""
HEARD = ("stop", "turn", "turn_between", "bend", "fall", "rise", "rim", "stop_long", "turn_long", "change")
"""The signs that the network hears as they are."""
AREA_SCALE, QUIET, AT_ONCE_S = 20.0, 0.15, 0.0251
"""The share of the picture is brought to the signs' size; what is added before the logarithm, about a sign's noise; and
turns and stops that lie so near a moment are heard in it."""
COLUMNS = len(HEARD) + 4
SPREAD = 2
"""Steps on both sides of a peak that are part of it."""
FAINT = 0.05
"""A lower peak of the network is not an impact."""
HEARD_SHARE, LEVEL = 0.6, 0.25
"""The network's share in the averaged logit, and what is added to that, so that at .5 half or more are impacts."""
UNSEEN, TOGETHER_S = -2.5, 0.06
"""The logit of a moment at which the curve has no peak; so near, a peak and a moment are one."""
SUREST = 1e-3
"""Nothing is surer than this, either way."""
WHOLE_PICTURE = 0.6
"""Share of the picture: if more of it changes, it is the light, or a camera that cannot be followed."""
LOST = 0.3
"""What is left of a moment's confidence there."""
LIGHT_LEVELS, LIGHT_S, LIGHT_SURE = 8.0, 0.06, 0.6
"""How far the mean brightness (0..255) jumps with a sudden light, how near to that the whole picture changes, and how
sure such a light is a beat: it is seen by rule, not heard by the network."""
LONGEST_GAP_S = 0.4
"""Frames further apart show no motion."""


def columns(found: Signs, curve: Floats) -> tuple[Floats, NDArray[np.float32]]:
    """(moments (n,), a thirtieth of a second apart; what `impact_network` hears at each (n, COLUMNS)).

    The columns are logarithms of the signs, of the share of the picture that changes, of the impact curve, and of turns
    and stops at their own moments. Between frames they are interpolated, so that a film's rate hardly matters; in a
    gap over LONGEST_GAP_S there is nothing.
    """
    t = found.times_s
    at_s = np.arange(t[0], t[-1] + 1e-6, SHORT_S)
    frame = np.clip(np.searchsorted(t, at_s), 1, len(t) - 1)
    is_known = (t[frame] - t[frame - 1] < LONGEST_GAP_S) | (np.abs(at_s - t[frame]) < 1e-6)
    heard = np.empty((len(at_s), COLUMNS), np.float32)  # one by one: a film of hours has a million moments
    signs_of = [getattr(found, name) for name in HEARD]
    for place, each in enumerate((*signs_of, AREA_SCALE * found.area, curve)):
        heard[:, place] = np.interp(at_s, t, each)
    for place, events in enumerate((turns_of(found), stops_of(found)), len(HEARD) + 2):
        heard[:, place] = events.within(at_s, AT_ONCE_S)[0]
    heard[~is_known] = 0
    return at_s, np.log(np.maximum(heard, 0) + np.float32(QUIET))


def judged(found: Signs, curve: Floats, quiet: Sequence[tuple[float, float]] = ()) -> tuple[Floats, Floats]:
    """(moments (k,), how sure each is an impact (k,) 0..1), by both judges. In `quiet` spans there is none.

    The network hears all in its order and knows best where the picture is like what it was taught; the other looks at
    the peaks of the curve one by one, and misleads less where it is not. Their logits are averaged.
    """
    at_s, heard = columns(found, curve)
    network = impact_network.judge(heard).astype(np.float64)
    for first_s, last_s in quiet:
        network[(at_s >= first_s - 1e-6) & (at_s <= last_s + 1e-6)] = 0
    peak_s, peak_sure = impact_peaks.judged(found, curve)
    moments_s = _middles_s(at_s, network)
    alone = np.array([np.abs(moments_s - each).min(initial=np.inf) >= TOGETHER_S for each in peak_s], bool)
    moments_s = np.sort(np.append(moments_s, peak_s[alone]))
    steps_s = SHORT_S * np.arange(-SPREAD, SPREAD + 1)
    spread = np.interp(moments_s[:, None] + steps_s, at_s, network, left=0, right=0)
    seen = _nearest(moments_s, peak_s, _logit(peak_sure))
    logit = HEARD_SHARE * _logit(spread.sum(axis=1) / 2) + (1 - HEARD_SHARE) * seen + LEVEL
    return moments_s, np.asarray(1 / (1 + np.exp(-logit)))


def _middles_s(at_s: Floats, sure: Floats) -> Floats:
    """The moments of the network's peaks: it spreads an impact over three steps, whose middle is finer than a frame."""
    wide = np.pad(sure, SPREAD)
    around = np.stack([wide[shift : shift + len(sure)] for shift in range(2 * SPREAD + 1)])
    middle_s = at_s + SHORT_S * (np.arange(-SPREAD, SPREAD + 1) @ around) / np.maximum(around.sum(axis=0), 1e-9)
    rising, falling = np.diff(sure, prepend=-1.0) >= 0, np.diff(sure, append=-1.0) < 0
    return np.asarray(np.clip(middle_s[rising & falling & (sure > FAINT)], at_s[0], at_s[-1]))


def _nearest(moments_s: Floats, peak_s: Floats, logits: Floats) -> Floats:
    """(k,): the logit of the peak nearest to each moment, UNSEEN where none lies within TOGETHER_S."""
    if len(peak_s) == 0:
        return np.full(len(moments_s), UNSEEN)
    place = np.clip(np.searchsorted(peak_s, moments_s), 1, max(1, len(peak_s) - 1))
    before, after = np.minimum(place - 1, len(peak_s) - 1), np.minimum(place, len(peak_s) - 1)
    nearest = np.where(np.abs(peak_s[before] - moments_s) <= np.abs(peak_s[after] - moments_s), before, after)
    return np.where(np.abs(peak_s[nearest] - moments_s) < TOGETHER_S, logits[nearest], UNSEEN)


def _logit(sure: Floats) -> Floats:
    clipped = np.clip(sure, SUREST, 1 - SUREST)
    return np.asarray(np.log(clipped / (1 - clipped)))


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
    at_s, sure = judged(found, curve, quiet)
    nearest = np.clip(np.searchsorted(t, (at_s - 1e-6)), 0, len(t) - 1)
    is_shown = _steps_s(t)[nearest] < LONGEST_GAP_S
    at_s, sure = at_s[is_shown], sure[is_shown]
    lights_s = lights(found, luma_mean[new].astype(np.float64), quiet)
    # Where the whole picture changes and it is no light, the camera could not be followed; by a light it is that.
    sure = np.where(highest(t, found.area, at_s, LIGHT_S) > WHOLE_PICTURE, LOST * sure, sure)
    kinds = np.where(kinds_and_moments_s(found, at_s)[0], "stop", "turn").tolist() + ["light"] * len(lights_s)
    at_s, sure = np.append(at_s, lights_s), np.append(sure, np.full(len(lights_s), LIGHT_SURE))
    return _beats(at_s, sure, highest(t, curve, at_s, NEAR_S), kinds), shown


def lights(found: Signs, luma_mean: Floats, quiet: Sequence[tuple[float, float]]) -> Floats:
    """The moments (k,) at which the light is suddenly another: the whole picture changes, and its mean brightness
    (m,) 0..255 jumps further than at any frame near. No moment across a cut, nor in `quiet` spans."""
    t = found.times_s
    jump = np.abs(np.diff(luma_mean, prepend=luma_mean[0]))
    jump[found.breaks] = 0
    for first_s, last_s in quiet:
        jump[(t >= first_s - 1e-6) & (t <= last_s + 1e-6)] = 0
    frames = np.flatnonzero(jump > LIGHT_LEVELS)
    is_highest = jump[frames] >= highest(t, jump, t[frames], MIN_GAP_S)
    whole = highest(t, found.area, t[frames], LIGHT_S) > WHOLE_PICTURE
    return np.asarray(t[frames[is_highest & whole]])


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
