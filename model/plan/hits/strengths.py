"""Saliency -> how many notes an accent asks for (Di et al. 2021), within what the instruments can play."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hitpoint.model.music.score import MAX_STRENGTH
from hitpoint.model.plan.hits.placing import Placed

CLASSES = {"cut": (3, 5), "fade": (3, 4), "beat": (2, 4)}
"""Kind of moment -> strength of the faintest and of the most salient one. From 3 on it is an accent."""


def strengths(placed: Sequence[Placed], instruments: tuple[int, ...]) -> list[int]:
    """Strength of each hit: by the rank of its saliency among those of its kind, at most what one instrument plays."""
    limit = max(MAX_STRENGTH[instrument] for instrument in instruments)
    result = []
    by_kind = {kind: np.sort([each.moment.saliency for each in placed if each.moment.kind == kind]) for kind in CLASSES}
    for each in placed:
        known = by_kind[each.moment.kind]
        rank = np.searchsorted(known, each.moment.saliency, "right") / len(known)
        low, high = CLASSES[each.moment.kind]
        level = (rank + each.moment.saliency) / 2  # both the rank within the film and the value itself
        result.append(int(min(limit, low + round(level * (high - low)))))
    return result
