"""Motion -> how busy each bar is, by matching percentiles (Di et al. 2021): those of the film's bars against those of
the bars of all training music of the genre."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import BEATS_PER_BAR, KIT_GENRES, TICKS_PER_BAR
from hitpoint.model.plan.density.table import ENSEMBLE_DENSITIES, GENRE_DENSITIES, PERCENTILES

ONSETS_PER_S = 12.0
"""No bar asks for more onsets a second than this: beyond it a pattern is a blur."""
ENDING_DENSITY = 8
"""The last bar is no busier than this, so that it can come to rest."""
STILL_MOTION = 0.01
"""Mean motion (frame widths a second) below which a film counts as still."""
CALM_LEVEL = 0.1
"""The level of a film without motion."""
REST_MOTION = 0.004
"""Motion below this is told from rest by nobody: grain, and the noise of measuring."""
SAME_RATIO, FULL_RATIO = 1.25, 20.0
"""Motion that varies by less than the first ratio is of one speed; by the second or more, it spans all densities."""
OPENING = 0.7
"""Exponent of the contrast between these: a threefold difference of speed gets over half of the range."""
SMALLEST_WITHOUT_KIT = 3
"""The row of a genre without a kit is that of pieces of so many instruments and more."""
ENERGY_DENSITY = 7.0
"""Onset ticks a bar that a wish for one unit of energy adds: more of it is louder and busier, as bands play it."""


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


def bar_speeds(
    times_s: NDArray[np.float64], motion: NDArray[np.float32], lines_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How quick each bar is (bars,), in the unit of `motion` (n,): the geometric mean of its four beats, so that a bar
    of which a quarter is quick is a slow bar. times_s, lines_s: as `bar_means` takes them.
    """
    bars = len(lines_s) - 1
    beats = np.interp(np.arange(bars * BEATS_PER_BAR + 1) / BEATS_PER_BAR, np.arange(bars + 1), lines_s)
    speeds = np.maximum(bar_means(times_s, motion, beats), REST_MOTION).reshape(bars, BEATS_PER_BAR)
    return np.asarray(np.exp(np.log(speeds).mean(axis=1)))


def levels(motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """How quick each bar is for this film, 0..1 (bars,): half by its rank, half by its speed on a logarithmic scale.
    Speeds within SAME_RATIO are hardly told apart in rank: chance would order them.

    The film's own contrast decides how far they are spread: a film of one speed stays level, low if it is still.
    """
    speed = np.log(np.maximum(_without_spikes(motion), REST_MOTION))
    low, high = np.percentile(speed, [5.0, 95.0])
    opened = (high - low - np.log(SAME_RATIO)) / np.log(FULL_RATIO / SAME_RATIO)
    contrast = float(np.clip(opened, 0.0, 1.0)) ** OPENING
    middle = CALM_LEVEL + (0.5 - CALM_LEVEL) * min(
        1.0, float(np.maximum(motion - REST_MOTION, 0.0).mean()) / STILL_MOTION
    )
    middle += contrast * (0.5 - middle)
    if contrast == 0.0:
        return np.asarray(np.full(len(motion), middle))
    quicker = np.clip((speed[:, None] - speed[None]) / np.log(SAME_RATIO), -1.0, 1.0)
    ranks = quicker.mean(axis=1)
    ranks = (ranks - ranks.min()) / np.ptp(ranks)
    shape = (ranks + np.clip((speed - low) / (high - low), 0.0, 1.0)) / 2.0
    return np.asarray(np.clip(middle + (shape - 0.5) * contrast, 0.0, 1.0))


def _without_spikes(motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each bar and its neighbours: a single odd bar goes, a step stays a step."""
    padded = np.concatenate([motion[:1], motion, motion[-1:]])
    return np.asarray(np.median([padded[:-2], padded[1:-1], padded[2:]], axis=0))


def densities(
    level: NDArray[np.float64],
    genre: str,
    instruments: tuple[int, ...],
    offset: int,
    energy: float,
    bar_s: NDArray[np.float64],
    ticks: Sequence[int] | None = None,
    mood: NDArray[np.float64] | float = 0.0,
) -> list[int]:
    """Density 1..16 of each bar. level (bars,): 0..1. offset: the wish. energy: that for more or less of it. bar_s
    (bars,): seconds a bar. ticks (bars,): sixteenths of each, a short bar has the fewer onsets; None: 16 throughout.
    mood (bars,): what the mood adds to the energy; a calm one stays within the range of the genre's bars.
    """
    seen = np.array([_typical(float(each), genre, instruments) for each in level])
    wanted = np.maximum(seen + ENERGY_DENSITY * mood, _typical(0.0, genre, instruments))
    wanted += offset + ENERGY_DENSITY * energy
    length = np.array([TICKS_PER_BAR] * len(level) if ticks is None else ticks)
    wanted *= length / TICKS_PER_BAR
    playable = np.floor(bar_s * ONSETS_PER_S)
    result = np.clip(np.rint(wanted), 1, np.clip(playable, 1, length)).astype(int)
    if len(result) > 1:
        result[-1] = min(result[-1], max(1, ENDING_DENSITY + offset), result[-2])
    return [int(each) for each in result]


def _typical(level: float, genre: str, instruments: tuple[int, ...]) -> float:
    """The density at `level` of the bars of this genre and these instruments."""
    density = _between(GENRE_DENSITIES[genre], level)
    players = tuple(sorted(set(instruments)))
    ensemble = ENSEMBLE_DENSITIES.get(players)
    if ensemble is None or (genre not in KIT_GENRES and len(players) >= SMALLEST_WITHOUT_KIT):
        return density
    if genre not in KIT_GENRES:
        return _between(ensemble, level)
    over_genres = float(np.mean([_between(GENRE_DENSITIES[each], level) for each in KIT_GENRES]))
    return _between(ensemble, level) + 0.5 * (density - over_genres)


def _between(row: tuple[float, ...], level: float) -> float:
    """From the 5th percentile (level 0) to the 95th (1): half by percentile, as Di et al. match them, half straight,
    for of some music most bars are full, and a film of middling speed would ask for nothing else.
    """
    percentile = float(np.interp(5.0 + 90.0 * level, PERCENTILES, row))
    low, high = float(np.interp(5.0, PERCENTILES, row)), float(np.interp(95.0, PERCENTILES, row))
    return (percentile + low + level * (high - low)) / 2.0
