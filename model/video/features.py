"""One pass over a clip: per frame a few numbers, whatever the film's length."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError
from hitpoint.model.video import backwards, frames
from hitpoint.model.video.damage import LOST_COLUMNS, Damage, lost_spans
from hitpoint.model.video.detectors.base import Arrays
from hitpoint.model.video.detectors.registry import registered
from hitpoint.model.video.film import Film
from hitpoint.model.video.patience import TICK_S
from hitpoint.model.video.types import Clip


@dataclass(frozen=True)
class Features:
    """What the detectors measured in n frames, in order of presentation.

    times_s (n,): of the film, from its zero. end_s: when the last frame goes. arrays: by detector, then by name.
    lost (k, LOST_COLUMNS): stretches that could not be decoded, or not whole, as `damage.lost_spans`.
    """

    times_s: NDArray[np.float64]
    end_s: float
    arrays: Mapping[str, Arrays]
    lost: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, LOST_COLUMNS)))


def version() -> str:
    """Changes whenever the same film would give other features: the frames' size and every detector's own version."""
    return " ".join([f"frames {frames.VERSION}", *(f"{each.name} {each.version}" for each in registered())])


def measure(clip: Clip, film: Film, progress: Callable[[float], None]) -> Features:
    """Decode the clip once and show each frame to every detector. film: that of the clip; progress: called with 0..1,
    about ten times a second.

    Raises InputError if fewer than two frames lie between its in and out points.
    """
    import cv2

    detectors = [each() for each in registered()]
    times = array("d")
    end_s = film.media.duration_s if clip.out_s is None else min(clip.out_s, film.media.duration_s)
    damage, told = Damage(), _Teller(progress, clip.in_s, end_s)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # at this size a second thread costs more than it saves
    try:
        for frame in backwards.frames_of(clip, film, end_s, told.again, damage):
            for detector in detectors:
                detector.measure(frame)
            times.append(frame.time_s)
            told.at(frame.time_s)
    finally:
        cv2.setNumThreads(threads)
    if len(times) < 2:
        raise InputError(
            f"{clip.path.name} shows {'only one frame' if times else 'no frame'} from {clip.in_s:g} s on; "
            "choose an earlier in point or a later out point"
        )
    at_s = np.array(times, np.float64)
    shown_s = at_s if clip.rate > 0 else clip.in_s + end_s - np.append(at_s[1:], end_s)
    lost = backwards.turned(lost_spans(film.track, shown_s, clip.in_s, end_s, damage), clip, end_s)
    return Features(at_s, end_s, {detector.name: detector.finish() for detector in detectors}, lost)


class _Teller:
    """Tells how far a clip is, not more often than need be."""

    def __init__(self, progress: Callable[[float], None], in_s: float, end_s: float) -> None:
        self._progress, self._in_s, self._length_s = progress, in_s, max(end_s - in_s, 1e-9)
        self._share, self._told = 0.0, 0.0

    def at(self, time_s: float) -> None:
        """A frame of `time_s` was measured."""
        self._share = min(1.0, max(0.0, (time_s - self._in_s) / self._length_s))
        if time.monotonic() - self._told >= TICK_S:
            self.again()

    def again(self) -> None:
        """Tell the same once more; who listens may call the work off."""
        self._told = time.monotonic()
        self._progress(self._share)
