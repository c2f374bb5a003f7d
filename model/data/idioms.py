"""Where in the bar each genre plays: makes `model/compose/cmt/idiom_table.py` from a shard folder.

    python -m hitpoint.model.data.idioms SHARD > idiom_table.py

Counted over the training split, each piece once, whatever its length. A number is how much likelier something is in the
genre than in the mean of all of them, in tenths of a nat (log odds, or log shares for the drums).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.data.build import Shard, load
from hitpoint.model.data.windows import piece_notes
from hitpoint.model.music.score import DRUM_KINDS, GENRES, INSTRUMENTS, KIT_GENRES, TICKS_PER_BAR

FLOOR = 0.02
"""Added to every share: what is rare everywhere tells no genre."""
MOST = 25
"""Tenths of a nat, at the most."""

Grid = NDArray[np.bool_]
Counts = NDArray[np.float64]
"""(1 + instruments + drum kinds, 16): how often any instrument, each instrument, each kind of drum strikes."""


def counted(shard: Shard) -> Iterator[tuple[str, Counts, Counts]]:
    """Genre, and of every training piece of a known genre how often each row of the table could strike and did.

    An instrument could where any does in a bar in which it plays, a drum where the kit strikes; any in every bar.
    """
    for piece in shard.pieces:
        if piece.split != "train" or piece.genre not in GENRES or len(piece.instruments) < 3:
            continue
        notes = piece_notes(shard, piece)
        grid: Grid = np.zeros((piece.bars, TICKS_PER_BAR, len(INSTRUMENTS)), bool)
        grid[notes.bar, notes.tick, notes.instrument] = True
        kinds = np.zeros((piece.bars, TICKS_PER_BAR, len(DRUM_KINDS)), bool)
        for number, keys in enumerate(DRUM_KINDS.values()):
            mine = (notes.instrument == 0) & np.isin(notes.pitch, keys)
            kinds[notes.bar[mine], notes.tick[mine], number] = True
        sounds = grid.any(axis=(1, 2))
        struck: Grid = np.asarray(grid.any(axis=2))
        could = [np.repeat(sounds.sum(), TICKS_PER_BAR)]
        could += [struck[grid[..., k].any(axis=1)].sum(axis=0) for k in range(len(INSTRUMENTS))]
        could += [grid[..., 0].sum(axis=0)] * len(DRUM_KINDS)
        did = [struck.sum(axis=0), *grid.sum(axis=0).T, *kinds.sum(axis=0).T]
        yield str(piece.genre), np.array(could) / piece.bars, np.array(did) / piece.bars


def rows_of(pieces: Iterable[tuple[str, Counts, Counts]]) -> dict[str, NDArray[np.int64]]:
    """By genre the rows of the table, tenths of a nat. Genres with a kit are held against each other alone."""
    sums: dict[str, list[Counts]] = {}
    for genre, could, did in pieces:
        sums.setdefault(genre, [np.zeros_like(could), np.zeros_like(did)])
        sums[genre][0] += could
        sums[genre][1] += did
    odds = {}
    for genre, (could, did) in sums.items():
        share = np.clip(did / np.maximum(could, 1e-9), 0.0, 1.0) * (1 - 2 * FLOOR) + FLOOR
        logit = np.log(share) - np.log(1.0 - share)
        logit[1 + len(INSTRUMENTS) :] = np.log(share[1 + len(INSTRUMENTS) :])
        odds[genre] = logit
    mean = np.mean([odds[genre] for genre in odds if genre in KIT_GENRES], axis=0)
    found = {genre: np.rint(np.clip(10 * (each - mean), -MOST, MOST)).astype(np.int64) for genre, each in odds.items()}
    return {genre: found[genre] for genre in GENRES if genre in found and genre in KIT_GENRES}


def module(rows: dict[str, NDArray[np.int64]]) -> str:
    """The text of `idiom_table.py`."""
    lines = [
        '"""Where in the bar each genre plays: how much likelier a stroke is there than in the mean of the genres.',
        "",
    ]
    lines += ["Made by `hitpoint.model.data.idioms`, which says how. Tenths of a nat, by tick.", '"""', ""]
    names = ["any", *INSTRUMENTS, *DRUM_KINDS]
    lines += ["from __future__ import annotations", "", f"ROWS = {tuple(names)}".replace("'", '"')]
    lines += ['"""Of each genre: any instrument, each instrument, each kind of drum."""', ""]
    lines += ["IDIOMS: dict[str, tuple[tuple[int, ...], ...]] = {"]
    for genre, each in rows.items():
        lines += [f'    "{genre}": (', *(f"        {tuple(row.tolist())}," for row in each), "    ),"]
    return "\n".join([*lines, "}"])


if __name__ == "__main__":
    print(module(rows_of(counted(load(Path(sys.argv[1]))))))
