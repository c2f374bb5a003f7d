"""Interlaced film: a frame holds two pictures, each on every second line, shown one after the other.

Where both show the same moment, or nearly, they are left as one frame. Where they differ as two pictures do, each is
delivered at its own time, so that a cut between them is found where it is, and no frame shows two shots at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIFFERENT = 6.0
"""Mean difference of two fields' brightness, in levels, over which they are two pictures. Fine detail that only one of
them holds stays under it once shrunk; a cut and a fast pan do not."""
SAMPLE_LINES = 64
SAMPLE_COLUMNS = 128


class FieldOrder:
    """Tells the fields of a film's frames apart, and which of them is shown first."""

    def __init__(self) -> None:
        self._top_first = True
        self._last: NDArray[np.float32] | None = None

    def fields(self, luma: NDArray[np.uint8]) -> tuple[int, int] | None:
        """For a frame's brightness (h, w): the lines (0: even, 1: odd) of the field shown first and of the second; None
        where both show one picture.

        A flag of the order is wrong too often, so the picture decides: the first is the one more like the frame before.
        """
        top, bottom = _sample(luma, 0), _sample(luma, 1)
        last, self._last = self._last, bottom
        if float(np.abs(top - bottom).mean()) < DIFFERENT:
            return None
        if last is not None and last.shape == top.shape:
            from_top, from_bottom = (float(np.abs(field - last).mean()) for field in (top, bottom))
            if abs(from_top - from_bottom) > DIFFERENT / 2:
                self._top_first = from_top < from_bottom
        if not self._top_first:
            self._last = top
        return (0, 1) if self._top_first else (1, 0)


def _sample(luma: NDArray[np.uint8], first: int) -> NDArray[np.float32]:
    """One field, shrunk to some lines and columns."""
    import cv2

    field = luma[first::2]
    size = (min(SAMPLE_COLUMNS, field.shape[1]), min(SAMPLE_LINES, field.shape[0]))
    return cv2.resize(field, size, interpolation=cv2.INTER_AREA).astype(np.float32)
