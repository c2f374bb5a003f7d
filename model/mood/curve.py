"""Light, colour, motion and cuts -> valence, arousal and tension over a film, every half second.

After Valdez & Mehrabian (1994), who let people judge colour chips: pleasure rises with brightness (.69) and saturation
(.22), excitement falls with brightness (−.31) and rises with saturation (.60). Each figure is half absolute and half
the rank within the film, as far as the film has contrast: a film of one look is judged by that look alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.types import VisualRhythm

Values = NDArray[np.float64]

STEP_S = 0.5
BRIGHT_PLEASURE, COLOUR_PLEASURE = 0.69, 0.22
BRIGHT_EXCITEMENT, COLOUR_EXCITEMENT = -0.31, 0.60
NEUTRAL_PLEASURE, PLEASURE_REACH = 0.37, 0.25
"""Pleasure of an everyday picture (brightness .43, saturation .33), and how far from it valence is full."""
NEUTRAL_EXCITEMENT, EXCITEMENT_REACH = 0.05, 0.20
STILL_MOTION, WILD_MOTION = 0.015, 0.35
"""Frame widths a second that count as no motion and as full motion; between them the logarithm counts."""
CUT_WINDOW_S, MANY_CUTS_PER_S = 8.0, 0.5
MOTION_SHARE, CUTS_SHARE, COLOUR_SHARE = 0.55, 0.30, 0.15
"""What arousal is made of."""
PLEASURE_CONTRAST, MOTION_CONTRAST, CUTS_CONTRAST = 0.10, 0.30, 0.20
"""Distance of a film's quartiles from which on ranks count in full, that is for a half."""
DARK = 0.6
"""Brightness from which on darkness adds no tension."""
FULL_SPREAD = 64.0
RISE_S = 8.0
BLACK, COLOURLESS = 0.04, 0.04
"""Mean brightness and saturation below which a film is black, or has no colour."""
GREY_MIDDLE, GREY_HALF, GREY_REACH = 0.45, 0.20, 0.25
"""Without colour, only a brightness farther than GREY_HALF from the middle says anything of valence."""


@dataclass(frozen=True)
class MoodCurve:
    """The mood at `times_s` (n,), middles of windows of STEP_S: valence, arousal −1..1, tension 0..1.

    overall: the three of the film as a whole, by its own level alone: ranks within the film say nothing of it.
    notes: sentences on what the picture could not tell. grey: it has no colour and so no valence.
    """

    times_s: Values
    valence: Values
    arousal: Values
    tension: Values
    overall: tuple[float, float, float] = (0.0, 0.0, 0.0)
    notes: tuple[str, ...] = ()
    grey: bool = False


def mood_curve(rhythm: VisualRhythm, turns_s: Sequence[float] | None = None) -> MoodCurve | None:
    """The mood of the picture; None where the analysis holds no palette.

    turns_s: moments at which something new begins; by default the boundaries between shots of unlike look.
    """
    looks = rhythm.measured.get("palette")
    if looks is None or not len(rhythm.times_s):
        return None
    count = max(1, int(np.ceil(rhythm.duration_s / STEP_S)))
    middles = np.asarray((np.arange(count) + 0.5) * STEP_S, np.float64)
    middles[-1] = min(middles[-1], max(rhythm.duration_s - STEP_S / 2, rhythm.duration_s / 2))
    window = np.minimum((rhythm.times_s / STEP_S).astype(np.int64), count - 1)

    def over(values: NDArray[np.float32]) -> Values:
        return _window_means(np.nan_to_num(values.astype(np.float64)), window, count)

    bright, colour = over(looks["brightness"]), over(looks["saturation"])
    if bright.mean() < BLACK:
        none = np.zeros(count)
        return MoodCurve(middles, none, none, none, notes=("the picture is black, so its mood is taken as neutral",))
    level = _motion_levels(over(rhythm.motion))
    cuts_s = np.array([boundary.time_s for boundary in rhythm.boundaries], np.float64)
    valence, glad = _valence(bright, colour)
    arousal, excited = _arousal(level, _cuts_per_s(cuts_s, middles, rhythm.duration_s), bright, colour)
    turns = np.array(_turns(rhythm) if turns_s is None else sorted(turns_s), np.float64)
    tension = _tension(bright, over(looks["spread"]), level, _nearness(turns, middles))
    overall = (glad, excited, float(tension.mean()))
    grey = colour.mean() < COLOURLESS and not valence.any()
    notes = ("the picture is grey, so it is taken as neither glad nor sad",) if grey else ()
    return MoodCurve(middles, valence, arousal, tension, overall, notes, bool(grey))


def _valence(bright: Values, colour: Values) -> tuple[Values, float]:
    """Of each window, and of the film."""
    if colour.mean() < COLOURLESS:
        away = bright - GREY_MIDDLE
        valence = np.sign(away) * np.clip((np.abs(away) - GREY_HALF) / GREY_REACH, 0.0, 1.0)
        return valence, float(valence.mean())
    pleasure = BRIGHT_PLEASURE * bright + COLOUR_PLEASURE * colour
    fixed = np.clip((pleasure - NEUTRAL_PLEASURE) / PLEASURE_REACH, -1.0, 1.0)
    return _beside_rank(fixed, pleasure, PLEASURE_CONTRAST), float(fixed.mean())


def _arousal(level: Values, cuts_per_s: Values, bright: Values, colour: Values) -> tuple[Values, float]:
    """Of each window, and of the film. level (n,): 0..1. No cut at all says less of a picture than many cuts do."""
    cut_level = np.clip(cuts_per_s / MANY_CUTS_PER_S, 0.0, 1.0)
    excitement = BRIGHT_EXCITEMENT * bright + COLOUR_EXCITEMENT * colour
    colourful = COLOUR_SHARE * np.clip((excitement - NEUTRAL_EXCITEMENT) / EXCITEMENT_REACH, -1.0, 1.0)
    moved, cutting = 2 * level - 1, 1.5 * cut_level - 0.5
    fixed = MOTION_SHARE * moved + CUTS_SHARE * cutting + colourful
    beside = MOTION_SHARE * _beside_rank(moved, level, MOTION_CONTRAST)
    beside += CUTS_SHARE * _beside_rank(cutting, cut_level, CUTS_CONTRAST) + colourful
    return np.clip(beside, -1.0, 1.0), float(np.clip(fixed.mean(), -1.0, 1.0))


def _tension(bright: Values, spread: Values, level: Values, nearness: Values) -> Values:
    """Darkness, contrast, motion that grows, and something new that is about to come; 0..1."""
    steps = round(RISE_S / STEP_S)
    before = np.concatenate([np.repeat(level[:1], min(steps, len(level))), level[:-steps]])[: len(level)]
    rise = np.clip(2 * (level - before), 0.0, 1.0)
    dark = np.clip(1.0 - bright / DARK, 0.0, 1.0)
    return np.asarray(
        np.clip(0.35 * dark + 0.20 * spread / FULL_SPREAD + 0.25 * rise + 0.20 * nearness, 0.0, 1.0), np.float64
    )


def _beside_rank(fixed: Values, values: Values, contrast: float) -> Values:
    """`fixed` (−1..1), and the rank of `values` in the film in place of up to half of it."""
    low, high = np.percentile(values, [25.0, 75.0])
    share = 0.5 * min(1.0, float(high - low) / contrast)
    order = np.sort(values)
    ranks = (np.searchsorted(order, values, "left") + np.searchsorted(order, values, "right")) / len(values) - 1.0
    return np.asarray((1.0 - share) * fixed + share * ranks)


def _motion_levels(motion: Values) -> Values:
    """Motion (widths a second) on a logarithmic scale, 0..1, smoothed over two seconds."""
    kernel = np.ones(min(len(motion), round(2.0 / STEP_S)))
    weight = np.convolve(np.ones(len(motion)), kernel, "same")
    smooth = np.convolve(motion, kernel, "same") / weight
    level = np.log(np.maximum(smooth, 1e-6) / STILL_MOTION) / np.log(WILD_MOTION / STILL_MOTION)
    return np.asarray(np.clip(level, 0.0, 1.0))


def _cuts_per_s(cuts_s: Values, middles: Values, duration_s: float) -> Values:
    """Boundaries a second within CUT_WINDOW_S around each moment, as much of it as lies in the film."""
    starts, ends = middles - CUT_WINDOW_S / 2, middles + CUT_WINDOW_S / 2
    found = np.searchsorted(cuts_s, ends) - np.searchsorted(cuts_s, starts)
    inside = np.minimum(ends, duration_s) - np.maximum(starts, 0.0)
    return np.asarray(found / np.maximum(inside, CUT_WINDOW_S / 2))


def _nearness(turns_s: Values, middles: Values) -> Values:
    """0..1, rising over the last RISE_S before each moment in `turns_s`."""
    if not len(turns_s):
        return np.zeros(len(middles))
    following = np.searchsorted(turns_s, middles)
    away = np.where(following < len(turns_s), turns_s[np.minimum(following, len(turns_s) - 1)] - middles, np.inf)
    return np.asarray(np.clip(1.0 - away / RISE_S, 0.0, 1.0), np.float64)


def _turns(rhythm: VisualRhythm) -> list[float]:
    known = len(rhythm.shots) == len(rhythm.boundaries) + 1
    return [
        boundary.time_s
        for index, boundary in enumerate(rhythm.boundaries)
        if not known or rhythm.shots[index] != rhythm.shots[index + 1]
    ]


def _window_means(values: Values, window: NDArray[np.int64], count: int) -> Values:
    """Mean of `values` in each of `count` windows; an empty window takes the nearest filled one's."""
    sums, numbers = np.bincount(window, values, count), np.bincount(window, minlength=count)
    filled = np.flatnonzero(numbers)
    if len(filled) == count:
        return np.asarray(sums / numbers)
    means = sums[filled] / numbers[filled]
    right = np.clip(np.searchsorted(filled, np.arange(count)), 0, len(filled) - 1)
    left = np.maximum(right - 1, 0)
    is_left = np.arange(count) - filled[left] <= np.abs(filled[right] - np.arange(count))
    return np.asarray(means[np.where(is_left, left, right)])
