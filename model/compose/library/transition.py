"""What it costs the ear to go from one bar of a library to another: pitch, key, rhythm and chords.

D = |difference of mean pitch| / 12 + (1 - (1 + r) / 2) + Hamming(onsets) / 16 - log P(chord | chord) / log 157, with r
the correlation of the two keys' profiles (Krumhansl & Kessler 1982) and P the library's own chord bigrams, counted in
every transposition with half a count for what never occurs; each term over its standard deviation among 10,000 random
pairs of bars of the library. Going on in the same piece costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.library.bars import STATES, Library, figures_of
from hitpoint.model.music.chords import QUALITIES
from hitpoint.model.music.harmony import PROFILES
from hitpoint.model.music.score import TICKS_PER_BAR, Bar
from hitpoint.model.music.tokens import notes_of

TRANSPOSITIONS = tuple(range(-5, 7))
"""Semitones by which a piece may be moved; drums never are."""
STEPS = tuple(range(TRANSPOSITIONS[0] - TRANSPOSITIONS[-1], TRANSPOSITIONS[-1] - TRANSPOSITIONS[0] + 1))
"""How much higher than the bar before a bar may be moved."""
PAIRS = 10_000
HALF_COUNT = 0.5
_QUALITIES = len(QUALITIES)

Costs = NDArray[np.float64]


class Bars(NamedTuple):
    """What a transition hears of bars (n,) on one side of it: key 0..23 or -1, mean pitch or NaN, number of the chord
    next to it, onsets (n, 16); row and piece of the library, -2 for music that is in none."""

    key: NDArray[np.int64]
    pitch: NDArray[np.float64]
    chord: NDArray[np.int64]
    onsets: NDArray[np.bool_]
    row: NDArray[np.int64]
    piece: NDArray[np.int64]

    def spread(self, axis: int) -> Bars:
        """Along the rows (1) or the columns (0) of a table."""
        return Bars(
            np.expand_dims(self.key, axis),
            np.expand_dims(self.pitch, axis),
            np.expand_dims(self.chord, axis),
            np.expand_dims(self.onsets, axis),
            np.expand_dims(self.row, axis),
            np.expand_dims(self.piece, axis),
        )


def last_bars(library: Library, rows: NDArray[np.int64]) -> Bars:
    """Bars as those after which something else comes."""
    return _bars(library, rows, "key_out", "chord_out")


def entry_bars(library: Library, rows: NDArray[np.int64]) -> Bars:
    """Bars as those that come after something else."""
    return _bars(library, rows, "key_in", "chord_in")


def _bars(library: Library, rows: NDArray[np.int64], key: str, chord: str) -> Bars:
    keys, chords = (library.column(name)[rows].astype(np.int64) for name in (key, chord))
    return Bars(
        keys,
        library.column("pitch")[rows].astype(np.float64),
        chords,
        library.onsets[rows],
        rows,
        library.piece_of[rows],
    )


class Transitions:
    """D for one library."""

    def __init__(self, library: Library) -> None:
        self.chord_costs = _chord_costs(library)
        self.key_costs = _key_costs()
        self.scale = np.ones(4)
        draws = np.random.default_rng(0).integers(0, len(library), (2, PAIRS))
        parts = self._parts(last_bars(library, draws[0]), entry_bars(library, draws[1]), np.zeros(1, np.int64))
        spread = np.array([part.std() for part in parts])
        self.scale = np.where(spread > 1e-9, spread, 1.0)

    def between(self, last: Bars, entry: Bars, step: int = 0) -> Costs:
        """D from each last bar to the entry bar beside it, moved `step` semitones against it: (n,)."""
        return np.asarray(self._costs(last, entry, np.array([step]))[0])

    def of_bars(self, bars: Sequence[Bar]) -> Costs:
        """D at each bar line between neighbouring bars of any music, which never counts as going on: (bars - 1,)."""
        figures, strength = figures_of(notes_of(bars), len(bars))
        keys, chords = figures[:, :2].astype(np.int64), figures[:, 3:5].astype(np.int64)
        pitch, onsets, none = figures[:, 2].astype(np.float64), strength > 0, np.full(len(bars) - 1, -2)
        last = Bars(keys[:-1, 1], pitch[:-1], chords[:-1, 1], onsets[:-1], none, none)
        return self.between(last, Bars(keys[1:, 0], pitch[1:], chords[1:, 0], onsets[1:], none, none))

    def table(self, last: Bars, entry: Bars) -> Costs:
        """D from every last bar (n) to every entry bar (k), for each of STEPS: (steps, n, k)."""
        rows, columns = last.spread(1), entry.spread(0)
        return self._costs(rows, columns, np.array(STEPS))

    def _costs(self, last: Bars, entry: Bars, steps: NDArray[np.int64]) -> Costs:
        """(steps, *shape): shape as that of last and entry beside each other."""
        parts = self._parts(last, entry, steps)
        costs = sum((part / scale for part, scale in zip(parts, self.scale, strict=True)), np.zeros(1))
        goes_on = (entry.row == last.row + 1) & (entry.piece == last.piece)
        return np.where(goes_on & (steps == 0).reshape(-1, *([1] * goes_on.ndim)), 0.0, costs)

    def _parts(self, last: Bars, entry: Bars, steps: NDArray[np.int64]) -> list[Costs]:
        at = steps.reshape(-1, *([1] * last.key.ndim))
        pitch = np.nan_to_num(np.abs(entry.pitch + at - last.pitch)) / 12.0
        return [
            pitch,
            self.key_costs[last.key, moved_keys(entry.key, at)],
            (last.onsets != entry.onsets).sum(axis=-1)[None] / TICKS_PER_BAR,
            self.chord_costs[last.chord, moved_chords(entry.chord, at)],
        ]


def moved_keys(keys: NDArray[np.int64], steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keys 0..23 some semitones higher; -1 stays."""
    return np.where(keys < 0, -1, keys // 12 * 12 + (keys + steps) % 12)


def moved_chords(chords: NDArray[np.int64], steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Chord numbers some semitones higher; 0, no chord, stays."""
    return np.where(chords == 0, 0, 1 + (chords - 1 + _QUALITIES * steps) % (STATES - 1))


def _key_costs() -> Costs:
    """1 - (1 + r) / 2 of each pair of keys, (25, 25); what has no key, the last, costs as much as unrelated ones do."""
    profiles = np.array([np.roll(profile, root) for profile in PROFILES for root in range(12)])
    costs = np.full((25, 25), 0.5)
    costs[:24, :24] = 1.0 - (1.0 + np.corrcoef(profiles)) / 2.0
    return costs


def _chord_costs(library: Library) -> Costs:
    """-log P(chord | chord) / log 157, (157, 157)."""
    halves = np.stack([library.column("chord_in"), library.column("chord_out")], axis=1).astype(np.int64).ravel()
    inside = np.ones(len(halves) - 1, bool)
    inside[2 * library.first[1:-1] - 1] = False
    before, after = halves[:-1][inside], halves[1:][inside]
    counts = np.zeros((1 + _QUALITIES, 1 + 12 * _QUALITIES))
    np.add.at(counts, (_quality(before), _from(before, after)), 1.0)
    shares = (counts + HALF_COUNT) / (counts + HALF_COUNT).sum(axis=1, keepdims=True)
    numbers = np.arange(STATES)
    costs: Costs = -np.log(shares[_quality(numbers)[:, None], _from(numbers[:, None], numbers[None])]) / np.log(STATES)
    return costs


def _quality(chords: NDArray[np.int64]) -> NDArray[np.int64]:
    """0: no chord, then the qualities."""
    return np.where(chords == 0, 0, 1 + (chords - 1) % _QUALITIES)


def _from(before: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.int64]:
    """A chord as heard from the one before: 0 for none, then 1 + 13 * interval + quality."""
    interval = (_root(after) - np.where(before == 0, 0, _root(before))) % 12
    return np.where(after == 0, 0, 1 + _QUALITIES * interval + _quality(after) - 1)


def _root(chords: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(chords == 0, 0, (chords - 1) // _QUALITIES)
