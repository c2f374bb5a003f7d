"""A film's frames as a row of different pictures at an even pace, looked at a stretch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors.shot_signs import (
    EARLY_SHARE,
    REACH,
    STEP_S,
    Thumbnail,
    change,
    is_repeat,
)

STRETCH = 64
"""Pictures whose beginnings are looked at in one go."""


@dataclass(frozen=True)
class Stretch:
    """pictures and shown: as `shot_signs.signs` takes them. moments (k,): steps at which a picture begins;
    frames (k,): the frame that begins there.
    """

    pictures: list[Thumbnail]
    shown: NDArray[np.int64]
    moments: NDArray[np.int64]
    frames: NDArray[np.int64]


class Steps:
    """Takes every frame of a film and gives its pictures: no repeats, none earlier than a part of STEP_S after the one
    before. A picture that stands counts as many steps as it stands, up to REACH, so that the slides of one film and
    the frames of another are told by the same signs.

    Between two pictures, the frame where most changes is the one where the second begins.
    """

    def __init__(self) -> None:
        self._pictures: list[Thumbnail] = []
        self._starts_s: list[float] = []
        self._frames: list[int] = []
        self._next = 1  # first picture whose beginning was not looked at
        self._frame = -1
        self._last: Thumbnail | None = None
        self._largest, self._begins = -1.0, 0

    def add(self, picture: Thumbnail, time_s: float) -> None:
        """The next frame."""
        self._frame += 1
        changed = change(self._last, picture) if self._last is not None else 0.0
        self._last = picture
        if not self._pictures:
            self._keep(picture, time_s, 0)
            return
        if changed > self._largest:
            self._largest, self._begins = changed, self._frame
        early = time_s - self._starts_s[-1] < EARLY_SHARE * STEP_S
        if early or is_repeat(self._pictures[-1], picture):
            return
        self._keep(picture, time_s, self._begins)

    def _keep(self, picture: Thumbnail, time_s: float, begins: int) -> None:
        self._pictures.append(picture)
        self._starts_s.append(time_s)
        self._frames.append(begins)
        self._largest = -1.0

    def stretches(self, is_last: bool = False) -> Iterator[Stretch]:
        """What can be looked at by now, a stretch at a time; all that is left once the last frame was added."""
        if not is_last and len(self._pictures) < self._next + STRETCH + 2:
            return
        counts = np.clip(np.round(np.diff(self._starts_s) / STEP_S), 1, REACH).astype(np.int64)
        counts = np.append(counts, REACH)  # the last picture stands
        starts = np.concatenate(([0], np.cumsum(counts)))
        sure = starts[-1] if is_last else starts[-2] - REACH
        stop = len(self._pictures) if is_last else int(np.searchsorted(starts, sure, side="right"))
        if stop <= self._next or (not is_last and stop < self._next + STRETCH):
            return
        shown = np.repeat(np.arange(len(counts)), counts)
        looked = np.arange(self._next, stop)
        for first in range(0, len(looked), STRETCH):
            part = looked[first : first + STRETCH]
            yield self._stretch(shown, starts, part)
        self._next = stop
        self._forget(starts)

    def _stretch(self, shown: NDArray[np.int64], starts: NDArray[np.int64], part: NDArray[np.int64]) -> Stretch:
        """Of the pictures within reach of `part` only."""
        low = max(0, int(starts[part[0]]) - REACH)
        high = min(len(shown), int(starts[part[-1]]) + REACH)
        first, last = int(shown[low]), int(shown[high - 1])
        frames = np.asarray([self._frames[index] for index in part], np.int64)
        return Stretch(self._pictures[first : last + 1], shown[low:high] - first, starts[part] - low, frames)

    def _forget(self, starts: NDArray[np.int64]) -> None:
        """Drop the pictures that nothing will be compared with again."""
        needed = starts[min(self._next, len(self._pictures))] - REACH
        gone = max(0, int(np.searchsorted(starts, needed, side="right")) - 1)
        del self._pictures[:gone], self._starts_s[:gone], self._frames[:gone]
        self._next -= gone
