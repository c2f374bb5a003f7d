"""The rate in which a film's timecodes count, which is not its mean rate where frames were left out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hitpoint.model.video.timeline.timecode import STANDARD_RATES, standard

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hitpoint.model.video.film import Film

_FRAMES = 3000
"""Looked at from the start: 100 s at 30 a second, by which 29.97 and 30 lie three frames apart."""
_ON_GRID = 0.97
"""Share of the frames that must lie on a rate's own moments."""
_OFF = 0.05
"""Frames by which one may miss its moment, above what the container rounds its times to."""
_DENSE = 0.15
"""Share of a rate's moments that must have a frame; a slide show fits any rate."""
_MILLISECOND = 1e-3


def nominal_fps(film: Film) -> float:
    """Frames a second in which a film's timecodes count: 30 for one of 30 that lacks most of its frames."""
    times_s = film.track.times_s[:_FRAMES]
    rounded = np.abs(times_s - np.round(times_s, 3)).max(initial=0.0) < 1e-6
    return nominal_rate(times_s, _MILLISECOND if rounded else _MILLISECOND / 10, [film.media.usual_fps, film.media.fps])


def nominal_rate(times_s: NDArray[np.float64], rounded_to_s: float, declared: list[float]) -> float:
    """The lowest standard rate on whose moments the frames lie.

    times_s (n,): presentation times in any order. rounded_to_s: the container's own step. declared: rates that the
    container states, the most trusted first; they decide where no standard rate fits.
    """
    times_s = np.unique(times_s)
    if len(times_s) > 2:
        misses = {rate: _miss(times_s - times_s[0], rounded_to_s, rate) for rate in STANDARD_RATES}
        fitting = [rate for rate in STANDARD_RATES if misses[rate] < math.inf]
        if fitting:
            near = [rate for rate in fitting if rate <= fitting[0] * 1.002]
            told = [rate for rate in near if rate in [standard(rate) for rate in declared]]
            return told[0] if len(told) == 1 else min(near, key=lambda rate: misses[rate])
        declared = [*declared, float(1.0 / np.median(np.diff(times_s)))]
    known = [standard(rate) for rate in declared if standard(rate) in STANDARD_RATES]
    plausible = known or [rate for rate in declared if 0.0 < rate <= 1000.0]
    return plausible[0] if plausible else 0.0


def _miss(times_s: NDArray[np.float64], rounded_to_s: float, rate: float) -> float:
    """Mean miss in frames of moments counted from the first, infinite where the rate does not fit."""
    places = times_s * rate
    slots = np.round(places)
    misses = np.abs(places - slots)
    dense = len(slots) >= _DENSE * (slots[-1] - slots[0])
    on_grid = float(np.mean(misses <= _OFF + rounded_to_s * rate)) >= _ON_GRID
    apart = len(np.unique(slots)) >= _ON_GRID * len(slots)
    return float(misses.mean()) if dense and on_grid and apart else math.inf
