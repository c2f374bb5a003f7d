"""How busy bars of real music are: makes `model/plan/density/table.py` from a shard folder.

    hitpoint data build band real5 pop909_5 scores -o SHARD \\
        --exclude nottingham --exclude openmsx --exclude debian_games
    python -m hitpoint.model.data.densities SHARD > density_table.py

Percentiles over all bars of the training split that sound, as in Di et al. 2021, each bar once. A bar's density is the
number of its 16 ticks with an onset on any of its instruments.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.data.build import Shard, load
from hitpoint.model.data.windows import piece_notes
from hitpoint.model.music.score import GENRES, INSTRUMENTS, KIT_GENRES, TICKS_PER_BAR

PERCENTILES = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
BAND = 4
"""A genre's own rows come from pieces of so many instruments or more; without a kit one fewer does."""

Grid = NDArray[np.bool_]
"""(bars, 16, 5): whether an instrument has an onset on that tick of that bar."""


def grids(shard: Shard) -> Iterator[tuple[str, Grid]]:
    """Genre and onsets of every training piece of a known genre."""
    for piece in shard.pieces:
        if piece.split == "train" and piece.genre in GENRES:
            notes = piece_notes(shard, piece)
            grid = np.zeros((piece.bars, TICKS_PER_BAR, len(INSTRUMENTS)), bool)
            grid[notes.bar, notes.tick, notes.instrument] = True
            yield str(piece.genre), grid


def row(counts: NDArray[np.int64]) -> tuple[float, ...]:
    """The percentiles of the bars that sound. counts (17,): how many bars have each density."""
    reached = np.cumsum(counts[1:]) / max(1, counts[1:].sum())
    places = np.concatenate([[0.0], reached])
    # Densities are whole numbers: within one of them a percentile lies between it and its neighbour.
    edges = np.arange(len(places)) + 0.5
    found = np.interp(np.array(PERCENTILES) / 100.0, places, edges)
    return tuple(round(float(np.clip(each, 1.0, TICKS_PER_BAR)), 1) for each in found)


def tables(
    pieces: Iterable[tuple[str, Grid]],
) -> tuple[dict[str, tuple[float, ...]], dict[tuple[int, ...], tuple[float, ...]]]:
    """Rows by genre, and rows of single instruments and of all companies without drums, over all genres."""
    ensembles: list[tuple[int, ...]] = [(0,)]
    for size in range(1, len(INSTRUMENTS)):
        ensembles += itertools.combinations(range(1, len(INSTRUMENTS)), size)
    by_genre = {genre: np.zeros(TICKS_PER_BAR + 1, np.int64) for genre in GENRES}
    by_ensemble = {each: np.zeros(TICKS_PER_BAR + 1, np.int64) for each in ensembles}
    for genre, grid in pieces:
        if grid.any(axis=(0, 1)).sum() >= BAND - (genre not in KIT_GENRES):
            by_genre[genre] += _counts(grid)
        for ensemble in ensembles if genre in KIT_GENRES else ():
            by_ensemble[ensemble] += _counts(grid[..., list(ensemble)])
    return {genre: row(each) for genre, each in by_genre.items()}, {key: row(each) for key, each in by_ensemble.items()}


def _counts(grid: Grid) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.bincount(grid.any(axis=2).sum(axis=1), minlength=TICKS_PER_BAR + 1)
    return counts


def module(genres: dict[str, tuple[float, ...]], ensembles: dict[tuple[int, ...], tuple[float, ...]]) -> str:
    """The text of `density_table.py`."""
    lines = ['"""How busy bars of real music are: percentiles over all bars of the training split that sound.', ""]
    lines += [
        "Made by `hitpoint.model.data.densities` from the band, real5, pop909_5 and scores archives (sources that may"
    ]
    lines += ["not shape shipped weights left out); a bar's density is the number of its 16 ticks with an onset."]
    lines += ['"""', ""]
    lines += ["from __future__ import annotations", "", f"PERCENTILES = {PERCENTILES}", '"""Of each row."""', ""]
    lines += ["GENRE_DENSITIES: dict[str, tuple[float, ...]] = {"]
    lines += [f'    "{genre}": {values},' for genre, values in genres.items()]
    lines += ["}", '"""Pieces of four or five instruments; orchestral ones of three or more."""', ""]
    lines += ["ENSEMBLE_DENSITIES: dict[tuple[int, ...], tuple[float, ...]] = {"]
    lines += [f"    {ensemble}: {values}," for ensemble, values in ensembles.items()]
    lines += ["}", '"""The named instruments alone (indices into INSTRUMENTS), over all genres that have a kit.', ""]
    lines += ["Drums with company are not here: they are about as busy as all five.", '"""']
    return "\n".join(lines)


if __name__ == "__main__":
    print(module(*tables(grids(load(Path(sys.argv[1]))))))
