"""How loud the music is, as a curve over the film: what moves, what strikes, and the arc of the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.plan.hits.placing import Placed

PEAK = 0.75
"""Where in the film the arc is highest, as a share of its length."""
MOTION, ARC, OWN_ARC = 0.7, 0.25, 0.6
"""How far motion moves the energy from its calmest to its liveliest bar, and the arc from the opening to the peak. A
film whose motion spans everything has a shape of its own, and takes that share of the arc away."""
HIT = 0.12
"""How far the curve rises into the weightiest hit, and falls again after it."""
LOWEST, HIGHEST = 0.15, 0.85
"""The curve without wishes: a wish of half the scale still finds room above and below."""
SUDDEN = 0.2
"""A rise of the energy by this much from one bar to the next is reached at the bar line, by a crescendo before it; a
smaller one, and any fall, in the middle of the two bars."""


def energy_lines(
    level: NDArray[np.float64],
    placed: Sequence[Placed],
    wish: float,
    last_share: float = 1.0,
    mood: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """Energy at each bar line and at the end (bars + 1,), straight between them; beyond 0..1 only by the wish.

    level (bars,): how quick the picture is, 0..1. last_share: length of the last bar, in whole ones. mood (bars,): what
    the mood adds.
    """
    bars = len(level)
    planned_arc = ARC * (1.0 - OWN_ARC * float(np.ptp(level)))
    value = 0.5 + MOTION * (level - 0.5) + planned_arc * (arc(bars) - 0.65) + mood
    before, after = np.concatenate([value[:1], value]), np.concatenate([value, value[-1:]])
    lines = np.where(after - before >= SUDDEN, after, (before + after) / 2.0)
    rise = np.zeros(bars + 1)
    for each in placed:
        line = each.bar + (each.tick > TICKS_PER_BAR // 2)
        rise[line] = max(rise[line], HIT * each.moment.weight)
    if bars > 2:
        lines[-1] -= HIT * last_share  # it dies away
    return np.clip(lines + rise, LOWEST, HIGHEST) + wish


def arc(bars: int) -> NDArray[np.float64]:
    """A build to PEAK and a calmer ending (bars,), 0..1; level for very few bars."""
    if bars < 4:
        return np.full(bars, 0.65)
    place = np.linspace(0.0, 1.0, bars)
    return np.where(place <= PEAK, 0.3 + 0.7 * place / PEAK, 1.0 - 0.7 * (place - PEAK) / (1.0 - PEAK))
