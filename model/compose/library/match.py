"""Retrieval: the stretch of real music that fits a plan best (Di et al. 2021, eq. 16).

It stands in for the composer, with a user's own library, and is the quality ceiling to be measured against.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.base import Composer, ComposerOptions, Stats
from hitpoint.model.data.build import PieceInfo, Shard, load, read_folders
from hitpoint.model.data.windows import controls_of, piece_notes
from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.music import tokens
from hitpoint.model.music.score import Bar
from hitpoint.model.network.conditions import controls_of_plan
from hitpoint.model.plan.types import Plan

EPSILON = 1e-6


def matching_scores(
    density: NDArray[np.float64], strength: NDArray[np.float64], wanted_density: NDArray[np.float64],
    wanted_strength: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """MS of every stretch of a piece (Di et al. 2021, eq. 16): 1 / (MSE of density + MSE of strength at the hits).

    density (B,), strength (B, 16) of the piece; wanted (b,), (b, 16) of the plan, b <= B. Returns (B - b + 1,).
    """
    bars = len(wanted_density)
    stretches = np.lib.stride_tricks.sliding_window_view(density, bars)
    apart = ((stretches - wanted_density) ** 2).mean(axis=1)
    played = np.lib.stride_tricks.sliding_window_view(strength, bars, axis=0).transpose(0, 2, 1)
    off = ((np.where(wanted_strength > 0, played, 0) - wanted_strength) ** 2).mean(axis=(1, 2))
    result: NDArray[np.float64] = 1.0 / (apart + off + EPSILON)
    return result


class Match(NamedTuple):
    """The stretch of a piece that fits best: from `first_bar` on, with its matching score."""

    score: float
    piece: PieceInfo
    first_bar: int


def matches(plan: Plan, shard: Shard, pieces: Sequence[PieceInfo]) -> list[Match]:
    """The best stretch of every piece that is long enough, the best first.

    Free densities count as the mean of what the plan asks, so that they pull nowhere.
    """
    controls = controls_of_plan(plan)
    asked = controls.density[controls.density >= 0]
    filler = asked.mean() if len(asked) else 8.0
    density = np.where(controls.density < 0, filler, controls.density).astype(float)
    strength = controls.required.astype(float)
    found = []
    for piece in pieces:
        if piece.bars >= len(plan.bars):
            heard = controls_of(piece_notes(shard, piece), piece.bars)
            scores = matching_scores(heard.density.astype(float), heard.required.astype(float), density, strength)
            found.append(Match(float(scores.max()), piece, int(scores.argmax())))
    return sorted(found, key=lambda match: -match.score)


def best_match(plan: Plan, shard: Shard, pieces: Sequence[PieceInfo]) -> list[Bar]:
    """The bars of the best stretch, instruments of the plan alone; empty when no piece is long enough."""
    found = matches(plan, shard, pieces)
    return stretch(shard, found[0].piece, found[0].first_bar, len(plan.bars), plan.instruments) if found else []


def stretch(
    shard: Shard, piece: PieceInfo, first_bar: int, bars: int, instruments: Sequence[int] | None = None
) -> list[Bar]:
    """Bars first_bar.. of a piece, counted from 0 again; of all instruments, or of some."""
    notes = piece_notes(shard, piece)
    inside = (notes.bar >= first_bar) & (notes.bar < first_bar + bars)
    if instruments is not None:
        inside &= np.isin(notes.instrument, instruments)
    chosen = notes.where(inside)
    chosen = chosen._replace(bar=chosen.bar - first_bar)
    return tokens.decode(tokens.encode(chosen, bars, end=False).rows)


class MatchComposer(Composer):
    """Bars of a library's music instead of new ones."""

    key = name = "match"
    uses_library = own_chords = True

    def __init__(self, library: Shard) -> None:
        super().__init__()
        self.library = library
        self.sha256 = hashlib.sha256(library.notes.tobytes()).hexdigest()

    @classmethod
    def create(cls, options: ComposerOptions) -> MatchComposer:
        """As `load`. Raises UsageError where no library is named."""
        if options.library is None:
            raise UsageError("the composer match needs a library: name a folder of MIDI files or of shards")
        return cls.load(options.library)

    @classmethod
    def load(cls, folder: Path) -> MatchComposer:
        """Read a folder of MIDI files, or a shard folder. Raises InputError when nothing in it can be used."""
        return cls(read_library(folder))

    def stream(self, plan: Plan, seed: int, history: Sequence[Bar] = ()) -> Iterator[Bar]:
        """The bars of the best piece from bar len(history) on; each higher seed takes the next best piece.

        Raises InputError when no piece is long enough.
        """
        began = time.perf_counter()
        bars = self._bars(plan, self._matches(plan), seed)
        self.stats = Stats(seconds=time.perf_counter() - began)
        yield from bars[len(history) :]

    def takes(self, plan: Plan, seeds: Sequence[int], on_bar: Callable[[Bar], None] | None = None) -> list[list[Bar]]:
        """The pieces of `stream`, one for each seed; `on_bar` is called with each bar."""
        began = time.perf_counter()
        found = self._matches(plan)
        takes = [self._bars(plan, found, seed) for seed in seeds]
        self.stats = Stats(seconds=time.perf_counter() - began)
        if on_bar is not None:
            for bar in itertools.chain(*takes):
                on_bar(bar)
        return takes

    def _matches(self, plan: Plan) -> list[Match]:
        found = matches(plan, self.library, self.library.pieces)
        if not found:
            longest = max(piece.bars for piece in self.library.pieces)
            raise InputError(
                f"the film takes {len(plan.bars)} bars and the longest piece of the library has {longest}; "
                "add longer pieces, or leave --composer out"
            )
        return found

    def _bars(self, plan: Plan, found: Sequence[Match], seed: int) -> list[Bar]:
        match = found[(seed - plan.seed) % len(found)]
        return stretch(self.library, match.piece, match.first_bar, len(plan.bars), plan.instruments)


def read_library(folder: Path) -> Shard:
    """A folder of MIDI files, or a shard folder. Raises InputError when nothing in it can be used."""
    return load(folder) if (folder / "pieces.json").is_file() else read_folders([folder])[0]
