"""Frames as they come, each looked at once and forgotten: motion, cuts and mood of a picture that has no end."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.mood.now import energy_of, motion_level, valence_of
from hitpoint.model.video.detectors.camera import STILL, halved
from hitpoint.model.video.detectors.flow import FlowMeter
from hitpoint.model.video.detectors.motion import LONGEST_STEP_S, contrast_of
from hitpoint.model.video.detectors.palette import figures
from hitpoint.model.video.frames import Frame

SMOOTH_S = 0.3
"""Time constant of the motion that is told."""
COLOURS = 8
"""Steps of each of blue, green and red in a frame's histogram."""
LEAST_JUMP, TIMES_USUAL, USUAL_FRAMES = 0.3, 4.0, 12
"""A cut is a jump between two histograms (Bhattacharyya's distance, 0..1) of this much at least, and so many times what
is usual between the last frames; bench_live_input.py prints how many are found."""
CUT_GAP_S = 0.3
CONTRAST_S, LEAST_SPREAD = 60, 0.35
"""A picture's own contrast over the last seconds counts for a half, from a spread of its levels on."""
CUTS_WITHIN_S = 8.0


@dataclass(frozen=True)
class Sight:
    """motion, energy: 0..1; valence: -1..1; cut: size of a cut between the frame before and this one, 0 = none."""

    motion: float
    energy: float
    valence: float
    cut: float


class Watcher:
    """Looks at one frame after the other; keeps the last one, and a number a second of the last minute."""

    def __init__(self) -> None:
        self._meter = FlowMeter()
        self._last: Frame | None = None
        self._histogram: NDArray[np.float32] | None = None
        self._jumps: deque[float] = deque(maxlen=USUAL_FRAMES)
        self._cuts_s: deque[float] = deque(maxlen=64)
        self._motion = 0.0
        self._levels: deque[float] = deque(maxlen=CONTRAST_S)
        self._kept_s = float("-inf")

    def look(self, frame: Frame) -> Sight:
        """What the frame, later than those before it, shows."""
        cut = self._cut(frame)
        level = self._stretched(motion_level(self._moved(frame, cut > 0)), frame.time_s)
        bright, colour, _, _ = figures(frame)
        cuts = sum(frame.time_s - at_s <= CUTS_WITHIN_S for at_s in self._cuts_s)
        self._last = frame
        return Sight(level, energy_of(level, cuts / CUTS_WITHIN_S, bright, colour), valence_of(bright, colour), cut)

    def _moved(self, frame: Frame, is_cut: bool) -> float:
        """Smoothed motion in frame widths a second; across a cut it stays."""
        last = self._last
        step_s = 0.0 if last is None else frame.time_s - last.time_s
        if last is None or is_cut or last.luma.shape != frame.luma.shape or not 0.0 < step_s <= LONGEST_STEP_S:
            self._meter.restart()
            return self._motion
        small = halved(np.stack([last.luma, frame.luma]))
        own, structure = self._meter.measure(small, STILL[None], np.array([contrast_of(frame.luma)]))
        speed = float(own[0]) / max(float(structure[0]), 0.05) / step_s
        self._motion += (speed - self._motion) * min(1.0, step_s / SMOOTH_S)
        return self._motion

    def _cut(self, frame: Frame) -> float:
        import cv2

        found = cv2.calcHist([frame.bgr], [0, 1, 2], None, [COLOURS] * 3, [0, 256] * 3)
        before, self._histogram = self._histogram, np.asarray(found, np.float32)
        if before is None:
            return 0.0
        jump = float(cv2.compareHist(before, self._histogram, cv2.HISTCMP_BHATTACHARYYA))
        usual = sum(self._jumps) / len(self._jumps) if self._jumps else 0.0
        self._jumps.append(jump)
        gap_s = frame.time_s - self._cuts_s[-1] if self._cuts_s else float("inf")
        if jump < max(LEAST_JUMP, TIMES_USUAL * usual) or gap_s < CUT_GAP_S:
            return 0.0
        self._jumps.clear()
        self._cuts_s.append(frame.time_s)
        return min(1.0, 0.4 + jump)

    def _stretched(self, level: float, now_s: float) -> float:
        """Half the level itself, half its place among those of the last minute, as far as they differ."""
        if now_s - self._kept_s >= 1.0:
            self._kept_s = now_s
            self._levels.append(level)
        low, high = np.percentile(self._levels, [10.0, 90.0])
        share = min(1.0, float(high - low) / LEAST_SPREAD)
        place = min(1.0, max(0.0, (level - low) / max(float(high - low), LEAST_SPREAD)))
        return float((1.0 - share / 2) * level + share / 2 * place)
