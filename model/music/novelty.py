"""Where music turns: novelty along the diagonal of its likeness with itself, and segments that are alike.

Foote's checkerboard (2000) with a Gaussian taper, and a threshold that follows the curve, as structure analysis of
music commonly sets them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]
Whole = NDArray[np.int64]

HALF = 8
"""Units on each side of a moment that are compared: bars, where nothing else is said."""
LEAST = 2
"""A segment of fewer units joins its neighbour."""
SAME = 0.5
"""Segments are of one kind whose means lie nearer to each other than this share of a unit's usual way to the mean."""
_SMOOTH = 3
_FLAT = 1e-3


def bar_vectors(
    bars: int, bar: Whole, slot: Whole, pitch: Whole, part: Whole, parts: int, is_pitched: NDArray[np.bool_]
) -> Vectors:
    """(bars, 30 + parts): pitch classes (12), places in the bar (16), parts, how many notes and how high they lie.

    bar, slot (0..15), pitch (MIDI), part (0..parts - 1) and is_pitched: of each note (n,). Each group of columns weighs
    the same through the piece.
    """

    def counted(column: Whole, width: int, which: NDArray[np.bool_] | slice = slice(None)) -> Vectors:
        flat = bar[which] * width + column[which]
        return np.bincount(flat, minlength=bars * width).reshape(bars, width).astype(np.float64)

    everything = counted(np.zeros_like(bar), 1)
    sums = np.bincount(bar[is_pitched], weights=pitch[is_pitched], minlength=bars)
    chroma = counted(pitch % 12, 12, is_pitched)
    pitched = chroma.sum(axis=1)
    usual = sums.sum() / max(pitched.sum(), 1.0)
    height = np.where(pitched > 0, sums / np.maximum(pitched, 1.0) - usual, 0.0)[:, None]
    groups = (chroma, counted(slot, 16), counted(part, parts), everything, height)
    return np.hstack([each / max(float(np.sqrt((each**2).sum(axis=1).mean())), 1e-9) for each in groups])


def likeness(vectors: Vectors) -> Vectors:
    """(n, n): cosine of each two rows; a row of zeros is like another one, and unlike all else."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.where(lengths > 0, vectors / np.maximum(lengths, 1e-12), 0.0)
    silent = lengths[:, 0] <= 0
    return np.asarray(unit @ unit.T + np.outer(silent, silent), np.float64)


def novelty(vectors: Vectors, half: int = HALF) -> Vectors:
    """(n,): how far what follows each moment is unlike what came before, while both are like themselves; row 0 is 0.

    vectors (n, d): one a unit. half: units on each side. Taper: a Gaussian of a third of 2 half.
    """
    count = len(vectors)
    alike = np.pad(likeness(vectors), half, mode="edge")
    places = np.arange(-half, half) + 0.5
    taper = np.exp(-0.5 * (places / (2 * half / 3)) ** 2)
    signs = np.sign(places)
    kernel = np.outer(taper * signs, taper * signs)
    kernel /= np.abs(kernel).sum()
    curve = np.array([(alike[n : n + 2 * half, n : n + 2 * half] * kernel).sum() for n in range(count)])
    curve[:1] = 0.0
    return np.asarray(np.maximum(curve, 0.0), np.float64)


def turns(vectors: Vectors, half: int = HALF, least: int = LEAST) -> list[int]:
    """The rows at which a new segment begins, without row 0: peaks of the novelty over its running median and a
    twentieth of its mean, `least` rows or more apart and from both ends."""
    curve = novelty(vectors, half)
    if curve.max(initial=0.0) < _FLAT:
        return []
    smooth = _median(curve, _SMOOTH)
    floor = _median(smooth, 2 * half) + smooth.mean() / 20
    found: list[int] = []
    peaks = [n for n in range(1, len(curve)) if _is_peak(smooth, n) and smooth[n] > floor[n]]
    peaks = [max(range(max(1, n - 1), min(len(curve), n + 2)), key=lambda m: curve[m]) for n in peaks]
    for place in sorted(set(peaks), key=lambda n: -curve[n]):
        others = [0, len(vectors), *found]
        if min(abs(place - other) for other in others) >= least:
            found.append(place)
    return sorted(found)


def segments(vectors: Vectors, half: int = HALF, least: int = LEAST) -> list[tuple[int, int]]:
    """(first row, kind) of each segment: kinds count from 0 in the order in which they come; neighbours differ."""
    starts = [0, *turns(vectors, half, least)]
    kinds = _kinds(vectors, starts)
    return [
        (start, kind)
        for n, (start, kind) in enumerate(zip(starts, kinds, strict=True))
        if not n or kind != kinds[n - 1]
    ]


def _kinds(vectors: Vectors, starts: Sequence[int]) -> list[int]:
    """A number for each segment; one that is new lies apart from all earlier ones. starts: row 0 first."""
    usual = float(np.linalg.norm(vectors - vectors.mean(axis=0), axis=1).mean())
    kinds: list[int] = []
    firsts: list[Vectors] = []
    for first, last in zip(starts, [*starts[1:], len(vectors)], strict=True):
        own = vectors[first:last].mean(axis=0)
        near = [float(np.linalg.norm(own - other)) for other in firsts]
        best = int(np.argmin(near)) if near else -1
        if best < 0 or near[best] > SAME * usual:
            best = len(firsts)
            firsts.append(own)
        kinds.append(best)
    return kinds


def _is_peak(curve: Vectors, place: int) -> bool:
    after = curve[place + 1] if place + 1 < len(curve) else -1.0
    return bool(curve[place] >= curve[place - 1] and curve[place] >= after)


def _median(curve: Vectors, width: int) -> Vectors:
    """Running median over `width` rows, an odd number of them or one more."""
    side = width // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(curve, side, mode="edge"), 2 * side + 1)
    return np.asarray(np.median(windows, axis=1), np.float64)
