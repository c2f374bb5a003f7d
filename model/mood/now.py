"""The mood of this moment, from light, colour, motion and cuts so far: what a camera's picture says, with no film
around it to compare it with. The formulas and their source are those of `curve`.
"""

from __future__ import annotations

import math

from hitpoint.model.mood import curve


def motion_level(motion: float) -> float:
    """Motion in frame widths a second, on a logarithmic scale, 0..1."""
    span = math.log(curve.WILD_MOTION / curve.STILL_MOTION)
    return _inside(math.log(max(motion, 1e-6) / curve.STILL_MOTION) / span, 0.0)


def valence_of(bright: float, colour: float) -> float:
    """-1..1. bright, colour: mean brightness and saturation, 0..1."""
    if bright < curve.BLACK:
        return 0.0
    if colour < curve.COLOURLESS:
        away = bright - curve.GREY_MIDDLE
        return math.copysign(_inside((abs(away) - curve.GREY_HALF) / curve.GREY_REACH, 0.0), away)
    pleasure = curve.BRIGHT_PLEASURE * bright + curve.COLOUR_PLEASURE * colour
    return _inside((pleasure - curve.NEUTRAL_PLEASURE) / curve.PLEASURE_REACH, -1.0)


def energy_of(level: float, cuts_per_s: float, bright: float, colour: float) -> float:
    """0..1: the arousal. level: as `motion_level`; cuts_per_s: over the last seconds."""
    cutting = 1.5 * _inside(cuts_per_s / curve.MANY_CUTS_PER_S, 0.0) - 0.5
    excitement = curve.BRIGHT_EXCITEMENT * bright + curve.COLOUR_EXCITEMENT * colour
    colourful = _inside((excitement - curve.NEUTRAL_EXCITEMENT) / curve.EXCITEMENT_REACH, -1.0)
    arousal = curve.MOTION_SHARE * (2 * level - 1) + curve.CUTS_SHARE * cutting + curve.COLOUR_SHARE * colourful
    return (1.0 + _inside(arousal, -1.0)) / 2.0


def _inside(value: float, low: float) -> float:
    return max(low, min(1.0, value))
