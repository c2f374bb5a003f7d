"""One pass over a clip: per frame a few numbers, whatever the film's length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError
from hitpoint.model.video import frames
from hitpoint.model.video.detectors.motion import MotionMeter
from hitpoint.model.video.detectors.shots import ShotMeter
from hitpoint.model.video.types import Clip


@dataclass(frozen=True)
class Features:
    """What was measured in each of n frames, in order of presentation.

    times_s (n,): of the file's own time. end_s: when the last frame goes. directogram (n, bins): flow into the frame,
    mean |flow| by angle as a share of the frame's width. luma_mean, luma_spread (n,): 0..255. histograms (n, bins):
    each sums to 1. cuts (k,): indices of frames that begin a shot.
    """

    times_s: NDArray[np.float64]
    end_s: float
    directogram: NDArray[np.float32]
    luma_mean: NDArray[np.float32]
    luma_spread: NDArray[np.float32]
    histograms: NDArray[np.float16]
    cuts: NDArray[np.int64]


def measure(clip: Clip, expected_s: float, progress: Callable[[float], None]) -> Features:
    """Decode the clip once and measure it. expected_s: its length, for `progress` (0..1).

    Raises InputError if fewer than two frames lie between its in and out points.
    """
    import cv2

    motion, shots = MotionMeter(), ShotMeter()
    times, directograms, means, spreads, histograms = [], [], [], [], []
    shown_s = 0.0
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # at this size a second thread costs more than it saves
    try:
        for frame in frames.read_frames(clip.path, clip.in_s, clip.out_s):
            mean, spread, histogram = shots.measure(frame.luma, frame.bgr)
            times.append(frame.time_s)
            directograms.append(motion.measure(frame.luma)[1])
            means.append(mean)
            spreads.append(spread)
            histograms.append(histogram)
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
    return Features(
        times_s=at_s,
        end_s=float(at_s[-1] + (shown_s or np.median(np.diff(at_s)))),
        directogram=np.asarray(directograms, np.float32),
        luma_mean=np.asarray(means, np.float32),
        luma_spread=np.asarray(spreads, np.float32),
        histograms=np.asarray(histograms, np.float16),
        cuts=np.asarray(shots.cuts(), np.int64),
    )
