"""How a score reads as music: entropies of pitch, grooving similarity, structure, density.

H, GS and SI are those of Wu & Yang, "The Jazz Transformer on the Front Line" (ISMIR 2020), with their windows in bars;
the grid of GS is our 16 ticks (theirs is 64, which makes any music look steadier: never compare across grids). Drums
have no pitch here: they count for rhythm only.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Score

DRUMS = 0
SI_SHORT_S, SI_MID_S, SI_LONG_S = (3.0, 8.0), (8.0, 15.0), (15.0, 128.0)
"""Lengths, in seconds, of the repeats that the three structure indicators look for."""

_SIMILAR = 0.7
_PENALTY = -2.0
_WINDOW_BEATS, _MOST_WINDOWS = 256, 8


@dataclass(frozen=True)
class Metrics:
    """The figures of one score.

    h1, h4: bits, 0..log2 12. gs16: 0..1. si_short, si_mid, si_long: 0..1. pitch_entropy_128: bits, 0..7.
    simu_notes_per_bar: (tick, instrument) pairs with an onset. density: ticks with an onset, per bar, 0..16.
    notes_per_simu_note: 1 or more. empty_beats: share of beats without an onset, 0..1.
    """

    h1: float
    h4: float
    gs16: float
    si_short: float
    si_mid: float
    si_long: float
    pitch_entropy_128: float
    simu_notes_per_bar: float
    density: float
    notes_per_simu_note: float
    empty_beats: float

    def as_report(self) -> dict[str, float]:
        """The seven figures of the report, rounded to 4 places."""
        keys = ("h1", "h4", "gs16", "si_short", "si_mid", "si_long", "pitch_entropy_128")
        return {key: round(value, 4) for key, value in asdict(self).items() if key in keys}


def metrics_of(score: Score) -> Metrics:
    """All figures of `score`; where there is nothing to measure (no notes, one bar) a figure is 0."""
    notes = [note for bar in score.bars for note in bar.notes]
    simu_notes = {(bar.index, note.tick, note.instrument) for bar in score.bars for note in bar.notes}
    beats = {(bar.index, note.tick // TICKS_PER_BEAT) for bar in score.bars for note in bar.notes}
    count = sum(-(-score.tempo_map.ticks_of(bar.index) // TICKS_PER_BEAT) for bar in score.bars)
    bars = len(score.bars)
    chroma = beat_chroma(score)
    beat_s = score.duration_s / max(1, len(chroma))
    return Metrics(
        h1=pitch_class_entropy(score, 1),
        h4=pitch_class_entropy(score, 4),
        gs16=grooving_similarity(score),
        si_short=structure_indicator(chroma, beat_s, SI_SHORT_S),
        si_mid=structure_indicator(chroma, beat_s, SI_MID_S),
        si_long=structure_indicator(chroma, beat_s, SI_LONG_S),
        pitch_entropy_128=_entropy(np.bincount([n.pitch for n in notes if n.instrument != DRUMS], minlength=128)),
        simu_notes_per_bar=len(simu_notes) / bars if bars else 0.0,
        density=float(np.mean([bar.density for bar in score.bars])) if bars else 0.0,
        notes_per_simu_note=len(notes) / len(simu_notes) if simu_notes else 0.0,
        empty_beats=1 - len(beats) / count if bars else 0.0,
    )


def pitch_class_entropy(score: Score, window_bars: int) -> float:
    """H1, H4: mean entropy of the histogram of pitch classes over each window of consecutive bars, in bits.

    H = -sum_i h_i log2 h_i over the 12 classes, each onset counted once; windows without pitched onsets are left out.
    A piece shorter than the window is one window.
    """
    histograms = np.zeros((len(score.bars), 12))
    for bar in score.bars:
        for note in bar.notes:
            if note.instrument != DRUMS:
                histograms[bar.index, note.pitch % 12] += 1
    window_bars = min(window_bars, len(score.bars))
    if window_bars == 0:
        return 0.0
    sums = np.lib.stride_tricks.sliding_window_view(histograms, window_bars, axis=0).sum(axis=-1)
    entropies = [_entropy(window) for window in sums if window.any()]
    return float(np.mean(entropies)) if entropies else 0.0


def grooving_similarity(score: Score) -> float:
    """GS: mean over all pairs of bars (a, b) of 1 - 1/16 * sum_i XOR(g_i^a, g_i^b).

    g^a is the bar's pattern: 1 where a tick has an onset of any instrument. With c_i of n bars sounding on tick i,
    c_i (n - c_i) of the n (n - 1) / 2 pairs differ there, which saves the loop over pairs.
    """
    bars = len(score.bars)
    if bars < 2:
        return 0.0
    counts = np.zeros(TICKS_PER_BAR)
    for bar in score.bars:
        counts[list({note.tick for note in bar.notes})] += 1
    differing = (counts * (bars - counts)).sum() / (bars * (bars - 1) / 2)
    return float(1 - differing / TICKS_PER_BAR)


def beat_chroma(score: Score) -> NDArray[np.float32]:
    """(beats, 12): ticks that each pitch class sounds in each beat, drums left out."""
    at = score.tempo_map.written_tick
    beats = -(-score.tempo_map.first_tick(len(score.bars)) // TICKS_PER_BEAT)
    chroma = np.zeros((beats, 12), np.float32)
    for bar in score.bars:
        for note in bar.notes:
            if note.instrument == DRUMS:
                continue
            start = round(at(bar.index, note.tick))
            stop = min(round(at(bar.index, note.tick + note.duration_ticks)), beats * TICKS_PER_BEAT)
            for beat in range(start // TICKS_PER_BEAT, (stop - 1) // TICKS_PER_BEAT + 1):
                inside = min(stop, (beat + 1) * TICKS_PER_BEAT) - max(start, beat * TICKS_PER_BEAT)
                chroma[beat, note.pitch % 12] += inside
    return chroma


def self_similarity(chroma: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, n) cosine similarity of beats, smoothed along the diagonals over 4 beats; a silent beat is like nothing."""
    norms = np.linalg.norm(chroma, axis=1, keepdims=True)
    unit = np.divide(chroma, norms, out=np.zeros_like(chroma), where=norms > 0)
    plain = unit @ unit.T
    size = len(plain)
    total = np.zeros_like(plain)
    count = np.zeros_like(plain)
    for shift in range(min(BEATS_PER_BAR, size)):
        total[: size - shift, : size - shift] += plain[shift:, shift:]
        count[: size - shift, : size - shift] += 1
    return np.asarray(np.divide(total, count, out=np.zeros_like(total), where=count > 0))


def structure_indicator(chroma: NDArray[np.float32], beat_s: float, lengths_s: tuple[float, float]) -> float:
    """SI: the best fitness, 0..1, of any segment whose length lies in `lengths_s` (seconds). chroma: (beats, 12).

    Fitness is that of Mueller, Grosche & Jiang's scape plot (ISMIR 2011) on a symbolic matrix of beats, with repeats
    at the segment's own tempo, since a score has no rubato. Similarity s becomes (s - .7) / .3, or -2 below .7. A
    segment of L beats gains, from each other segment of L beats, the sum along their diagonal; the set of repeats that
    do not overlap and gain most is found by dynamic programming. With G their gain, K their number and N the beats:
    score = G / (K L), coverage = K L / N, the trivial match of the segment with itself left out of both, and
    fitness = their harmonic mean. Of a piece over 256 beats, up to 8 windows of 256, evenly spread, are averaged.
    """
    beats = len(chroma)
    windows = min(_MOST_WINDOWS, max(1, beats // _WINDOW_BEATS))
    starts = np.linspace(0, max(0, beats - _WINDOW_BEATS), windows).astype(int)
    matrices = (self_similarity(chroma[start : start + _WINDOW_BEATS]) for start in starts)
    return float(np.mean([_window_indicator(matrix, beat_s, lengths_s) for matrix in matrices]))


def _window_indicator(matrix: NDArray[np.float32], beat_s: float, lengths_s: tuple[float, float]) -> float:
    beats = len(matrix)
    scores = np.where(matrix >= _SIMILAR, (matrix - _SIMILAR) / (1 - _SIMILAR), _PENALTY)
    if not beats:
        return 0.0
    shortest = max(2, int(np.ceil(lengths_s[0] / beat_s)))
    longest = min(beats // 2, int(lengths_s[1] / beat_s))
    best = 0.0
    sums = _diagonal_sums(scores, shortest)
    for length in range(shortest, longest + 1):
        if length > shortest:
            size = beats - length + 1
            sums = sums[:size, :size] + scores[length - 1 :, length - 1 :]
        best = max(best, _best_fitness(sums, length, beats))
    return best


def _diagonal_sums(scores: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """(n - length + 1, n - length + 1): sum of scores[i + k, j + k] for k < length."""
    size = max(0, len(scores) - length + 1)
    return np.asarray(np.sum([scores[k : k + size, k : k + size] for k in range(length)], axis=0))


def _best_fitness(sums: NDArray[np.float32], length: int, beats: int) -> float:
    """The best fitness of the segments of `length` beats: sums (s, s) holds what each gains from each other."""
    size = len(sums)
    own = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) < length
    gains = np.where(own, 0.0, np.maximum(sums, 0.0))
    gain = np.zeros((beats + 1, size))
    number = np.zeros((beats + 1, size))
    for stop in range(length, beats + 1):
        added = gain[stop - length] + gains[:, stop - length]
        better = (added > gain[stop - 1]) & (gains[:, stop - length] > 0)
        gain[stop] = np.where(better, added, gain[stop - 1])
        number[stop] = np.where(better, number[stop - length] + 1, number[stop - 1])
    repeated = number[beats] * length
    score = np.divide(gain[beats], repeated, out=np.zeros(size), where=repeated > 0)
    coverage = repeated / beats
    both = score + coverage
    fitness = np.divide(2 * score * coverage, both, out=np.zeros(size), where=both > 0)
    return float(fitness.max(initial=0.0))


def _entropy(counts: NDArray[Any]) -> float:
    """Entropy in bits of a histogram, 0 if it is empty."""
    total = counts.sum()
    if total == 0:
        return 0.0
    shares = counts[counts > 0] / total
    return float(-(shares * np.log2(shares)).sum())
