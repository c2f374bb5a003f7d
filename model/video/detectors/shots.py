"""Shot boundaries: what is measured of each frame, and which cuts, transitions and flashes it makes."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors import shot_network
from hitpoint.model.video.detectors.base import Arrays, Detector, Part
from hitpoint.model.video.detectors.shot_choice import MIN_SURE, choose, find_flashes
from hitpoint.model.video.detectors.shot_looks import HISTOGRAM_BINS, Looks, histogram
from hitpoint.model.video.detectors.shot_signs import signs, thumbnail
from hitpoint.model.video.detectors.shot_steps import Steps, Stretch
from hitpoint.model.video.frames import Frame

BLACK_FRAMES = 2
_LUMA_BLACK = 16.0


class Shots(Detector):
    """`luma_mean`, `luma_spread` (n,): 0..255 above black. `histograms` (h, HISTOGRAM_BINS): each sums to 1, and is
    the mean of `histogram_counts` (h,) frames that look alike, from `histogram_frames` (h,) on.
    `cuts` (k,): indices of the frames that begin a shot; in an edit, those that begin a part of it too.
    `cut_sure` (k,): 0..1; 1 where a part begins. `transitions` (m, 3): first, middle and last frame of each dissolve,
    wipe or fade; `transition_sure` (m,): 0..1. `flashes` (f,): frames at which a flash is brightest;
    `flash_sizes` (f,): by how much of the whole range it is brighter than the picture around it.
    """

    name: ClassVar[str] = "shots"
    version: ClassVar[str] = f"4 {HISTOGRAM_BINS} {shot_network.digest()}"
    event_arrays: ClassVar[frozenset[str]] = frozenset(
        {
            "cuts",
            "cut_sure",
            "transitions",
            "transition_sure",
            "flashes",
            "flash_sizes",
            "histograms",
            "histogram_frames",
            "histogram_counts",
        }
    )
    is_handed_on: ClassVar[bool] = False

    def __init__(self) -> None:
        self._steps = Steps()
        self._times_s, self._means, self._spreads = array("d"), array("f"), array("f")
        self._looks = Looks()
        self._frames: list[NDArray[np.int64]] = []
        self._sure: list[NDArray[np.float32]] = []

    def measure(self, frame: Frame) -> None:
        """Add the frame's brightness and colours, and judge those that enough is known around."""
        import cv2

        mean, spread = cv2.meanStdDev(frame.luma)
        look = histogram(frame.bgr)
        self._looks.add(look, len(self._times_s), frame.time_s)
        self._means.append(max(0.0, float(mean[0, 0]) - _LUMA_BLACK))
        self._spreads.append(float(spread[0, 0]))
        self._times_s.append(frame.time_s)
        self._steps.add(thumbnail(frame.luma, frame.bgr, look), frame.time_s)
        for stretch in self._steps.stretches():
            self._judge(stretch)

    def _judge(self, stretch: Stretch) -> None:
        sure = shot_network.judge(signs(stretch.pictures, stretch.shown, stretch.moments))
        kept = sure.max(axis=1) >= MIN_SURE
        self._frames.append(stretch.frames[kept])
        self._sure.append(sure[kept])

    def finish(self) -> Arrays:
        """Brightness, colours, cuts, transitions and flashes."""
        for stretch in self._steps.stretches(is_last=True):
            self._judge(stretch)
        times_s, luma = np.array(self._times_s, np.float64), np.array(self._means, np.float32)
        frames = np.concatenate([np.zeros(0, np.int64), *self._frames])
        sure = np.concatenate([np.zeros((0, 2), np.float32), *self._sure])
        spread = np.array(self._spreads, np.float32)
        chosen = choose(times_s, spread, frames, sure)
        looks: dict[str, NDArray[Any]] = {
            "luma_mean": luma,
            "luma_spread": spread,
        }
        return looks | self._looks.arrays() | chosen | find_flashes(times_s, luma)

    @classmethod
    def black(cls, frames: int) -> Arrays:
        """No hue, no saturation, no value."""
        looked = np.arange(0, frames, BLACK_FRAMES)
        histograms = np.zeros((len(looked), HISTOGRAM_BINS), np.float16)
        histograms[:, 0] = 1.0
        dark = np.zeros(frames, np.float32)
        looks: dict[str, NDArray[Any]] = {
            "luma_mean": dark,
            "luma_spread": dark,
            "histograms": histograms,
            "histogram_frames": looked,
            "histogram_counts": np.ones(len(looked), np.int64),
        }
        times_s, none = np.arange(frames, dtype=np.float64), np.zeros(0, np.int64)
        return looks | choose(times_s, dark, none, np.zeros((0, 2), np.float32)) | find_flashes(times_s, dark)

    @classmethod
    def join(cls, parts: Sequence[Part]) -> Arrays:
        """Frames are counted through the edit; where a part begins, a shot begins."""
        joined = dict(super().join(parts))
        for name in ("cuts", "transitions", "flashes", "histogram_frames"):
            joined[name] = np.concatenate([part.arrays[name] + part.first for part in parts])
        firsts = np.array([part.first for part in parts], np.int64)
        inner = ~np.isin(joined["cuts"], firsts)
        cuts = np.concatenate([firsts, joined["cuts"][inner]])
        sure = np.concatenate([np.ones(len(firsts), np.float32), joined["cut_sure"][inner]])
        order = np.argsort(cuts, kind="stable")
        return joined | {"cuts": cuts[order], "cut_sure": sure[order]}
