"""Black bars around the picture: where the picture itself lies in a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLACK_LEVELS, SHOWN_LEVELS = 22, 48
"""A bar is nowhere brighter than this; a picture that is nowhere brighter than that says nothing of bars."""
WIDEST_SHARE = 0.35
"""Of the frame's side; black that reaches further in, or not as far on the opposite side, is part of the picture."""
UNEVEN_PX = 2

_Span = tuple[int, int]


class Bars:
    """Takes frames in order and gives each without its bars.

    Bars are those of the first frame that shows anything; they only ever become narrower, when something is seen in
    them. So a dark shot cuts nothing off, and a film's frames change their size next to never.
    """

    def __init__(self) -> None:
        self._size: tuple[int, int] | None = None
        self._spans: tuple[_Span, _Span] | None = None

    def without(self, luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture in a frame (h, w)."""
        if self._size != luma.shape:
            self._size, self._spans = (luma.shape[0], luma.shape[1]), None
        if luma.max() >= SHOWN_LEVELS and (self._spans is None or any(low for low, _ in self._spans)):
            seen = _span(luma.max(axis=1)), _span(luma.max(axis=0))
            if self._spans is not None:
                seen = _joined(seen[0], self._spans[0]), _joined(seen[1], self._spans[1])
            self._spans = seen
        if self._spans is None or not any(low for low, _ in self._spans):
            return luma
        (top, bottom), (left, right) = self._spans
        return np.ascontiguousarray(luma[top:bottom, left:right])


def _span(brightest: NDArray[np.uint8]) -> _Span:
    """(first, past the last) of the lines of a picture, whose brightest pixels these are: all, where no bars lie on
    both sides. The line next to a bar is left out too, for it is part bar."""
    count = len(brightest)
    lines = np.flatnonzero(brightest > BLACK_LEVELS)
    before, after = int(lines[0]), count - 1 - int(lines[-1])
    if min(before, after) == 0 or max(before, after) > WIDEST_SHARE * count or abs(before - after) > UNEVEN_PX:
        return 0, count
    return before + 1, count - after - 1


def _joined(a: _Span, b: _Span) -> _Span:
    return min(a[0], b[0]), max(a[1], b[1])
