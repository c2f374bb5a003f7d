"""What shot a stretch of music would cast, in the eight figures by which stretches of film are told apart.

Figures count as ranks among those of the same film, or the same song: so the two meet without ever having been paired.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.data.windows import controls_of
from hitpoint.model.mood.looks import LOOKS
from hitpoint.model.music.tokens import Notes

CASTS = (
    *("density", "change of density", "accents", "length", "valence", "valence", "density and loudness"),
    "range of loudness",
)
"""What stands for each in music."""
ACCENT = 3
"""Notes of a chord that is one."""

Table = NDArray[np.float64]


def virtual_looks(notes: Notes, bars: int, spans: NDArray[np.int64], valence: Table, bar_s: float) -> Table:
    """(n, 8): the figures that segments of a song cast, not yet ranked. spans (n, 2): first bar and end of each.

    valence (bars,): -1..1. bar_s: seconds a bar.
    """
    controls = controls_of(notes, bars)
    density = controls.density.astype(np.float64)
    accents = (controls.required >= ACCENT).sum(axis=1)
    counts = np.bincount(notes.bar, minlength=bars)
    loud = np.bincount(notes.bar, weights=notes.velocity, minlength=bars) / np.maximum(counts, 1)
    rows = []
    for first, end in spans.tolist():
        own = slice(first, end)
        inside = notes.velocity[(notes.bar >= first) & (notes.bar < end)]
        low, high = np.percentile(inside, (5, 95)) if len(inside) else (0.0, 0.0)
        rows.append([
            *(density[own].mean(), density[own].std(), accents[own].mean(), (end - first) * bar_s),
            *(valence[own].mean(), valence[own].mean(), density[own].mean() / 16 + loud[own].mean() / 127, high - low),
        ])  # fmt: skip
    return np.array(rows, np.float64).reshape(-1, len(LOOKS))


def ranked(figures: Table) -> Table:
    """(n, 8): mean ranks of each column among its own, 0..1; .5 where there is one alone, or all are the same."""
    count = len(figures)
    if count < 2:
        return np.full(figures.shape, 0.5)
    below = (figures[:, None] > figures[None]).sum(axis=1)
    same = (figures[:, None] == figures[None]).sum(axis=1) - 1
    return np.asarray((below + same / 2) / (count - 1))
