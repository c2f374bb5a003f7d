"""The camera's own motion from one frame to the next, by a robust fit to tracked points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK_PX = 8
"""One point is tracked in each block of so many pixels: the best corner of it."""
MIN_POINTS = 12
CORNER = 2e-5
"""Smallest eigenvalue of the gradient matrix at which a corner counts half."""
SPREADS_PX = (1.0, 0.5, 0.3, 0.2)
"""Scale of the robust weights in each round of the fit (Geman & McClure 1987): only what moves alike is left."""
INLIER_PX = 0.35
REACH = (0.7, 0.35)
"""Share of the picture that points which agree must span, one way and the other: what is smaller is a thing in it."""
MUST_EXPLAIN = 0.97
"""A model is used only if it leaves less than this share of the change that no model at all would leave."""
STILL: NDArray[np.float64] = np.eye(3)
"""The transform of a camera that stands still."""


class Camera:
    """Affine motion of the picture as a whole.

    Corners spread evenly over the picture are tracked (pyramidal Lucas-Kanade), and an affine transform is fitted by
    iterated reweighting, begun at the weighted median. It stands only where points in most parts of the picture's rim
    agree with it, for a large thing that moves before a plain wall is no camera.
    """

    def __init__(self, height: int, width: int) -> None:
        rows, columns = height // BLOCK_PX, width // BLOCK_PX
        y, x = np.mgrid[:rows, :columns]
        self.size = height, width
        self._shape = rows, columns
        self._corner = np.stack([x.ravel(), y.ravel()], axis=1) * BLOCK_PX
        self._part = (np.minimum(y * 3 // rows, 2) * 3 + np.minimum(x * 3 // columns, 2)).ravel()

    def measure(self, last: NDArray[np.uint8], luma: NDArray[np.uint8], contrast: float) -> NDArray[np.float64]:
        """(3, 3): where points (x, y, 1) of `last` lie in `luma`, pixels; STILL where that cannot be told.

        contrast: spread of brightness against that of a usual picture.
        """
        import cv2

        points, weights, part = self._corners(last, contrast)
        if len(points) < MIN_POINTS:
            return STILL
        ends, found, _ = cv2.calcOpticalFlowPyrLK(
            last,
            luma,
            points[:, None],
            None,
            winSize=(9, 9),
            maxLevel=2,
            criteria=(3, 12, 0.02),  # type: ignore[call-overload]
        )
        is_found = found.ravel() > 0
        moved = self._fit(points[is_found], (ends[:, 0] - points)[is_found], weights[is_found], part[is_found])
        if moved is None:
            return STILL
        inside = (slice(4, -4), slice(4, -4))
        unexplained = cv2.absdiff(aligned(last, moved, luma), luma)[inside].mean()
        return moved if unexplained < MUST_EXPLAIN * cv2.absdiff(last, luma)[inside].mean() else STILL

    def _corners(
        self, luma: NDArray[np.uint8], contrast: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """(points (n, 2), weights (n,) 0..1, part of the picture (n,) 0..8) of the blocks that show a corner."""
        import cv2

        rows, columns = self._shape
        height, width = rows * BLOCK_PX, columns * BLOCK_PX
        strength = np.asarray(cv2.cornerMinEigenVal(luma, 3))[:height, :width]
        blocks = strength.reshape(rows, BLOCK_PX, columns, BLOCK_PX).transpose(0, 2, 1, 3).reshape(rows * columns, -1)
        best = blocks.argmax(axis=1)
        value = blocks[np.arange(len(best)), best]
        weights = value / (value + np.float32(CORNER * contrast * contrast))
        keep = weights > 0.2
        points = (self._corner + np.stack([best % BLOCK_PX, best // BLOCK_PX], axis=1))[keep]
        return points.astype(np.float32), weights[keep], self._part[keep]

    def _fit(
        self,
        points: NDArray[np.float32],
        flow: NDArray[np.float32],
        weights: NDArray[np.float32],
        part: NDArray[np.int64],
    ) -> NDArray[np.float64] | None:
        if len(points) < MIN_POINTS:
            return None
        height, width = self.size
        place = np.column_stack([(points - (width / 2, height / 2)) / width, np.ones(len(points))])
        model = np.zeros((3, 2))
        model[2] = [_weighted_median(flow[:, axis], weights) for axis in (0, 1)]
        for spread_px in SPREADS_PX:
            off_px = np.hypot(*(flow - place @ model).T)
            weighted = place * (weights / (1 + (off_px / spread_px) ** 2) ** 2)[:, None]
            model = np.linalg.solve(weighted.T @ place + np.diag([0.5, 0.5, 1e-4]), weighted.T @ flow)
        agrees = np.hypot(*(flow - place @ model).T) < INLIER_PX
        count = np.bincount(part, minlength=9)
        rim = (count >= 2) & (np.arange(9) != 4)
        agreeing = rim & (np.bincount(part, agrees, 9) > 0.5 * count)
        reach = np.ptp(points[agrees], axis=0) / (width, height) if agrees.any() else np.zeros(2)
        if agreeing.sum() < max(3, 0.5 * rim.sum()) or reach.max() < REACH[0] or reach.min() < REACH[1]:
            return None
        moved = np.eye(3)
        moved[:2, :2] += model[:2].T / width
        moved[:2, 2] = model[2] - (model[0] * width / 2 + model[1] * height / 2) / width
        return moved


def _weighted_median(values: NDArray[np.float32], weights: NDArray[np.float32]) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(total, total[-1] / 2)]])


def aligned(picture: NDArray[np.uint8], moved: NDArray[np.float64], onto: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`picture` as the camera of `onto` would have seen it; what it never saw is taken from `onto`."""
    import cv2

    if np.abs(moved - STILL).max() < 1e-6:
        return picture
    size = (onto.shape[1], onto.shape[0])
    seen = cv2.warpAffine(picture, moved[:2], size, dst=onto.copy(), borderMode=cv2.BORDER_TRANSPARENT)
    return np.asarray(seen, np.uint8)


def speed(moved: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """(4, 2): how far the picture moves by `moved` at the middles of its four quarters, as a share of its width."""
    quarters = np.array([[x * width, y * height, 1.0] for x in (0.25, 0.75) for y in (0.25, 0.75)])
    return np.asarray((quarters @ (moved - STILL).T)[:, :2] / width)
