"""Which frames are new: a film at 24 shown as 60, pulldown, animation on twos and screen recordings repeat theirs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAME_LEVELS = 1.5
"""Mean change of brightness that no 4 x 4 pixels exceed between a frame and its repetition, coded again."""
RUN_S = 0.13
"""A picture that stands longer is not repeated: it stands still."""
AROUND_S = 0.4
RUNS = 3
"""Repetition is a habit: so many short runs within AROUND_S before and after, or the film only pauses for a moment."""
QUICKEST_S = 1 / 66
"""Frames that follow quicker than this are left out: nothing strikes between them that is not seen around them."""


@dataclass
class Shown:
    """A frame and its place in the film. contrast: as `motion.contrast_of`; is_new: False for a repetition."""

    index: int
    luma: NDArray[np.uint8]
    time_s: float
    contrast: float
    is_same: bool
    is_new: bool = True


class Cadence:
    """Takes frames in order and gives them back, up to AROUND_S later, with `is_new` set."""

    def __init__(self) -> None:
        self._frames: deque[Shown] = deque()
        self._next = 0  # place in `_frames` of the first that was not given back
        self._count = 0
        self._last: NDArray[np.uint8] | None = None
        self._kept_s = -1.0

    def add(self, luma: NDArray[np.uint8], time_s: float, contrast: float) -> Iterator[Shown]:
        """Take one frame; give those that are settled."""
        is_same = self._last is not None and _is_same(self._last, luma, contrast)
        if not is_same:
            self._last = luma
        shown = self._last if is_same and self._last is not None else luma
        self._frames.append(Shown(self._count, shown, time_s, contrast, is_same))
        self._count += 1
        while self._next < len(self._frames) and self._frames[self._next].time_s < time_s - AROUND_S:
            yield self._settle()

    def finish(self) -> Iterator[Shown]:
        """Give the rest."""
        while self._next < len(self._frames):
            yield self._settle()

    def _settle(self) -> Shown:
        frame = self._frames[self._next]
        while self._frames[0].time_s < frame.time_s - AROUND_S:
            self._frames.popleft()
            self._next -= 1
        frame.is_new = frame.time_s - self._kept_s >= QUICKEST_S - 1e-4 or frame.index == 0
        if frame.is_same and frame.is_new and self._is_repetition():
            frame.is_new = False
        if frame.is_new:
            self._kept_s = frame.time_s
        self._next += 1
        return frame

    def _is_repetition(self) -> bool:
        """Whether the next frame to settle is in a short run of equal frames, and such runs are the habit around it."""
        runs, inside = 0, False
        start = 0
        frames = list(self._frames)
        for place in range(1, len(frames) + 1):
            if place < len(frames) and frames[place].is_same:
                continue
            end_s = frames[min(place, len(frames) - 1)].time_s
            if place - start > 1 and end_s - frames[start].time_s < RUN_S:
                runs += 1
                inside = inside or start < self._next < place
            start = place
        return inside and runs >= RUNS


def _is_same(last: NDArray[np.uint8], luma: NDArray[np.uint8], contrast: float) -> bool:
    import cv2

    if last.shape != luma.shape:
        return False
    change = cv2.absdiff(last, luma)
    cells = cv2.resize(change, (luma.shape[1] // 4, luma.shape[0] // 4), interpolation=cv2.INTER_AREA)
    return bool(cells.max() <= SAME_LEVELS * contrast)
