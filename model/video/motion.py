"""Optical flow between neighbouring frames, summed up as a speed and a directogram."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ANGLE_BINS = 32
BORDER_SHARE = 0.05
"""Part of each edge that is not looked at: flow is least sure there (Davis & Agrawala 2018)."""


class MotionMeter:
    """Dense flow (DIS, Kroeger et al. 2016) from one frame to the next.

    All results are a share of the frame's width per frame pair; the caller divides by the time between them.
    """

    def __init__(self) -> None:
        import cv2

        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._flow.setFinestScale(1)
        self._last: NDArray[np.uint8] | None = None

    def measure(self, luma: NDArray[np.uint8]) -> tuple[float, NDArray[np.float32]]:
        """(mean |flow|, directogram (ANGLE_BINS,)) since the frame before; zeros for the first one.

        The directogram is the mean over pixels of |flow| that points into each bin of angle; its sum is the speed.
        """
        last, self._last = self._last, luma
        if last is None or last.shape != luma.shape or np.array_equal(last, luma):
            return 0.0, np.zeros(ANGLE_BINS, np.float32)
        flow = self._flow.calc(last, luma, None)  # type: ignore[call-overload]
        rows, columns = (round(side * BORDER_SHARE) for side in luma.shape)
        inner = flow[rows:-rows, columns:-columns] / luma.shape[1]
        directogram = directions(inner)
        return float(directogram.sum()), directogram


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
