"""What becomes of change, region by region: whether it ends, fades, is undone, or turns aside.

All take maps of a block of frames at once, (m, rows + PAD, columns) in cells, whose outermost cells and last PAD rows
are empty, so that the maps can lie below each other as one picture; and give one sign a frame.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors.camera import Floats

Maps = NDArray[np.float32]

Sign = tuple[Floats, Floats]
"""One number a frame (m,), and the part of it that lies at the picture's rim, where things come and go."""

PAD = 3
"""Empty rows that keep the regions of one map from those of the next."""
CHANGED = 0.01
MIN_BEND_CELLS = 0.6
_RIM_CELLS = 3
_NEAR_CELLS = np.ones((7, 7), np.uint8)
_GAP_CELLS = np.ones((5, 5), np.uint8)


class _Regions:
    """The regions of all the change in some maps; a gap of four cells parts two."""

    def __init__(self, *maps: Maps) -> None:
        import cv2

        self.shape = maps[0].shape
        rows, columns = self.shape[1] - PAD, self.shape[2]
        changed = np.maximum.reduce([each.reshape(-1, columns) for each in maps]) > CHANGED
        count, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(changed.view(np.uint8), _GAP_CELLS))
        self._count, self._labels = count, labels.ravel()
        left, top, wide, high = stats[1:, : cv2.CC_STAT_AREA].T
        self._frame = np.minimum((top + high // 2) // self.shape[1], self.shape[0] - 1)
        top = top - self._frame * self.shape[1]
        self._is_rim = (left <= 0) | (left + wide >= columns) | (top <= 0) | (top + high >= rows)

    def totals(self, values: NDArray[np.float32] | Floats) -> Floats:
        """(regions,): the sum of a map's values in each."""
        return np.asarray(np.bincount(self._labels, values.ravel(), self._count)[1:], np.float64)

    def by_frame(self, values: Floats) -> Sign:
        """The sum of each frame's regions, and of those at the picture's rim."""
        every, rim = (np.bincount(self._frame, each, self.shape[0]) for each in (values, values * self._is_rim))
        return np.asarray(every, np.float64), np.asarray(rim, np.float64)


def gone(before: Maps, after: Maps) -> Sign:
    """Change that was there before, and none near it after."""
    import cv2

    near = np.asarray(cv2.dilate(after.reshape(-1, after.shape[2]), _NEAR_CELLS)).reshape(after.shape)
    left = np.maximum(before - near, 0)
    every, inner = summed(left), summed(left[:, _RIM_CELLS : -_RIM_CELLS - PAD, _RIM_CELLS:-_RIM_CELLS])
    return every, every - inner


def faded(before: Maps, after: Maps) -> Sign:
    """Change before, less twice the change after, region by region: a thing that moves on is as much change after."""
    regions = _Regions(before, after)
    return regions.by_frame(np.maximum(regions.totals(before) - 2 * regions.totals(after), 0))


def faded_and_risen(before: Maps, after: Maps) -> tuple[Sign, Sign]:
    """`faded`, and the same the other way round."""
    regions = _Regions(before, after)
    first, second = regions.totals(before), regions.totals(after)
    both = (regions.by_frame(np.maximum(a - 2 * b, 0)) for a, b in ((first, second), (second, first)))
    fallen, risen = both
    return fallen, risen


def turned(before: Maps, after: Maps, across: Maps) -> Sign:
    """Change that is undone, region by region: the mean of before and after, less what is left across both."""
    regions = _Regions(before, after, across)
    total = [regions.totals(each) for each in (before, after, across)]
    return regions.by_frame(np.maximum((total[0] + total[1]) / 2 - total[2], 0))


def bent(first: Maps, second: Maps, third: Maps) -> Sign:
    """Change whose middle goes elsewhere than it was going, region by region: times the bend's share of the way.

    The middle of the change between two frames is where the thing was halfway, however fast it goes.
    """
    regions = _Regions(first, second, third)
    y, x = np.mgrid[: first.shape[0] * first.shape[1], : first.shape[2]].astype(np.float32)
    total = np.array([regions.totals(each) for each in (first, second, third)])
    middle = np.array(
        [[regions.totals(each.reshape(x.shape) * axis) for axis in (x, y)] for each in (first, second, third)]
    )
    middle /= np.maximum(total, 1e-6)[:, None]
    way = np.diff(middle, axis=0)
    bend = np.hypot(*(way[1] - way[0]))
    share = np.clip(bend - MIN_BEND_CELLS, 0, None) / (np.hypot(*way[0]) + np.hypot(*way[1]) + 1.0)
    return regions.by_frame(total.min(axis=0) * np.minimum(share, 1.0))


def summed(maps: Maps) -> Floats:
    """(m,): the sum of each map; in double precision, so that it does not hang on the order of summing."""
    return np.asarray(maps.reshape(len(maps), -1).sum(axis=1, dtype=np.float64))
