"""What stops, and what goes back the way it came: signs of an impact that need no flow.

Flow loses a thing that moves further in a frame than it is wide, and at its rim it follows the background. So pictures
are compared instead, with the camera's motion taken out. Let D(a, b) be how much two frames differ around a place:

- it stops at c if D(c-j, c) is large and D(c, c+j) is nothing anywhere near;
- it turns back at c if D(c-j, c) and D(c, c+j) are large, and D(c-j, c+j) is small: the frames around c are alike.

Neither asks how fast it goes. Both are taken over two lags: a thirtieth of a second, for what happens at once (and
again about the middle between two frames), and a tenth, for what is soft or slow.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors.camera import STILL, aligned

CELL_PX = 4
SHORT_S, LONG_S = 1 / 30, 0.1
LONGEST_LAG = 7
"""Frames: the long lag at 66 a second, quicker than which no frames are looked at."""
USUAL_SPREAD = 40.0
"""Levels (0..255): spread of brightness of a usual picture. Flat or dark pictures are measured against their own."""
FLOOR, NOISE, EDGE = 2.0, 2.2, 0.4
"""What a pixel may change before it counts: so many levels, so many times the picture's usual change, and such a share
of its gradient: an edge that is a third of a pixel off is no motion."""
ALL_NOISE = 0.5
"""If most pixels change by this share of the picture's spread, it is grain, or a camera that cannot be followed."""
TOP = 60.0
"""Levels: more change than this counts no more, so that a white thing is no louder than a grey one."""
MIN_BEND_CELLS = 0.6
NAMES = ("change", "change_long", "stop", "stop_long", "turn", "turn_between", "turn_long", "bend", "fall", "area")
"""Columns of `Changes.rows`; all but the last in cells (CELL_PX squared) that change by USUAL_SPREAD levels."""


@dataclass
class _Seen:
    """One of the last frames. moved: where its points lie in the newest frame."""

    luma: NDArray[np.uint8]
    time_s: float
    moved: NDArray[np.float64]
    short: NDArray[np.float32] | None = None
    long: NDArray[np.float32] | None = None


class Changes:
    """Fed with frames and the camera's motion; `rows` holds one row of NAMES a frame."""

    def __init__(self) -> None:
        self.rows: list[NDArray[np.float32]] = []
        self._seen: deque[_Seen] = deque(maxlen=2 * LONGEST_LAG + 2)

    def restart(self) -> None:
        """Forget what was seen: nothing moves from there to here."""
        self._seen.clear()

    def measure(self, luma: NDArray[np.uint8], time_s: float, moved: NDArray[np.float64], contrast: float) -> None:
        """Add a frame. moved: as `Camera.measure` gives it, from the frame before."""
        for each in self._seen:
            each.moved = moved @ each.moved
        self._seen.append(_Seen(luma, time_s, STILL))
        self.rows.append(np.zeros(len(NAMES), np.float32))
        if len(self._seen) < 3:
            return
        threshold = _edges(luma)
        step_s = float(np.median(np.diff([each.time_s for each in self._seen])))
        short = max(1, round(SHORT_S / step_s))
        long = min(max(short + 1, round(LONG_S / step_s)), LONGEST_LAG)
        newest = self._seen[-1]
        newest.short = self._difference(short, threshold, contrast)
        newest.long = self._difference(long, threshold, contrast)
        self._at_once(short, threshold, contrast)
        self._softly(long, threshold, contrast)

    def _difference(self, lag: int, threshold: NDArray[np.uint8], contrast: float) -> NDArray[np.float32] | None:
        """How much the newest frame differs from that `lag` before it, cell by cell, 0..TOP / USUAL_SPREAD."""
        import cv2

        if lag >= len(self._seen):
            return None
        newest, before = self._seen[-1], self._seen[-1 - lag]
        change = cv2.absdiff(aligned(before.luma, before.moved, newest.luma), newest.luma)
        sample = change[1::3, 1::3].ravel()
        usual = float(np.partition(sample, sample.size * 6 // 10)[sample.size * 6 // 10])
        if usual > ALL_NOISE * USUAL_SPREAD * contrast:
            return np.zeros((change.shape[0] // CELL_PX, change.shape[1] // CELL_PX), np.float32)
        limit = cv2.convertScaleAbs(threshold, alpha=EDGE, beta=FLOOR * contrast + NOISE * usual)
        beyond = cv2.threshold(cv2.subtract(change, limit), TOP * contrast, 0, cv2.THRESH_TRUNC)[1]
        height, width = beyond.shape[0] // CELL_PX, beyond.shape[1] // CELL_PX
        cells = cv2.resize(beyond, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
        cells[[0, -1]] = 0
        cells[:, [0, -1]] = 0
        return np.asarray(cells / np.float32(USUAL_SPREAD * contrast), np.float32)

    def _at_once(self, lag: int, threshold: NDArray[np.uint8], contrast: float) -> None:
        """Stops and turns at the frame `lag` before the newest, and between it and the one before."""
        after = self._seen[-1].short
        if after is None:
            return
        row = self.rows[-1 - lag]
        across = self._difference(2 * lag, threshold, contrast)
        before = self._map(lag, "short")
        if before is not None:
            row[NAMES.index("change")] = before.sum(dtype=np.float64)
            row[NAMES.index("area")] = np.count_nonzero(before > 0.05) / before.size
            row[NAMES.index("stop")] = _gone(before, after)
            row[NAMES.index("fall")] = _faded(before, after)
            if across is not None:
                row[NAMES.index("turn")] = _turned(before, after, across)
        earlier = self._map(2 * lag, "short")
        if before is not None and earlier is not None:
            row[NAMES.index("bend")] = _bent(earlier, before, after)
        before, across = self._map(lag + 1, "short"), self._difference(2 * lag + 1, threshold, contrast)
        if before is not None and across is not None:
            self.rows[-2 - lag][NAMES.index("turn_between")] = _turned(before, after, across)

    def _softly(self, lag: int, threshold: NDArray[np.uint8], contrast: float) -> None:
        """The same over the long lag."""
        before, after = self._map(lag, "long"), self._seen[-1].long
        if before is None or after is None:
            return
        row = self.rows[-1 - lag]
        row[NAMES.index("change_long")] = before.sum(dtype=np.float64)
        row[NAMES.index("stop_long")] = _faded(before, after)
        across = self._difference(2 * lag, threshold, contrast)
        if across is not None:
            row[NAMES.index("turn_long")] = _turned(before, after, across)

    def _map(self, lag: int, kind: str) -> NDArray[np.float32] | None:
        """A difference measured `lag` frames ago, where the newest frame sees it."""
        import cv2

        if lag >= len(self._seen):
            return None
        then = self._seen[-1 - lag]
        cells = then.short if kind == "short" else then.long
        shift = then.moved[:2, 2] / CELL_PX
        if cells is None or np.abs(shift).max() < 0.5:
            return cells
        size = (cells.shape[1], cells.shape[0])
        return np.asarray(cv2.warpAffine(cells, np.column_stack([np.eye(2), shift]), size), np.float32)


def _edges(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gradient (h, w) in levels a pixel."""
    import cv2

    across, down = (cv2.convertScaleAbs(cv2.Sobel(luma, cv2.CV_16S, dx, 1 - dx), alpha=0.25) for dx in (1, 0))
    return np.asarray(cv2.addWeighted(across, 0.5, down, 0.5, 0), np.uint8)


def _gone(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Change that was there before, and none near it after."""
    import cv2

    return float(cv2.subtract(before, cv2.dilate(after, np.ones((7, 7), np.uint8))).clip(0).sum(dtype=np.float64))


def _regions(*maps: NDArray[np.float32]) -> tuple[NDArray[np.int64], int]:
    """(region of each cell (cells,), how many) of all the change in `maps`; a gap of four cells parts two regions."""
    import cv2

    changed = (np.maximum.reduce(maps) > 0.01).astype(np.uint8)
    count, labels = cv2.connectedComponents(cv2.dilate(changed, np.ones((5, 5), np.uint8)))
    return labels.ravel().astype(np.int64), count


def _faded(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Change before, less twice the change after, region by region: a thing that moves on is as much change after."""
    labels, count = _regions(before, after)
    total = [np.bincount(labels, each.ravel(), count)[1:] for each in (before, after)]
    return float(np.maximum(total[0] - 2 * total[1], 0).sum())


def _turned(before: NDArray[np.float32], after: NDArray[np.float32], across: NDArray[np.float32]) -> float:
    """Change that is undone, region by region: the mean of before and after, less what is left across both."""
    labels, count = _regions(before, after, across)
    total = [np.bincount(labels, each.ravel(), count)[1:] for each in (before, after, across)]
    return float(np.maximum((total[0] + total[1]) / 2 - total[2], 0).sum())


def _bent(first: NDArray[np.float32], second: NDArray[np.float32], third: NDArray[np.float32]) -> float:
    """Change whose middle goes elsewhere than it was going, region by region: times the bend's share of the way.

    The middle of the change between two frames is where the thing was halfway, however fast it goes.
    """
    labels, count = _regions(first, second, third)
    if count < 2:
        return 0.0
    rows, columns = first.shape
    y, x = np.divmod(np.arange(rows * columns), columns)
    weights = [each.ravel() for each in (first, second, third)]
    total = np.array([np.bincount(labels, each, count)[1:] for each in weights])
    middle = np.array([[np.bincount(labels, each * axis, count)[1:] for axis in (x, y)] for each in weights])
    middle /= np.maximum(total, 1e-6)[:, None]
    way = np.diff(middle, axis=0)
    bend = np.hypot(*(way[1] - way[0]))
    share = np.clip(bend - MIN_BEND_CELLS, 0, None) / (np.hypot(*way[0]) + np.hypot(*way[1]) + 1.0)
    return float((total.min(axis=0) * np.minimum(share, 1.0)).sum())
