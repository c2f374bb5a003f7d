"""How the pitches of a score hang together: key, clashes, repetition. Drums are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.keys import Key
from hitpoint.model.music.score import TICKS_PER_BAR, Bar, Score

_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)
PROFILES = np.array([
    [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
    [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
])  # fmt: skip
"""Major and minor key profiles of Krumhansl & Kessler (1982)."""


def key_of(bars: Sequence[Bar]) -> Key | None:
    """The key whose profile fits the bars' pitch classes best (Krumhansl's correlation); None without pitches."""
    fits = _key_fits(bars)
    return max(fits)[1] if fits else None


def key_fit(bars: Sequence[Bar]) -> float:
    """How well the best key fits, -1..1: the correlation of its profile; 0 without pitches."""
    fits = _key_fits(bars)
    return max(fits)[0] if fits else 0.0


def _key_fits(bars: Sequence[Bar]) -> list[tuple[float, Key]]:
    weights = pitch_class_weights(bars)
    if np.ptp(weights) == 0:
        return []
    return [
        (float(np.corrcoef(np.roll(profile, root), weights)[0, 1]), Key(root, bool(minor)))
        for root in range(12)
        for minor, profile in enumerate(PROFILES)
    ]


def pitch_class_weights(bars: Sequence[Bar]) -> NDArray[np.float64]:
    """Sounding ticks of each pitch class, (12,)."""
    weights = np.zeros(12)
    for bar in bars:
        for note in bar.notes:
            if note.instrument:
                weights[note.pitch % 12] += note.duration_ticks
    return weights


def in_key_share(score: Score) -> float:
    """Share of sounding time on the notes of the best-fitting major or natural minor scale, 0..1; 7/12 is noise."""
    weights = pitch_class_weights(score.bars)
    total = weights.sum()
    if not total:
        return 0.0
    scales = [[(root + step) % 12 for step in mode] for root in range(12) for mode in (_MAJOR, _MINOR)]
    return float(max(weights[scale].sum() for scale in scales) / total)


def clash_rate(score: Score) -> float:
    """Share of ticks with pitched sound in which two notes stand a semitone apart (octaves folded), 0..1."""
    ticks = len(score.bars) * TICKS_PER_BAR
    sounding = np.zeros((ticks, 12), bool)
    for bar in score.bars:
        for note in bar.notes:
            if note.instrument:
                start = bar.index * TICKS_PER_BAR + note.tick
                sounding[start : start + note.duration_ticks, note.pitch % 12] = True
    heard = sounding.any(axis=1)
    clashing = (sounding & np.roll(sounding, 1, axis=1)).any(axis=1)
    return float(clashing.sum() / max(1, heard.sum()))


def repetition(score: Score) -> float:
    """Share of bars that some earlier bar equals in every onset, instrument and pitch, 0..1."""
    seen: Counter[tuple[tuple[int, int, int], ...]] = Counter()
    repeated = 0
    for bar in score.bars:
        content = tuple((note.tick, note.instrument, note.pitch) for note in bar.notes)
        repeated += seen[content] > 0
        seen[content] += 1
    return repeated / max(1, len(score.bars))
