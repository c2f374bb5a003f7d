"""Windows of piano roll to train diffusion on: eight bars of a song, transposed, and what a plan would tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.data.build import PieceInfo, Shard
from hitpoint.model.data.labels import labels_of
from hitpoint.model.data.windows import Augmentation, blur, blur_labels, controls_of, piece_notes
from hitpoint.model.errors import InputError
from hitpoint.model.music.roll import PLAYERS, ROLL_BARS, Roll, roll_of
from hitpoint.model.music.tokens import Notes
from hitpoint.model.network.conditions import MAX_HIT_DISTANCE, Controls, Labels
from hitpoint.model.network.roll_conditions import Told, maps_of, told_of

TOLD = Augmentation(control=1.0, forget=0.08)
"""A plan tells nearly everything; any of it may be missing."""
ALL = Augmentation(control=1.0, forget=0.0)
"""All that can be told, for the held-out loss."""
LOWEST_STEP, HIGHEST_STEP = -5, 6
OVER_THE_END = 0.05
"""Share of windows that may reach over a song's end, as a short film's does."""


class Batch(NamedTuple):
    """rolls (n, 4, 128, 88), semantic (n, 16, 7), dynamic (n, 32, 6), maps (n, 4, 128, 88)."""

    rolls: NDArray[np.bool_]
    semantic: NDArray[np.int64]
    dynamic: NDArray[np.int64]
    maps: NDArray[np.float32]


@dataclass(frozen=True)
class Songs:
    """The pieces of one split in which nobody plays but the two of the roll."""

    shard: Shard
    pieces: tuple[PieceInfo, ...]

    @classmethod
    def of(cls, shard: Shard, split: str, dataset: str = "") -> Songs:
        """dataset: only of this one; "" for all. Raises InputError where there is no such piece."""
        found = tuple(each for each in shard.pieces if each.split == split and set(each.instruments) <= set(PLAYERS)
                      and dataset in ("", each.dataset) and each.bars >= ROLL_BARS)  # fmt: skip
        if not found:
            raise InputError(f"these shards hold no {split} piece of piano and strings alone; build some of such music")
        return cls(shard, found)

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Random windows, songs by their length."""
        sizes = np.array([piece.bars for piece in self.pieces], float)
        chosen = rng.choice(len(self.pieces), count, p=sizes / sizes.sum())
        return batch_of([self._drawn(self.pieces[number], rng) for number in chosen])

    def _drawn(self, piece: PieceInfo, rng: np.random.Generator) -> tuple[Roll, Told]:
        last = piece.bars - (1 if rng.random() < OVER_THE_END else ROLL_BARS)
        return self.window(piece, int(rng.integers(last + 1)), int(rng.integers(LOWEST_STEP, HIGHEST_STEP + 1)), TOLD,
                           rng)  # fmt: skip

    def window(
        self, piece: PieceInfo, first_bar: int, steps: int, told: Augmentation, rng: np.random.Generator
    ) -> tuple[Roll, Told]:  # fmt: skip
        """Eight bars of a piece, transposed by so many semitones."""
        notes = piece_notes(self.shard, piece)
        notes = notes._replace(pitch=notes.pitch + np.int16(steps))
        return roll_of(notes, first_bar), self.told(piece, notes, first_bar, steps, told, rng)

    def told(
        self, piece: PieceInfo, notes: Notes, first_bar: int, steps: int, how: Augmentation, rng: np.random.Generator
    ) -> Told:  # fmt: skip
        """What a plan might tell of the window that begins with first_bar. notes: of the whole piece, transposed."""
        rows = self.shard.labels_of(piece)
        labels = Labels.unknown(piece.bars) if rows is None else labels_of(rows, steps)
        known = controls_of(notes, piece.bars, piece.flat)
        near = slice(first_bar, first_bar + ROLL_BARS + MAX_HIT_DISTANCE + 1)
        controls = Controls(known.density[near], known.energy[near], known.required[near])
        starts = None if labels.starts is None else labels.starts[near]
        labels = Labels(labels.chords[near], labels.mode[near], labels.affect[near], starts)
        return told_of(blur(controls, how, rng), blur_labels(labels, how, rng)).window(0)

    def sweep(self, count: int, seed: int = 0) -> Iterator[tuple[Roll, Told]]:
        """The same `count` windows every time, spread over the songs, with everything told."""
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(self.pieces))
        for number in range(count):
            piece = self.pieces[order[number % len(order)]]
            yield self.window(piece, int(rng.integers(piece.bars - ROLL_BARS + 1)), 0, ALL, rng)


def batch_of(windows: list[tuple[Roll, Told]]) -> Batch:
    """Windows side by side."""
    told = [each for _, each in windows]
    semantic, dynamic = np.stack([each.semantic for each in told]), np.stack([each.dynamic for each in told])
    return Batch(np.stack([roll for roll, _ in windows]), semantic, dynamic, np.stack([maps_of(each) for each in told]))
