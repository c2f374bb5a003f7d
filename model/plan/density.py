"""Motion -> how busy each bar is, by matching percentiles (Di et al. 2021): those of the film's bars against those of
the bars of a typical piece."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.plan.density_table import ENSEMBLE_DENSITIES, GENRE_DENSITIES

ONSETS_PER_S = 12.0
"""No bar asks for more onsets a second than this: beyond it a pattern is a blur."""
ENDING_DENSITY = 8
"""The last bar is no busier than this, so that it can come to rest."""
STILL_MOTION = 0.01
"""Mean motion (frame widths a second) below which a film counts as still."""
CALM_LEVEL = 0.1
"""The level of a film without motion."""
LEVEL_SPREAD = 0.3
"""Bars whose motion varies by this share of its mean, or more, are spread as far as those of a piece."""


def bar_means(
    times_s: NDArray[np.float64], values: NDArray[np.float32], lines_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean of `values` (n,) at `times_s` (n,) within each bar; lines_s (bars + 1,). A bar without a frame takes the
    value of the frame nearest to its middle; without any frame all are 0.
    """
    bars = len(lines_s) - 1
    if len(times_s) == 0:
        return np.zeros(bars)
    clean = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    bar = np.searchsorted(lines_s, times_s, side="right") - 1
    inside = (bar >= 0) & (bar < bars)
    sums = np.bincount(bar[inside], clean[inside], minlength=bars)
    counts = np.bincount(bar[inside], minlength=bars)
    middles = (lines_s[:-1] + lines_s[1:]) / 2
    nearest = np.clip(np.searchsorted(times_s, middles), 0, len(times_s) - 1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), clean[nearest])


def levels(motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rank of each bar's motion within the film, 0..1 (bars,): ties share a rank.

    Ranks of a film that hardly varies are drawn together, and those of a still film lie low: noise is no drama.
    """
    bars = len(motion)
    order = np.sort(motion)
    ranks = (np.searchsorted(order, motion, "left") + np.searchsorted(order, motion, "right")) / (2.0 * bars)
    mean = float(motion.mean())
    if mean <= 0.0:
        return np.full(bars, CALM_LEVEL)
    spread = min(1.0, float(motion.std()) / mean / LEVEL_SPREAD)
    middle = CALM_LEVEL + (0.5 - CALM_LEVEL) * min(1.0, mean / STILL_MOTION)
    return np.clip(middle + (ranks - 0.5) * spread, 0.0, 1.0)


def smooth(values: NDArray[np.float64], groups: Sequence[int]) -> NDArray[np.float64]:
    """Each value mixed with its neighbours (1 2 1) where they are of the same group (one integer a bar)."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    group = np.asarray(groups)
    same = group[1:] == group[:-1]
    before = np.where(np.concatenate([[False], same]), padded[:-2], values)
    after = np.where(np.concatenate([same, [False]]), padded[2:], values)
    return (before + 2.0 * values + after) / 4.0


def densities(
    level: NDArray[np.float64], genre: str, instruments: tuple[int, ...], offset: int, bar_s: NDArray[np.float64]
) -> list[int]:
    """Density 1..16 of each bar. level (bars,): 0..1. offset: the user's wish. bar_s (bars,): seconds a bar."""
    wanted = np.array([_typical(float(each), genre, instruments) for each in level]) + offset
    playable = np.floor(bar_s * ONSETS_PER_S)
    result = np.clip(np.rint(wanted), 1, np.clip(playable, 1, TICKS_PER_BAR)).astype(int)
    if len(result) > 1:
        result[-1] = min(result[-1], max(1, ENDING_DENSITY + offset), result[-2])
    return [int(each) for each in result]


def _typical(level: float, genre: str, instruments: tuple[int, ...]) -> float:
    """The density that a share `level` of a piece's bars, of this genre and these instruments, stay below."""
    density = _percentile(GENRE_DENSITIES[genre], level)
    ensemble = ENSEMBLE_DENSITIES.get(tuple(sorted(set(instruments))))
    if ensemble is None:
        return density
    over_genres = float(np.mean([_percentile(each, level) for each in GENRE_DENSITIES.values()]))
    return _percentile(ensemble, level) + 0.5 * (density - over_genres)


def _percentile(densities: tuple[float, ...], level: float) -> float:
    return float(np.interp(level, np.linspace(0.0, 1.0, len(densities)), densities))
