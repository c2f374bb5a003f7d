"""How busy and loud are bars of songs, known from how stirred and tense they are? Rule, network, the piece's mean.

    python tests/bench/bench_dynamics.py SHARDS [--sets real5 pop909_5] [--passes N]

Held-out pieces whose velocities are not flat. Told of each bar: the class of arousal averaged over four bars, that of
tension, place in the piece, bars to its end and to the next section, genre, tempo, who plays. Asked for: onset ticks
and mean velocity. Rows: the piece's own mean (which nobody knows beforehand) and the mean of its genre; the planner's
rule (density by the percentile of the genre, loudness by 60 velocities a unit of energy, moved to the mean of the
training songs); a linear map; a recurrent network both ways, 2 x 64, trained here; and the same with another piece's
arousal and tension. RMSE over bars, with the 95% bootstrap interval over pieces; the last column is the velocity with
each piece's own level taken out on both sides, for how loud a recording is on the whole nobody can know.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hitpoint.model.data.build import PieceInfo, Shard, load
from hitpoint.model.data.windows import piece_notes
from hitpoint.model.music.score import GENRES, INSTRUMENTS, KIT_GENRES, TICKS_PER_BAR
from hitpoint.model.plan.arrangement.dynamics import LOUDNESS_RANGE
from hitpoint.model.plan.density.densities import densities
from hitpoint.model.plan.density.energy import MOTION
from hitpoint.model.plan.mood import AROUSAL_ENERGY

WINDOW = 4
FAR = 16
OUTPUTS = ("density", "velocity")
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Song:
    """told (bars, columns); feelings (bars, 2): arousal and tension, 0..1; true (bars, 2): OUTPUTS; genre."""

    told: Values
    feelings: Values
    true: Values
    genre: str
    instruments: tuple[int, ...]
    split: str


def song_of(shard: Shard, piece: PieceInfo) -> Song | None:
    """A piece as it is told and asked for; None where there is too little of it."""
    notes, labels = piece_notes(shard, piece), shard.labels_of(piece)
    onsets = np.unique(notes.bar.astype(np.int64) * TICKS_PER_BAR + notes.tick) // TICKS_PER_BAR
    density = np.bincount(onsets, minlength=piece.bars)[: piece.bars].astype(float)
    counts = np.bincount(notes.bar, minlength=piece.bars)[: piece.bars]
    loud = np.bincount(notes.bar, weights=notes.velocity, minlength=piece.bars)[: piece.bars] / np.maximum(counts, 1)
    inside = np.flatnonzero(counts)
    if len(inside) < 2 * WINDOW or not labels[:, 6].any():
        return None
    arousal = _averaged((labels[:, 6].astype(float) - 0.5) / 8)
    tension = np.where(labels[:, 7] > 0, (labels[:, 7] - 0.5) / 8, 0.5)
    feelings = np.stack([arousal, tension], axis=1)
    return Song(
        np.concatenate([feelings, _place(labels[:, 8] == 2, piece)], axis=1)[inside], feelings[inside],
        np.stack([density, loud], axis=1)[inside], piece.genre or "pop", tuple(piece.instruments), piece.split,
    )  # fmt: skip


def _averaged(values: Values) -> Values:
    """Over WINDOW bars, fewer at the ends."""
    return np.array([values[max(0, bar - WINDOW // 2) : bar + WINDOW // 2].mean() for bar in range(len(values))])


def _place(starts: NDArray[np.bool_], piece: PieceInfo) -> Values:
    bar = np.arange(piece.bars)
    sections = np.append(np.flatnonzero(starts), piece.bars)
    to_next = sections[np.minimum(np.searchsorted(sections, bar, "right"), len(sections) - 1)] - bar
    genre = np.eye(len(GENRES))[GENRES.index(piece.genre or "pop")]
    players = [float(k in piece.instruments) for k in range(len(INSTRUMENTS))]
    known = np.concatenate([genre, players, [np.log2(piece.tempo_bpm / 120)]])
    columns = [starts, bar / piece.bars, np.minimum(piece.bars - bar, FAR) / FAR, np.minimum(to_next, FAR) / FAR]
    return np.concatenate([np.stack(columns, axis=1), np.tile(known, (piece.bars, 1))], axis=1).astype(float)


def ruled(song: Song, loud: float) -> Values:
    """The planner's rule, fed the songs' arousal as the level. loud: velocity of a bar of middling energy."""
    arousal = song.feelings[:, 0]
    players = tuple(range(5)) if song.genre in KIT_GENRES else song.instruments
    energy = AROUSAL_ENERGY * (2 * arousal - 1)
    found = densities(arousal, song.genre, players, 0, 0.0, np.full(len(arousal), 2.0), mood=energy)
    return np.stack([np.array(found, float), loud + LOUDNESS_RANGE * (MOTION * (arousal - 0.5) + energy)], axis=1)


def fitted(train: Sequence[Song], passes: int) -> Callable[[Song], Values]:
    """A network both ways over bars, by Adam on the squared error of the standardised outputs."""
    torch.manual_seed(0)
    both = np.concatenate([song.true for song in train])
    mean, spread = both.mean(axis=0), both.std(axis=0)
    gru = nn.GRU(train[0].told.shape[1], 64, 2, batch_first=True, bidirectional=True)
    head = nn.Linear(128, 2)
    optimiser = torch.optim.Adam([*gru.parameters(), *head.parameters()], 2e-3)
    order = np.random.default_rng(0)

    def guess(told: Values) -> torch.Tensor:
        out: torch.Tensor = head(gru(torch.from_numpy(told[None]).float())[0])[0]
        return out

    for _ in range(passes):
        for number in order.permutation(len(train)):
            song = train[number]
            loss = (guess(song.told) - torch.from_numpy((song.true - mean) / spread).float()).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    def guessed(song: Song) -> Values:
        with torch.no_grad():
            return guess(song.told).double().numpy() * spread + mean

    return guessed


def linear(train: Sequence[Song]) -> Callable[[Song], Values]:
    """A ridge regression of the same columns."""
    x = np.concatenate([np.column_stack([song.told, np.ones(len(song.told))]) for song in train])
    y = np.concatenate([song.true for song in train])
    weights = np.linalg.solve(x.T @ x + 1.0 * np.eye(x.shape[1]), x.T @ y)
    return lambda song: np.column_stack([song.told, np.ones(len(song.told))]) @ weights


def swapped(test: Sequence[Song]) -> dict[int, Song]:
    """Each song, by its id, with the feelings of the next."""
    found = {}
    for song, other in zip(test, [*test[1:], test[0]], strict=True):
        told = song.told.copy()
        told[:, :2] = other.feelings[np.arange(len(told)) % len(other.feelings)]
        found[id(song)] = Song(told, told[:, :2], song.true, song.genre, song.instruments, song.split)
    return found


def main() -> None:
    """As the page's head says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--sets", nargs="+", default=["real5", "pop909_5"])
    parser.add_argument("--passes", type=int, default=8)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    shard = load(asked.shards)
    read = [song_of(shard, piece) for piece in shard.pieces if piece.dataset in asked.sets and not piece.flat]
    songs = [song for song in read if song is not None]
    train, test = ([song for song in songs if song.split == name] for name in ("train", "test"))
    means = {genre: np.concatenate([s.true for s in train if s.genre == genre] or [s.true for s in train]).mean(axis=0)
             for genre in GENRES}  # fmt: skip
    loud = float(np.mean(np.concatenate([song.true[:, 1] for song in train])))
    network, others = fitted(train, asked.passes), swapped(test)
    rows: dict[str, Callable[[Song], Values]] = {
        "the piece's mean": lambda song: np.tile(song.true.mean(axis=0), (len(song.true), 1)),
        "the genre's mean": lambda song: np.tile(means[song.genre], (len(song.true), 1)),
        "rule": lambda song: ruled(song, loud),
        "linear map": linear(train),
        "network": network,
        "network, another's feelings": lambda song: network(others[id(song)]),
    }
    print(f"{len(train)} training songs, {len(test)} test songs; RMSE of {' and '.join(OUTPUTS)} of a bar, level aside")
    for name, guess in rows.items():
        apart = [guess(song) - song.true for song in test]
        squares = [np.square(np.column_stack([each, each[:, 1] - each[:, 1].mean()])) for each in apart]
        draws = np.random.default_rng(0).integers(0, len(test), (200, len(test)))
        again = [np.sqrt(np.concatenate([squares[k] for k in draw]).mean(axis=0)) for draw in draws]
        low, high = np.percentile(again, [2.5, 97.5], axis=0)
        found = np.sqrt(np.concatenate(squares).mean(axis=0))
        cells = [f"{value:7.2f} [{a:.2f}, {b:.2f}]" for value, a, b in zip(found, low, high, strict=True)]
        print(f"{name:30}" + "  ".join(cells))


if __name__ == "__main__":
    sys.exit(main())
