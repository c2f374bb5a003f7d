"""How loud each bar is: what moves, what strikes, and the arc of the whole film."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PEAK = 0.75
"""Where in the film the arc is highest, as a share of its length."""


def energies(level: NDArray[np.float64], saliency: NDArray[np.float64], wish: float) -> list[float]:
    """Energy 0..1 of each bar. level (bars,): rank of its motion. saliency (bars,): its largest hit's, 0..1."""
    bars = len(level)
    span = min(5, bars)
    kernel = np.ones(span) / span
    padded = np.pad(level, (span // 2, span - 1 - span // 2), mode="edge")
    motion = np.convolve(padded, kernel, mode="valid")
    values = 0.5 * motion + 0.15 * saliency + 0.35 * arc(bars) + wish
    return [round(float(each), 4) for each in np.clip(values, 0.0, 1.0)]


def arc(bars: int) -> NDArray[np.float64]:
    """A build to PEAK and a calmer ending (bars,), 0..1; level for very few bars."""
    if bars < 4:
        return np.full(bars, 0.6)
    place = np.linspace(0.0, 1.0, bars)
    return np.where(place <= PEAK, 0.3 + 0.7 * place / PEAK, 1.0 - 0.7 * (place - PEAK) / (1.0 - PEAK))
