"""Optical flow between neighbouring frames, summed up as a speed and a directogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors.base import Arrays, Detector, Part
from hitpoint.model.video.frames import Frame

ANGLE_BINS = 32
BORDER_SHARE = 0.05
"""Part of each edge that is not looked at: flow is least sure there (Davis & Agrawala 2018)."""


STRUCTURE = 4.0
"""Levels (0..255): flow counts half where the picture's local spread is this. Elsewhere flow is a guess."""
_STRUCTURE_PIXELS = 5


class MotionMeter:
    """Dense flow (DIS, Kroeger et al. 2016) from one frame to the next.

    All results are a share of the frame's width per frame pair; the caller divides by the time between them.
    """

    def __init__(self) -> None:
        import cv2

        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._flow.setFinestScale(1)
        self._flow.setVariationalRefinementIterations(3)  # none loses a tenth of the impacts, five find no more
        self._last: NDArray[np.uint8] | None = None
        self._field: NDArray[np.float32] | None = None

    def measure(self, luma: NDArray[np.uint8]) -> tuple[float, NDArray[np.float32]]:
        """(mean |flow|, directogram (ANGLE_BINS,)) since the frame before; zeros for the first one.

        The directogram is the mean over pixels of |flow| that points into each bin of angle; its sum is the speed.
        """
        last, self._last = self._last, luma
        if last is None or last.shape != luma.shape or np.array_equal(last, luma):
            self._field = None
            return 0.0, np.zeros(ANGLE_BINS, np.float32)
        # Begun at the flow before, true motion is followed on and the flow of grain, which has none, halves.
        self._field = np.asarray(self._flow.calc(last, luma, self._field), np.float32)  # type: ignore[arg-type]
        rows, columns = (round(side * BORDER_SHARE) for side in luma.shape)
        flow = self._field * (structure(luma) / luma.shape[1])[..., None]
        directogram = directions(flow[rows:-rows, columns:-columns])
        return float(directogram.sum()), directogram


class Motion(Detector):
    """`directogram` (n, ANGLE_BINS): flow into each frame, mean |flow| by angle as a share of the frame's width.

    In one clip that is a share a frame pair; `join` makes it a share a second of the edit.
    """

    name: ClassVar[str] = "motion"
    version: ClassVar[str] = f"1 {ANGLE_BINS}"
    is_handed_on: ClassVar[bool] = False

    def __init__(self) -> None:
        self._meter = MotionMeter()
        self._directograms: list[NDArray[np.float32]] = []

    def measure(self, frame: Frame) -> None:
        """Add the flow since the frame before."""
        self._directograms.append(self._meter.measure(frame.luma)[1])

    def finish(self) -> Arrays:
        """The directogram."""
        return {"directogram": np.asarray(self._directograms, np.float32)}

    @classmethod
    def black(cls, frames: int) -> Arrays:
        """Nothing moves."""
        return {"directogram": np.zeros((frames, ANGLE_BINS), np.float32)}

    @classmethod
    def join(cls, parts: Sequence[Part]) -> Arrays:
        """Flow per second of the edit, whatever the clips' rates."""
        return {"directogram": np.concatenate([part.arrays["directogram"] / part.steps_s[:, None] for part in parts])}


def structure(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far flow can be trusted (h, w), 0..1: the local variance of brightness against STRUCTURE squared."""
    import cv2

    size = (_STRUCTURE_PIXELS, _STRUCTURE_PIXELS)
    level = luma.astype(np.float32)
    mean = cv2.blur(level, size)
    variance = np.maximum(cv2.blur(level * level, size) - mean * mean, 0)
    return np.asarray(variance / (variance + STRUCTURE**2), np.float32)


def directions(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Directogram (ANGLE_BINS,) of a flow field (h, w, 2): mean |flow| by angle.

    Each vector is shared between the two nearest bins, so that a slow turn moves weight smoothly.
    """
    import cv2

    size, angle = cv2.cartToPolar(flow[..., 0], flow[..., 1])
    place = angle.ravel() * np.float32(ANGLE_BINS / (2 * np.pi))
    low = place.astype(np.int32)
    weight = size.ravel()
    upper = weight * (place - low)
    bins = np.bincount(low, weight - upper, ANGLE_BINS + 2)
    bins[1:] += np.bincount(low, upper, ANGLE_BINS + 2)[:-1]
    bins[: bins.size - ANGLE_BINS] += bins[ANGLE_BINS:]  # the circle closes
    return (bins[:ANGLE_BINS] / weight.size).astype(np.float32)
