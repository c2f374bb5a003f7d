"""What a shot looks like, and which shots look alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.types import letter

HISTOGRAM_SHAPE = (8, 3, 4)
"""Bins of hue, saturation and value."""
HISTOGRAM_BINS = 96
SAME_LOOK = 0.72
"""Shots whose histograms overlap by this share carry one label."""


def histogram(bgr: NDArray[np.uint8]) -> NDArray[np.float16]:
    """(HISTOGRAM_BINS,) of a picture, summing to 1."""
    import cv2

    hsv = cv2.cvtColor(bgr[::2, ::2], cv2.COLOR_BGR2HSV)
    bins = cv2.calcHist([hsv], [0, 1, 2], None, list(HISTOGRAM_SHAPE), [0, 180, 0, 256, 0, 256])
    return np.asarray(bins.ravel() / (hsv.shape[0] * hsv.shape[1]), np.float16)


def mean_histograms(
    histograms: NDArray[np.float16], frames: NDArray[np.int64], starts: Sequence[int]
) -> NDArray[np.float32]:
    """(shots, HISTOGRAM_BINS): mean of each shot; `starts` is the first frame of each, rising from 0. histograms (h,
    HISTOGRAM_BINS): of the frames (h,), rising."""
    firsts = np.searchsorted(frames, starts)
    lasts = [*firsts[1:].tolist(), len(frames)]
    means = []
    for first, last in zip(np.minimum(firsts, len(frames) - 1).tolist(), lasts, strict=True):
        # A shot so short that none of its frames was kept looks like the one nearest to its beginning.
        means.append(histograms[first : max(last, first + 1)].astype(np.float32).mean(axis=0))
    return np.stack(means)


def overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Histogram intersection, 0..1 (Swain & Ballard 1991)."""
    return float(np.minimum(a, b).sum())


def label_shots(histograms: NDArray[np.float32]) -> tuple[str, ...]:
    """One label a shot, "A", "B", …; a shot takes the label of the earlier look that it is most like, if any."""
    looks: list[NDArray[np.float32]] = []
    sizes: list[int] = []
    labels = []
    for histogram in histograms:
        likeness = [overlap(histogram, look) for look in looks]
        best = int(np.argmax(likeness)) if likeness else -1
        if best >= 0 and likeness[best] >= SAME_LOOK:
            sizes[best] += 1
            looks[best] = looks[best] + (histogram - looks[best]) / sizes[best]
        else:
            best = len(looks)
            looks.append(histogram)
            sizes.append(1)
        labels.append(letter(best))
    return tuple(labels)
