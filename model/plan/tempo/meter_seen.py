"""The metre that visual beats keep, where they keep one plainly: a waltz is danced with every third step heavier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.meter import FOUR_FOUR
from hitpoint.model.plan.hits.weights import Moment
from hitpoint.model.plan.tempo.pace import pulse_s
from hitpoint.model.video.types import LOUD_BEAT

LEAST_BEATS = 18
"""Six groups of three: fewer say nothing."""
PLAIN, CLEARER = 0.4, 0.2
"""Of how salient the beats are, groups of three explain at least this share, and so much more than groups of four."""
QUICK_S = 1.1
"""Three beats that last less are the eighths of one beat: 6/8."""


def meter_seen(moments: Sequence[Moment]) -> str:
    """One of METERS: 3/4 or 6/8 where the loud visual beats keep time in groups of three, else 4/4."""
    beat_s = pulse_s(moments)
    beats = [each for each in moments if each.kind == "beat" and each.saliency >= LOUD_BEAT]
    if beat_s is None or len(beats) < LEAST_BEATS:
        return FOUR_FOUR
    times_s, saliency = (np.array([getattr(each, name) for each in beats]) for name in ("time_s", "saliency"))
    number = np.concatenate([[0], np.cumsum(np.rint(np.diff(times_s) / beat_s))]).astype(int)
    three, four = _explained(number % 3, saliency), _explained(number % 4, saliency)
    if three < PLAIN or three < four + CLEARER:
        return FOUR_FOUR
    return "6/8" if 3 * beat_s < QUICK_S else "3/4"


def _explained(place: NDArray[np.int_], values: NDArray[np.float64]) -> float:
    """The share of the variance of `values` between the places of a group, less what chance would give."""
    total = float(((values - values.mean()) ** 2).sum())
    kinds = np.unique(place)
    if total < 1e-9 or len(values) <= len(kinds):
        return 0.0
    within = sum(float(((values[place == kind] - values[place == kind].mean()) ** 2).sum()) for kind in kinds)
    return 1.0 - within / (len(values) - len(kinds)) / (total / (len(values) - 1))
