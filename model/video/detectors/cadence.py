"""Which frames are new: a film at 24 shown as 60, pulldown, animation on twos and screen recordings repeat theirs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAME_LEVELS = 1.5
"""Mean change of brightness, at usual contrast, that no 4 x 4 pixels exceed between a frame and its repetition."""
CODED_LEVELS, CODED_SHARE = 7.0, 0.4
"""A repetition that was coded again and worse may change by more, up to that share of what the new frames around do."""
NEW_QUANTILE = 0.85
"""Of the changes around: that of a new frame, where one in five or more is new."""
GAP, FEW = 2.0, 0.1
"""Between repetitions and new frames there is nothing: the changes of nearly all new ones, but for so FEW, are so many
times those of nearly all repetitions. A hand-held camera trembles by all amounts."""
RUN_S = 0.13
"""A picture that stands longer is not repeated: it stands still."""
AROUND_S = 0.4
RUNS, CODED_RUNS = 3, 4
"""Repetition is a habit: so many short runs within AROUND_S before and after, or the film only pauses for a moment;
more where frames only resemble each other."""
QUICKEST_S = 1 / 41
"""Frames that follow quicker than this are left out: nothing strikes between them that is not seen around them."""


@dataclass
class Shown:
    """A frame and its place in the film. contrast: as `motion.contrast_of`; is_new: False for a repetition.

    change: the largest mean change of 4 x 4 pixels since the picture before, in levels at usual contrast.
    """

    index: int
    luma: NDArray[np.uint8]
    time_s: float
    contrast: float
    change: float
    is_new: bool = True

    @property
    def is_same(self) -> bool:
        """Whether it is the picture before, but for what coding did to it."""
        return self.change <= SAME_LEVELS


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
        frame = Shown(self._count, luma, time_s, contrast, _change(self._last, luma, contrast))
        if frame.is_same and self._last is not None:
            frame.luma = self._last
        self._last = frame.luma
        self._frames.append(frame)
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
        if frame.is_new and frame.change <= CODED_LEVELS and self._is_repetition(frame):
            frame.is_new = False
        if frame.is_new:
            self._kept_s = frame.time_s
        self._next += 1
        return frame

    def _is_repetition(self, frame: Shown) -> bool:
        """Whether `frame`, the next to settle, is in a short run of frames alike, and such runs are the habit here."""
        changes = np.minimum([each.change for each in self._frames], 255.0)
        if frame.is_same and self._is_habit(changes <= SAME_LEVELS, RUNS):
            return True
        coded = min(CODED_LEVELS, CODED_SHARE * float(np.quantile(changes, NEW_QUANTILE)))
        alike = changes <= coded
        if frame.change > coded or alike.all():
            return False
        apart = float(np.quantile(changes[~alike], FEW)) / max(float(np.quantile(changes[alike], 1 - FEW)), 1e-6)
        return apart >= GAP and self._is_habit(alike, CODED_RUNS)

    def _is_habit(self, alike: NDArray[np.bool_], least: int) -> bool:
        """Whether the next frame to settle follows one it is alike in a short run, one of at least so many."""
        runs, inside = 0, False
        begins = [*np.flatnonzero(~alike[1:]) + 1, len(alike)]
        start = 0
        for place in begins:
            end_s = self._frames[min(place, len(alike) - 1)].time_s
            if place - start > 1 and end_s - self._frames[start].time_s < RUN_S:
                runs += 1
                inside = inside or start < self._next < place
            start = place
        return inside and runs >= least


def _change(last: NDArray[np.uint8] | None, luma: NDArray[np.uint8], contrast: float) -> float:
    import cv2

    if last is None or last.shape != luma.shape:
        return float("inf")
    cells = cv2.resize(cv2.absdiff(last, luma), (luma.shape[1] // 4, luma.shape[0] // 4), interpolation=cv2.INTER_AREA)
    return float(cells.max()) / contrast
