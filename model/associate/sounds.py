"""What a stretch of music sounds like where no picture says anything of it: 24 figures of instruments, registers,
intervals, durations, off-beats, chords and repetition.

They are made of sums that are known of each bar, so that any stretch's are found by adding up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR
from hitpoint.model.music.tokens import Notes

SOUNDS = (
    *(f"share of {name}" for name in INSTRUMENTS),
    *("mean pitch", "spread of pitch", "lowest pitch"),
    *("tune: repeats", "tune: steps", "tune: thirds", "tune: fourths and fifths", "tune: leaps", "tune: rises"),
    *("length 1/16", "length 1/8", "length 1/4", "length 1/2", "longer"),
    *("off the beat", "on odd sixteenths", "chords a bar", "likeness to the bar before", "notes a chord"),
)
"""Names of the columns of `sounds`."""
_INTERVALS = np.array([0, 1, 1, 2, 2, 3, 3, 3])
"""Semitones -> repeats, steps, thirds, fourths and fifths; more are leaps."""
_LENGTHS = np.array([1, 2, 4, 8])
_NOTES, _PITCHED, _LOWEST, _TUNE, _DURATIONS, _ONSETS, _CHORDS = 0, 5, 8, 10, 16, 21, 24
SUMS = 28
"""Columns of `bar_sums`."""

Table = NDArray[np.float64]


def bar_sums(notes: Notes, bars: int, chords: NDArray[np.int64]) -> Table:
    """(bars, SUMS): what `sounds` needs of each bar. chords (2 bars,): numbers of the half bars' chords, 0 = none."""
    sums = np.zeros((bars, SUMS))
    bar, tick, instrument = (column.astype(np.int64) for column in (notes.bar, notes.tick, notes.instrument))
    np.add.at(sums, (bar, _NOTES + instrument), 1.0)
    pitched = instrument > 0
    own, pitch = bar[pitched], notes.pitch[pitched].astype(np.float64)
    for column, values in enumerate((np.ones_like(pitch), pitch, pitch**2)):
        sums[:, _PITCHED + column] = np.bincount(own, weights=values, minlength=bars)
    _add_lines(sums, own * TICKS_PER_BAR + tick[pitched], pitch)
    length = np.searchsorted(_LENGTHS, notes.duration[pitched])
    np.add.at(sums, (own, _DURATIONS + length), 1.0)
    at = np.unique(bar * TICKS_PER_BAR + tick)
    for column, which in enumerate((at >= 0, at % 4 != 0, at % 2 == 1)):
        sums[:, _ONSETS + column] = np.bincount(at[which] // TICKS_PER_BAR, minlength=bars)
    changed = np.diff(chords, prepend=chords[:1]) != 0
    sums[:, _CHORDS] = changed.reshape(bars, 2).sum(axis=1)
    sums[:, _CHORDS + 1] = _likeness(bar, tick, instrument, bars)
    sums[:, _CHORDS + 2] = 1.0
    simultaneous = np.unique((bar * TICKS_PER_BAR + tick)[pitched] * len(INSTRUMENTS) + instrument[pitched])
    sums[:, _CHORDS + 3] = np.bincount(simultaneous // (len(INSTRUMENTS) * TICKS_PER_BAR), minlength=bars)
    return sums


def _add_lines(sums: Table, at: NDArray[np.int64], pitch: Table) -> None:
    """The lowest notes, and the steps of the highest ones, into `sums`. at (n,): ticks from the start."""
    ticks, place = np.unique(at, return_inverse=True)
    if not len(ticks):
        return
    low, high = np.full(len(ticks), 128.0), np.full(len(ticks), -1.0)
    np.minimum.at(low, place, pitch)
    np.maximum.at(high, place, pitch)
    bar, bars = ticks // TICKS_PER_BAR, len(sums)
    sums[:, _LOWEST] = np.bincount(bar, weights=low, minlength=bars)
    sums[:, _LOWEST + 1] = np.bincount(bar, minlength=bars)
    steps = np.diff(high).astype(np.int64)
    size = np.abs(steps)
    kinds = np.where(size < len(_INTERVALS), _INTERVALS[np.minimum(size, len(_INTERVALS) - 1)], 4)
    np.add.at(sums, (bar[1:], _TUNE + kinds), 1.0)
    sums[:, _TUNE + 5] = np.bincount(bar[1:], weights=steps > 0, minlength=bars)


def _likeness(bar: NDArray[np.int64], tick: NDArray[np.int64], instrument: NDArray[np.int64], bars: int) -> Table:
    """(bars,): how much of two neighbouring bars' onsets both have, 0..1; 0 for the first."""
    struck = np.zeros((bars, TICKS_PER_BAR * len(INSTRUMENTS)), bool)
    struck[bar, tick * len(INSTRUMENTS) + instrument] = True
    both = (struck[1:] & struck[:-1]).sum(axis=1)
    either = (struck[1:] | struck[:-1]).sum(axis=1)
    return np.append(0.0, np.where(either > 0, both / np.maximum(either, 1), 1.0))


def sounds(sums: Table) -> Table:
    """(n, 24): the figures, in the order of SOUNDS, of stretches whose bars' sums (or means) are given (n, SUMS)."""

    def share(part: Table, whole: Table) -> Table:
        return np.asarray(part / np.maximum(whole, 1e-9))

    pitched, heights, squares = (sums[:, _PITCHED + n, None] for n in range(3))
    mean = share(heights, pitched)
    spread = np.sqrt(np.maximum(share(squares, pitched) - mean**2, 0.0))
    tune = sums[:, _TUNE : _TUNE + 5].sum(axis=1, keepdims=True)
    onsets, bars = sums[:, _ONSETS, None], sums[:, _CHORDS + 2, None]
    return np.hstack([
        share(sums[:, :_PITCHED], sums[:, :_PITCHED].sum(axis=1, keepdims=True)),
        *(mean, spread, share(sums[:, _LOWEST, None], sums[:, _LOWEST + 1, None])),
        share(sums[:, _TUNE : _TUNE + 6], tune),
        share(sums[:, _DURATIONS : _DURATIONS + 5], pitched),
        share(sums[:, _ONSETS + 1 : _ONSETS + 3], onsets),
        share(sums[:, _CHORDS : _CHORDS + 2], bars),
        share(pitched, sums[:, _CHORDS + 3, None]),
    ])  # fmt: skip
