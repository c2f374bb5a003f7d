"""What a shot looks like, and which shots look alike."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors.base import Rows
from hitpoint.model.video.types import letter

HISTOGRAM_SHAPE = (8, 3, 4)
"""Bins of hue, saturation and value."""
HISTOGRAM_BINS = 96
SAME_LOOK = 0.72
"""Shots whose histograms overlap by this share carry one label."""

LOOK_S = 0.07
"""Colours are looked at so often."""
ALIKE, TOGETHER_S = 0.9, 1.0
"""What overlaps by so much, within so long, is kept as one: hours of film are not much then."""


class Looks:
    """The colours of a film as they come; what follows and looks alike is kept as its mean."""

    def __init__(self) -> None:
        self._rows, self._frames, self._counts = Rows((HISTOGRAM_BINS,), np.float16), array("q"), array("q")
        self._mean = np.zeros(HISTOGRAM_BINS, np.float32)
        self._looked_s = self._began_s = float("-inf")

    def add(self, look: NDArray[np.float16], frame: int, time_s: float) -> None:
        """The histogram of a frame."""
        if time_s - self._looked_s < LOOK_S:
            return
        self._looked_s = time_s
        seen = look.astype(np.float32)
        if time_s - self._began_s < TOGETHER_S and overlap(seen, self._mean) >= ALIKE:
            self._counts[-1] += 1
            self._mean += (seen - self._mean) / self._counts[-1]
            self._rows.last()[:] = self._mean
            return
        self._began_s, self._mean = time_s, seen
        self._rows.add(look)
        self._frames.append(frame)
        self._counts.append(1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """`histograms`, `histogram_frames` and `histogram_counts`, as the detector of shots keeps them."""
        return {
            "histograms": self._rows.array(),
            "histogram_frames": np.array(self._frames, np.int64),
            "histogram_counts": np.array(self._counts, np.int64),
        }


def histogram(bgr: NDArray[np.uint8]) -> NDArray[np.float16]:
    """(HISTOGRAM_BINS,) of a picture, summing to 1."""
    import cv2

    hsv = cv2.cvtColor(bgr[::2, ::2], cv2.COLOR_BGR2HSV)
    bins = cv2.calcHist([hsv], [0, 1, 2], None, list(HISTOGRAM_SHAPE), [0, 180, 0, 256, 0, 256])
    return np.asarray(bins.ravel() / (hsv.shape[0] * hsv.shape[1]), np.float16)


def mean_histograms(looks: Mapping[str, NDArray[Any]], starts: Sequence[int]) -> NDArray[np.float32]:
    """(shots, HISTOGRAM_BINS): mean of each shot; `starts` is the first frame of each, rising from 0. looks: as
    `Looks.arrays` gives them."""
    histograms, frames, counts = (looks[f"histogram{name}"] for name in ("s", "_frames", "_counts"))
    firsts = np.searchsorted(frames, starts)
    lasts = [*firsts[1:].tolist(), len(frames)]
    means = []
    for first, last in zip(np.minimum(firsts, len(frames) - 1).tolist(), lasts, strict=True):
        # A shot so short that none of its frames was kept looks like the one nearest to its beginning.
        span = slice(first, max(last, first + 1))
        means.append(np.average(histograms[span].astype(np.float32), axis=0, weights=counts[span]).astype(np.float32))
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
