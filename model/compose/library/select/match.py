"""By rhythm alone: stretches as busy as the film asks, with chords where it is hit (Di et al. 2021, eq. 16)."""

from __future__ import annotations

import numpy as np

from hitpoint.model.compose.library.select.base import Costs, Selector, Span, Stretches
from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.network.conditions import controls_of_plan

USUAL_DENSITY = 8.0
"""Asked where the plan leaves everything free."""


class Match(Selector):
    """1 - MS / (1 + MS), where MS is the matching score."""

    key = "match"

    def costs(self, span: Span, stretches: Stretches) -> Costs:
        """0..1."""
        return mismatch(span, stretches)


def mismatch(span: Span, stretches: Stretches) -> Costs:
    """1 - MS / (1 + MS) of each stretch, (n,), with MS = 1 / (MSE of density + MSE of strength at the hits).

    Free densities count as the mean of what the plan asks, so that they pull nowhere.
    """
    library, bars = stretches.library, slice(span.first_bar, span.end_bar)
    controls = controls_of_plan(span.plan)
    known = controls.density[controls.density >= 0]
    filler = known.mean() if len(known) else USUAL_DENSITY
    density = np.where(controls.density[bars] < 0, filler, controls.density[bars])
    apart = np.zeros(len(stretches))
    off = np.zeros(len(stretches))
    played = library.column("density")
    for at, (wanted, ticks) in enumerate(zip(density, controls.required[bars], strict=True)):
        rows = stretches.routes[:, at]
        apart += (played[rows] - wanted) ** 2
        for tick in np.flatnonzero(ticks):
            off += (library.strength[rows, tick] - float(ticks[tick])) ** 2
    error = (apart + off / TICKS_PER_BAR) / len(span)
    return np.asarray(error / (1.0 + error))  # 1 - MS / (1 + MS) with MS = 1 / error
