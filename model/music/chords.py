"""Chords named from notes: one label for each half bar of music that carries none.

A label is the path of least cost (Viterbi) over the half bars: each chord is scored by how much of what sounds lies
inside it and whether the bass stands on its root, and each change costs something, in mid-bar more. The score's
constants were set by hand on pieces of POP909 that carry human chord labels; against others of those pieces the root is
right in 87 of 100 half bars (`tests/bench/bench_chords.py` prints it).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Bar

HALF_BAR_TICKS = TICKS_PER_BAR // 2
NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")

QUALITIES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "dim": (0, 3, 6),
    "sus4": (0, 5, 7),
    "min7": (0, 3, 7, 10),
    "min": (0, 3, 7),
    "sus2": (0, 2, 7),
    "aug": (0, 4, 8),
    "dim7": (0, 3, 6, 9),
    "maj6": (0, 4, 7, 9),
    "hdim7": (0, 3, 6, 10),
    "7": (0, 4, 7, 10),
    "min6": (0, 3, 7, 9),
    "maj7": (0, 4, 7, 11),
}
"""Name of a quality -> semitones over the root. The order is that of the chord words' numbers."""

_INSIDE, _BASS_ON_ROOT, _MISSING_TONE, _SIZE = 6.0, 1.5, 0.45, 0.12
_MISSING_SHARE = 0.04
_COMMON = {"maj": 0.35, "min": 0.35, "7": 0.1, "min7": 0.1, "maj7": 0.1}
_CHANGE, _CHANGE_MID_BAR = 0.6, 0.25
_MELODY_WEIGHT, _FIRST_TICK_VOTES = 0.5, 2.0
_DRUMS, _STRINGS = INSTRUMENTS.index("drums"), INSTRUMENTS.index("strings")


class Chord(NamedTuple):
    """root: pitch class 0..11, C = 0. quality: a key of QUALITIES."""

    root: int
    quality: str

    @property
    def tones(self) -> tuple[int, ...]:
        """Its pitch classes, the root first."""
        return tuple((self.root + step) % 12 for step in QUALITIES[self.quality])

    @property
    def minor(self) -> bool | None:
        """Whether its third is a minor one; None for a chord without a third."""
        thirds = {3, 4} & set(QUALITIES[self.quality])
        return 3 in thirds if thirds else None

    @property
    def number(self) -> int:
        """1..156; 0 stands for no chord."""
        return 1 + len(QUALITIES) * self.root + list(QUALITIES).index(self.quality)

    def __str__(self) -> str:
        return f"{NAMES[self.root]}:{self.quality}"


CHORDS = tuple(Chord(root, quality) for root in range(12) for quality in QUALITIES)
"""All 156, in the order of their numbers."""


def label_chords(bars: Sequence[Bar], melody: int | None = _STRINGS, shift_ticks: int = 0) -> list[Chord | None]:
    """The chord of every half bar: two labels a bar, None where nothing pitched sounds.

    melody: the instrument whose notes count half (they pass through a chord more than they make it); None where no
    instrument leads. shift_ticks: 0..7, by which the borders of the half bars are moved to the right, to ask what
    sounds from a moment inside a half bar on; the notes before the first border are then left out, and the last half
    bar is short.
    """
    weights, votes = _sounding(bars, melody, shift_ticks)
    if not len(weights):
        return []
    path = _cheapest_path(_scores(weights, votes))
    return [CHORDS[state] if weights[i].any() else None for i, state in enumerate(path)]


def _sounding(
    bars: Sequence[Bar], melody: int | None, shift_ticks: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ticks that each pitch class sounds, and votes for each as the bass: both (half bars, 12)."""
    ticks = len(bars) * TICKS_PER_BAR
    weights = np.zeros((ticks, 12))
    lowest = np.full(ticks, 128)
    lowest_of_all = np.full(ticks, 128)
    for bar in bars:
        for note in bar.notes:
            if note.instrument == _DRUMS:
                continue
            start = bar.index * TICKS_PER_BAR + note.tick
            span = slice(start, min(start + note.duration_ticks, ticks))
            weights[span, note.pitch % 12] += _MELODY_WEIGHT if note.instrument == melody else 1.0
            np.minimum(lowest_of_all[span], note.pitch, out=lowest_of_all[span])
            if note.instrument != melody:
                np.minimum(lowest[span], note.pitch, out=lowest[span])
    if not (lowest < 128).any():
        lowest = lowest_of_all
    votes = np.zeros((ticks, 12))
    heard = np.flatnonzero(lowest < 128)
    first = (heard - shift_ticks) % HALF_BAR_TICKS == 0
    votes[heard, lowest[heard] % 12] = np.where(first, _FIRST_TICK_VOTES, 1.0)
    return _by_half_bars(weights, shift_ticks), _by_half_bars(votes, shift_ticks)


def _by_half_bars(per_tick: NDArray[np.float64], shift_ticks: int) -> NDArray[np.float64]:
    """(ticks, 12) -> its sums over half bars, (half bars, 12)."""
    moved = np.concatenate([per_tick[shift_ticks:], np.zeros((shift_ticks, 12))])
    return np.asarray(moved.reshape(-1, HALF_BAR_TICKS, 12).sum(axis=1))


def _scores(weights: NDArray[np.float64], votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """How well each chord fits each half bar, (half bars, 156); 0 for all where nothing sounds."""
    shares = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    bass = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1e-9)
    inside = np.zeros((12, len(CHORDS)))
    for column, chord in enumerate(CHORDS):
        inside[list(chord.tones), column] = 1.0
    size = inside.sum(axis=0)
    common = np.array([_COMMON.get(chord.quality, 0.0) for chord in CHORDS])
    roots = [chord.root for chord in CHORDS]
    missing = (shares < _MISSING_SHARE).astype(float) @ inside
    scores = _INSIDE * (shares @ inside) + _BASS_ON_ROOT * bass[:, roots] - _MISSING_TONE * missing
    scores += common - _SIZE * size
    return np.where(weights.any(axis=1, keepdims=True), scores, 0.0)


def _cheapest_path(scores: NDArray[np.float64]) -> list[int]:
    """The chord of each half bar that gains most in all, changes paid for."""
    best = scores[0].copy()
    origins = []
    for number, row in enumerate(scores[1:], start=1):
        change = _CHANGE + (_CHANGE_MID_BAR if number % 2 else 0.0)
        leader = int(best.argmax())
        moves = best[leader] - change > best
        origins.append(np.where(moves, leader, np.arange(len(best))))
        best = np.where(moves, best[leader] - change, best) + row
    path = [int(best.argmax())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return path[::-1]
