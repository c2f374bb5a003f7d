"""Interlaced film: a frame holds two pictures, each on every second line, shown one after the other.

Where both show the same shot they are left as one frame, as a player without a deinterlacer shows them. Where a cut,
or a flash, falls between them, each is delivered at its own time: so it is found where it is, and no frame shows two
shots.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIFFERENT = 6.0
"""Levels of brightness (0..255), in the mean, by which one field must have changed more than the other."""
TIMES_MORE = 2.0
"""And so many times as much: in steady motion both change alike."""
SAMPLE_LINES = 64
SAMPLE_COLUMNS = 128


class Fields:
    """Looks for changes between the two fields of a film's frames. Shown each frame once, in order."""

    def __init__(self) -> None:
        self._last: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def split(self, luma: NDArray[np.uint8]) -> tuple[int, int] | None:
        """For a frame's brightness (h, w): the lines (0: even, 1: odd) of the field shown first and of the second; None
        where both show one shot.

        Each field is compared with the same one of the frame before, so that fine detail, which only one of them holds,
        does not count. The one that still shows what was there is the first, whatever the file says of their order.
        """
        fields = _sample(luma, 0), _sample(luma, 1)
        last, self._last = self._last, fields
        if last is None or last[0].shape != fields[0].shape or last[1].shape != fields[1].shape:
            return None
        top, bottom = (float(np.abs(now - before).mean()) for now, before in zip(fields, last, strict=True))
        less, more = min(top, bottom), max(top, bottom)
        if more - less < DIFFERENT or more < TIMES_MORE * less:
            return None
        return (0, 1) if top < bottom else (1, 0)


def whole(pixels: NDArray[np.uint8], first: int) -> NDArray[np.uint8]:
    """(h, w) with the lines of one field of it, and between them the mean of their neighbours.

    So both fields of a frame lie at the same height, and a still picture does not tremble by half a line.
    """
    import cv2

    field = pixels[first::2]
    if first == 0:
        above, below = field, np.vstack([field[1:], field[-1:]])
    else:
        above, below = np.vstack([field[:1], field[:-1]]), field
    between = cv2.addWeighted(above, 0.5, below, 0.5, 0.0)
    full = np.empty_like(pixels)
    full[first::2] = field
    others = len(full[1 - first :: 2])
    full[1 - first :: 2] = between[:others] if others <= len(between) else np.vstack([between, field[-1:]])
    return full


def _sample(luma: NDArray[np.uint8], first: int) -> NDArray[np.float32]:
    """One field, shrunk to some lines and columns."""
    import cv2

    field = luma[first::2]
    size = (min(SAMPLE_COLUMNS, field.shape[1]), min(SAMPLE_LINES, field.shape[0]))
    return np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_AREA), np.float32)
