"""One pass over a clip: per frame a few numbers, whatever the film's length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError
from hitpoint.model.video import frames
from hitpoint.model.video.detectors.base import Arrays
from hitpoint.model.video.detectors.registry import registered
from hitpoint.model.video.types import Clip


@dataclass(frozen=True)
class Features:
    """What the detectors measured in n frames, in order of presentation.

    times_s (n,): of the file's own time. end_s: when the last frame goes. arrays: by detector, then by name.
    """

    times_s: NDArray[np.float64]
    end_s: float
    arrays: Mapping[str, Arrays]


def version() -> str:
    """Changes whenever the same film would give other features: the frames' size and every detector's own version."""
    return " ".join([f"frames {frames.LONG_SIDE}", *(f"{each.name} {each.version}" for each in registered())])


def measure(clip: Clip, expected_s: float, progress: Callable[[float], None]) -> Features:
    """Decode the clip once and show each frame to every detector. expected_s: its length, for `progress` (0..1).

    Raises InputError if fewer than two frames lie between its in and out points.
    """
    import cv2

    detectors = [each() for each in registered()]
    times: list[float] = []
    shown_s = 0.0
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # at this size a second thread costs more than it saves
    try:
        for frame in frames.read_frames(clip.path, clip.in_s, clip.out_s):
            for detector in detectors:
                detector.measure(frame)
            times.append(frame.time_s)
            shown_s = frame.duration_s
            if len(times) % 50 == 0:
                progress(min(1.0, (frame.time_s - clip.in_s) / max(expected_s, 1e-9)))
    finally:
        cv2.setNumThreads(threads)
    if len(times) < 2:
        raise InputError(
            f"{clip.path.name} shows {'one frame' if times else 'no frame'} only from {clip.in_s:g} s on; "
            "choose an earlier in point or a later out point."
        )
    at_s = np.asarray(times, np.float64)
    end_s = float(at_s[-1] + (shown_s or np.median(np.diff(at_s))))
    return Features(at_s, end_s, {detector.name: detector.finish() for detector in detectors})
