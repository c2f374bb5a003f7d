"""The camera's own motion from each frame to the next, by a robust fit to tracked points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Images = NDArray[np.uint8]

BLOCK_PX = 10
"""One point is tracked in each block of so many pixels, an even number: the best corner of it."""
MIN_POINTS = 12
CORNER = 4e-5
"""Smallest eigenvalue of the gradient matrix, in the picture at half size, at which a corner counts half."""
SPREADS_PX = (1.0, 0.5, 0.3, 0.2)
"""Scale of the robust weights in each round of the fit (Geman & McClure 1987): only what moves alike is left."""
INLIER_PX = 0.35
REACH = (0.7, 0.35)
"""Share of the picture that points which agree must span, one way and the other: what is smaller is a thing in it."""
MUST_EXPLAIN = 0.97
"""A model is used only if it leaves less than this share of the change that no model at all would leave."""
STILL: Floats = np.eye(3)
"""The transform of a camera that stands still."""
_RIM_PX = 1
_LEAN = np.diag([0.5, 0.5, 1e-4])
"""What keeps a fit to few points from growing or turning the picture."""


class Camera:
    """Affine motion of the picture as a whole, a block of frames at a time.

    Corners spread evenly over the picture are tracked (pyramidal Lucas-Kanade), and an affine transform is fitted by
    iterated reweighting, begun at the weighted median. It stands only where points in most parts of the picture's rim
    agree with it, for a large thing that moves before a plain wall is not a moving camera.
    """

    def __init__(self, height: int, width: int) -> None:
        rows, columns = height // BLOCK_PX, width // BLOCK_PX
        y, x = np.mgrid[:rows, :columns]
        self.size = height, width
        self._shape = rows, columns
        self._corner = np.stack([x.ravel(), y.ravel()], axis=1) * BLOCK_PX
        self._part = (np.minimum(y * 3 // rows, 2) * 3 + np.minimum(x * 3 // columns, 2)).ravel()

    def measure(self, lumas: Images, small: Images, contrast: Floats) -> Floats:
        """(m, 3, 3): where points (x, y, 1) of each frame lie in the next, pixels; STILL where that cannot be told.

        lumas (m + 1, h, w), small: the same as `halved`. contrast (m,): spread of brightness of each next frame against
        that of a usual picture.
        """
        count = len(lumas) - 1
        points, weights = self._corners(small[:-1], contrast)
        flow = np.zeros(points.shape)
        differs = _differences(lumas[:-1], lumas[1:])
        for k in range(count):
            tracked = np.flatnonzero(weights[k])
            if len(tracked) < MIN_POINTS or differs[k] == 0:
                weights[k] = 0
                continue
            start = points[k, tracked]
            end, found = _track(lumas[k], lumas[k + 1], start)
            flow[k, tracked] = end - start
            weights[k, tracked[~found]] = 0
        moved = self._fit(points.astype(np.float64), flow, weights)
        seen = np.flatnonzero(np.any(moved != STILL, axis=(1, 2)))
        if len(seen):
            left = _differences(aligned(lumas[seen], moved[seen], lumas[seen + 1]), lumas[seen + 1])
            moved[seen[left >= MUST_EXPLAIN * differs[seen]]] = STILL
        return moved

    def _corners(self, small: Images, contrast: Floats) -> tuple[NDArray[np.float32], Floats]:
        """(points (m, p, 2) at full size, weights (m, p) 0..1): one a block; weight 0 where it shows no corner."""
        import cv2

        (rows, columns), side, count = self._shape, BLOCK_PX // 2, len(small)
        strength = np.asarray(cv2.cornerMinEigenVal(tall(small), 3)).reshape(small.shape)
        strength[:, :_RIM_PX] = strength[:, -_RIM_PX:] = 0  # where one frame of the block meets the next
        blocks = strength[:, : rows * side, : columns * side].reshape(count, rows, side, columns, side)
        blocks = blocks.transpose(0, 1, 3, 2, 4).reshape(count, rows * columns, -1)
        best = blocks.argmax(axis=2)
        value = np.take_along_axis(blocks, best[..., None], axis=2)[..., 0].astype(np.float64)
        weights = value / (value + CORNER * (contrast * contrast)[:, None])
        weights[weights <= 0.2] = 0
        points = self._corner + 2 * np.stack([best % side, best // side], axis=2) + 0.5
        return points.astype(np.float32), weights

    def _fit(self, points: Floats, flow: Floats, weights: Floats) -> Floats:
        """(m, 3, 3) from points and their flow (m, p, 2)."""
        height, width = self.size
        place = np.concatenate([(points - (width / 2, height / 2)) / width, np.ones((*weights.shape, 1))], axis=2)
        model = np.zeros((len(points), 3, 2))
        for axis in (0, 1):
            model[:, 2, axis] = _weighted_medians(flow[..., axis], weights)
        for spread_px in SPREADS_PX:
            off_px = np.square(flow - place @ model).sum(axis=2)
            weighted = (place * (weights / (1 + off_px / spread_px**2) ** 2)[..., None]).transpose(0, 2, 1)
            model = np.linalg.solve(weighted @ place + _LEAN, weighted @ flow)
        off_px = np.square(flow - place @ model).sum(axis=2)
        stands = self._stands(points, (weights > 0) & (off_px < INLIER_PX**2), weights > 0)
        moved = np.tile(STILL, (len(points), 1, 1))
        grown = model[:, :2].transpose(0, 2, 1) / width
        moved[:, :2, :2] += grown
        moved[:, :2, 2] = model[:, 2] - grown @ (width / 2, height / 2)
        moved[~stands] = STILL
        # What the last bits hold depends on how the sums were made.
        return np.asarray(np.round(moved, 7))

    def _stands(self, points: Floats, agrees: NDArray[np.bool_], is_there: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(m,): whether enough points, in enough parts of the picture, agree."""
        height, width = self.size
        frames = len(points)
        parts = self._part + 9 * np.arange(frames)[:, None]
        count, agreeing = (
            np.bincount(parts.ravel(), each.ravel(), 9 * frames).reshape(frames, 9) for each in (is_there, agrees)
        )
        rim = (count >= 2) & (np.arange(9) != 4)
        holds = (rim & (agreeing > 0.5 * count)).sum(axis=1)
        low, high = (
            fold(np.where(agrees[..., None], points, blank), axis=1) for fold, blank in ((np.min, 1e9), (np.max, -1e9))
        )
        reach = np.maximum(high - low, 0) / (width, height)
        return np.asarray(
            (is_there.sum(axis=1) >= MIN_POINTS)
            & (holds >= np.maximum(3, 0.5 * rim.sum(axis=1)))
            & (reach.max(axis=1) >= REACH[0])
            & (reach.min(axis=1) >= REACH[1])
        )


def _track(last: Images, luma: Images, start: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(where points (p, 2) of `last` went in `luma`, whether each was found)."""
    import cv2

    end, found, _ = cv2.calcOpticalFlowPyrLK(
        last,
        luma,
        start[:, None],
        None,
        winSize=(8, 8),
        maxLevel=2,
        criteria=(3, 12, 0.02),  # type: ignore[call-overload]
    )
    return end[:, 0], found.ravel() > 0


def _weighted_medians(values: Floats, weights: Floats) -> Floats:
    """(m,) of values (m, p)."""
    order = np.argsort(values, axis=1, kind="stable")
    total = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    middle = np.minimum((total < total[:, -1:] / 2).sum(axis=1), values.shape[1] - 1)
    return np.asarray(values[np.arange(len(values)), order[np.arange(len(values)), middle]])


def _differences(a: Images, b: Images) -> Floats:
    """(m,): mean difference of images (m, h, w) but for their rims, in levels."""
    import cv2

    change = np.asarray(cv2.absdiff(tall(a), tall(b))).reshape(a.shape)[:, 4:-4, 4:-4]
    return np.asarray(change.mean(axis=(1, 2), dtype=np.float64))


def tall(images: Images) -> Images:
    """Images (m, h, w) as one (m h, w), below each other: one call for all where each looks at its own pixels only."""
    return np.ascontiguousarray(images).reshape(-1, images.shape[2])


def halved(images: Images) -> Images:
    """Images (m, h, w) at half their size."""
    import cv2

    count, height, width = len(images), images.shape[1] // 2, images.shape[2] // 2
    whole = tall(images[:, : 2 * height, : 2 * width])
    small = cv2.resize(whole, (width, count * height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8).reshape(count, height, width)


def aligned(pictures: Images, moved: Floats, onto: Images) -> Images:
    """`pictures` (m, h, w) as the camera of `onto` would have seen them; what it never saw is taken from `onto`."""
    import cv2

    moves = np.abs(moved - STILL).max(axis=(1, 2)) >= 1e-6
    if not moves.any():
        return pictures
    size = (onto.shape[2], onto.shape[1])
    seen = np.where(moves[:, None, None], onto, pictures)
    for k in np.flatnonzero(moves).tolist():
        cv2.warpAffine(pictures[k], moved[k, :2], size, dst=seen[k], borderMode=cv2.BORDER_TRANSPARENT)
    return seen


def speed(moved: Floats, height: int, width: int) -> Floats:
    """(m, 4, 2): how far the picture moves by `moved` (m, 3, 3) at the middles of its four quarters, as a share of its
    width."""
    quarters = np.array([[x * width, y * height, 1.0] for x in (0.25, 0.75) for y in (0.25, 0.75)])
    return np.asarray((quarters @ (moved - STILL).transpose(0, 2, 1))[..., :2] / width)
