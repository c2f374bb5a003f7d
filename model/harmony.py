"""How the pitches of a score hang together: key, clashes, repetition. Drums are left out."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.score import TICKS_PER_BAR, Score

_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)


def pitch_class_weights(score: Score) -> NDArray[np.float64]:
    """Sounding ticks of each pitch class, (12,)."""
    weights = np.zeros(12)
    for bar in score.bars:
        for note in bar.notes:
            if note.instrument:
                weights[note.pitch % 12] += note.duration_ticks
    return weights


def in_key_share(score: Score) -> float:
    """Share of sounding time on the notes of the best-fitting major or natural minor scale, 0..1; 7/12 is noise."""
    weights = pitch_class_weights(score)
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
