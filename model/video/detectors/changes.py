"""What stops, and what goes back the way it came: signs of an impact that need no flow.

Flow loses a thing that moves further in a frame than it is wide, and at its rim it follows the background. So pictures
are compared instead, with the camera's motion taken out. Let D(a, b) be how much two frames differ around a place:

- it stops at c if D(c-j, c) is large and D(c, c+j) is nothing anywhere near;
- it turns back at c if D(c-j, c) and D(c, c+j) are large, and D(c-j, c+j) is small: the frames around c are alike.

Neither asks how fast it goes. Both are taken over two lags: a thirtieth of a second, for what happens at once (and
again about the middle between two frames), and a tenth, for what is soft or slow.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors.base import Rows
from hitpoint.model.video.detectors.camera import Floats, Images, aligned, tall
from hitpoint.model.video.detectors.regions import PAD, Maps, Sign, bent, faded, faded_and_risen, gone, summed, turned

CELL_PX = 4
SHORT_S, LONG_S = 1 / 30, 0.1
LONGEST_LAG = 7
"""Frames: more than the long lag at the quickest rate that is looked at (`cadence.QUICKEST_S`)."""
HISTORY = 2 * LONGEST_LAG + 1
"""Frames before a block that are compared with those in it."""
USUAL_SPREAD = 40.0
"""Levels (0..255): spread of brightness of a usual picture. Flat or dark pictures are measured against their own."""
FLOOR, NOISE, EDGE = 2.0, 2.2, 0.4
"""What a pixel may change before it counts: so many levels, so many times the picture's usual change, and such a share
of its gradient: an edge that is a third of a pixel off is not motion."""
ALL_NOISE = 0.5
"""If most pixels change by this share of the picture's spread, it is grain, or a camera that cannot be followed."""
TOP = 60.0
"""Levels: more change than this counts no more, so that a white thing is no louder than a grey one."""
NAMES = (
    "change",
    "change_long",
    "stop",
    "stop_long",
    "turn",
    "turn_between",
    "turn_long",
    "bend",
    "fall",
    "area",
    "rise",
    "rim",
)
"""Columns of `Changes.finish`; all but "area" in cells (CELL_PX squared) that change by USUAL_SPREAD levels. "rim": the
part of the sharp signs that lies at the picture's rim."""
_SHARP = {"stop": 1.0, "fall": 0.5, "turn": 2.0, "turn_between": 2.0, "bend": 1.5}


@dataclass
class _Seen:
    """The last frames (n, …), and what was found of them so far.

    lumas: cut to whole cells. moved: the camera's motion from the frame before. maps and known: by lag, "short" or
    "long", how much each frame differs from that so far before it, and whether that could be told.
    """

    lumas: Images
    times_s: Floats
    moved: Floats
    contrast: Floats
    rows: NDArray[np.float32]
    maps: dict[str, Maps] = field(default_factory=dict)
    known: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    @classmethod
    def of(cls, lumas: Images, times_s: Floats, moved: Floats, contrast: Floats) -> _Seen:
        """Frames of which nothing was found yet."""
        count, height, width = len(lumas), lumas.shape[1] // CELL_PX, lumas.shape[2] // CELL_PX
        lumas = lumas[:, : height * CELL_PX, : width * CELL_PX]
        seen = cls(lumas, times_s, moved, contrast, np.zeros((count, len(NAMES)), np.float32))
        for kind in ("short", "long"):
            seen.maps[kind] = np.zeros((count, height + PAD, width), np.float32)
            seen.known[kind] = np.zeros(count, bool)
        return seen

    def joined(self, after: _Seen) -> _Seen:
        """These frames, and those that follow."""
        return _Seen(
            np.concatenate([self.lumas, after.lumas]),
            np.concatenate([self.times_s, after.times_s]),
            np.concatenate([self.moved, after.moved]),
            np.concatenate([self.contrast, after.contrast]),
            np.concatenate([self.rows, after.rows]),
            {kind: np.concatenate([maps, after.maps[kind]]) for kind, maps in self.maps.items()},
            {kind: np.concatenate([known, after.known[kind]]) for kind, known in self.known.items()},
        )

    def last(self, count: int) -> _Seen:
        """The last so many of them."""
        return _Seen(
            self.lumas[-count:],
            self.times_s[-count:],
            self.moved[-count:],
            self.contrast[-count:],
            self.rows[-count:],
            {kind: maps[-count:] for kind, maps in self.maps.items()},
            {kind: known[-count:] for kind, known in self.known.items()},
        )


class Changes:
    """Fed with blocks of frames and the camera's motion; gives one row of NAMES a frame.

    A frame is judged by those around it, so the last of a block get their rows with the next.
    """

    def __init__(self) -> None:
        self._done = Rows((len(NAMES),), np.float32)
        self._seen: _Seen | None = None

    def restart(self) -> None:
        """Forget what was seen: nothing moves from there to here."""
        if self._seen is not None:
            self._done.extend(self._seen.rows)
        self._seen = None

    def measure(self, lumas: Images, times_s: Floats, moved: Floats, contrast: Floats) -> None:
        """Add frames (m, …). moved: as `Camera.measure` gives it, from the frame before each."""
        new = _Seen.of(lumas, times_s, moved, contrast)
        seen = new if self._seen is None else self._seen.joined(new)
        if len(seen.times_s) > 2:
            _Block(seen, len(seen.times_s) - len(new.times_s)).judge()
        self._done.extend(seen.rows[:-HISTORY])
        self._seen = seen.last(HISTORY)

    def finish(self) -> NDArray[np.float32]:
        """(n, len(NAMES)): the rows of all frames."""
        self.restart()
        return self._done.array()


class _Block:
    """Compares the frames from `first` on with those before them, and fills their rows."""

    def __init__(self, seen: _Seen, first: int) -> None:
        import cv2

        self._seen, self._first, self._count = seen, first, len(seen.times_s) - first
        self._new = seen.lumas[first:]
        self._scale = (USUAL_SPREAD * seen.contrast[first:]).astype(np.float32)
        edges = cv2.convertScaleAbs(_gradient(tall(self._new)), alpha=EDGE)
        self._edges = np.asarray(edges, np.uint8)
        self._travelled: dict[int, Floats] = {}
        self._found: dict[int, tuple[Maps, NDArray[np.bool_]]] = {}

    def judge(self) -> None:
        """Fill the rows of every sign."""
        step_s = float(np.median(np.diff(self._seen.times_s)))
        short = min(max(1, round(SHORT_S / step_s)), LONGEST_LAG - 1)
        long = min(max(short + 1, round(LONG_S / step_s)), LONGEST_LAG)
        for kind, lag in (("short", short), ("long", long)):
            maps, known = self._difference(lag)
            self._seen.maps[kind][self._first :], self._seen.known[kind][self._first :] = maps, known
        self._at_once(short)
        self._softly(long)

    def _at_once(self, lag: int) -> None:
        """Stops and turns at the frame `lag` before each, and between it and the one before."""
        after, is_after = self._map(0, "short")
        before, is_before = self._map(lag, "short")
        across, is_across = self._difference(2 * lag)
        both = is_before & is_after
        cells = (after.shape[1] - PAD) * after.shape[2]
        fallen, risen = faded_and_risen(before, after)
        self._write("change", lag, summed(before), both)
        self._write("area", lag, np.count_nonzero(before > 0.05, axis=(1, 2)) / cells, both)
        self._write("rise", lag, risen[0], both)
        self._add("stop", lag, gone(before, after), both)
        self._add("fall", lag, fallen, both)
        self._add("turn", lag, turned(before, after, across), both & is_across)
        earlier, is_earlier = self._map(2 * lag, "short")
        self._add("bend", lag, bent(earlier, before, after), both & is_earlier)
        before, is_before = self._map(lag + 1, "short")
        across, is_across = self._difference(2 * lag + 1)
        self._add("turn_between", lag + 1, turned(before, after, across), is_before & is_after & is_across)

    def _softly(self, lag: int) -> None:
        """The same over the long lag."""
        after, is_after = self._map(0, "long")
        before, is_before = self._map(lag, "long")
        across, is_across = self._difference(2 * lag)
        both = is_before & is_after
        self._write("change_long", lag, summed(before), both)
        self._write("stop_long", lag, faded(before, after)[0], both)
        self._write("turn_long", lag, turned(before, after, across)[0], both & is_across)

    def _write(self, name: str, lag: int, values: Floats, is_known: NDArray[np.bool_]) -> None:
        """Values (m,) of the frames `lag` before each of the block's."""
        known = np.flatnonzero(is_known)
        self._seen.rows[self._first + known - lag, NAMES.index(name)] = values[known]

    def _add(self, name: str, lag: int, sign: Sign, is_known: NDArray[np.bool_]) -> None:
        """A sharp sign of the frames `lag` before each of the block's, and what of it lies at the rim."""
        self._write(name, lag, sign[0], is_known)
        known = np.flatnonzero(is_known)
        self._seen.rows[self._first + known - lag, NAMES.index("rim")] += _SHARP[name] * sign[1][known]

    def _difference(self, lag: int) -> tuple[Maps, NDArray[np.bool_]]:
        """How much each frame differs from that `lag` before it, cell by cell, 0..TOP / USUAL_SPREAD; and where it
        can be told."""
        if lag not in self._found:
            known = np.arange(self._first, self._first + self._count) >= lag
            maps = np.zeros((self._count, *self._seen.maps["short"].shape[1:]), np.float32)
            if known.any():
                start = self._count - int(known.sum())
                maps[start:] = self._compared(lag, start)
            self._found[lag] = maps, known
        return self._found[lag]

    def _compared(self, lag: int, start: int) -> Maps:
        """The maps of `_difference` from the block's frame `start` on."""
        import cv2

        new, at = self._new[start:], self._first + start
        then = self._seen.lumas[at - lag : len(self._seen.lumas) - lag]
        count, height, width = new.shape
        change = np.asarray(cv2.absdiff(tall(aligned(then, self._travel(lag)[at:], new)), tall(new)))
        sample = change.reshape(new.shape)[:, 1::3, 1::3].reshape(count, -1)
        place = sample.shape[1] * 6 // 10
        usual = np.partition(sample, place, axis=1)[:, place].astype(np.float64)
        contrast = self._seen.contrast[at:]
        floor, top = (
            np.minimum(np.rint(each), 255).astype(np.uint8)[:, None, None]
            for each in (FLOOR * contrast + NOISE * usual, TOP * contrast)
        )
        beyond = np.asarray(cv2.subtract(change, self._edges[start * height :]), np.uint8).reshape(new.shape)
        beyond = np.minimum(np.maximum(beyond, floor) - floor, top)
        beyond[usual > ALL_NOISE * USUAL_SPREAD * contrast] = 0
        size = (width // CELL_PX, count * height // CELL_PX)
        cells = np.asarray(cv2.resize(tall(beyond), size, interpolation=cv2.INTER_AREA)).reshape(count, -1, size[0])
        maps = np.zeros((count, cells.shape[1] + PAD, cells.shape[2]), np.float32)
        inner = (slice(None), slice(1, cells.shape[1] - 1), slice(1, -1))
        np.divide(cells[inner], self._scale[start:, None, None], out=maps[inner])
        return maps

    def _travel(self, lag: int) -> Floats:
        """(n, 3, 3): the camera's motion to each frame from that `lag` before it."""
        if lag == 1:
            return self._seen.moved
        if lag not in self._travelled:
            before = np.roll(self._travel(lag - 1), 1, axis=0)
            self._travelled[lag] = np.asarray(self._seen.moved @ before)
        return self._travelled[lag]

    def _map(self, lag: int, kind: str) -> tuple[Maps, NDArray[np.bool_]]:
        """What was measured `lag` frames before each, where each sees it; and whether it could be told."""
        import cv2

        first = self._first - lag
        blank = max(0, -first)
        span = slice(max(0, first), first + self._count)
        maps, known = self._seen.maps[kind][span], self._seen.known[kind][span]
        if blank:
            maps = np.concatenate([np.zeros((blank, *maps.shape[1:]), np.float32), maps])
            known = np.concatenate([np.zeros(blank, bool), known])
        if lag == 0:
            return maps, known
        height, width = self._new.shape[1:]
        moved = self._travel(lag)[self._first :]
        shift = (moved @ (width / 2, height / 2, 1.0))[:, :2] - (width / 2, height / 2)
        shift /= CELL_PX
        moves = np.flatnonzero(known & (np.abs(shift).max(axis=1) >= 0.5))
        if len(moves):
            maps = maps.copy()
            rows = maps.shape[1] - PAD
            for k in moves.tolist():
                move = np.array([[1, 0, shift[k, 0]], [0, 1, shift[k, 1]]])
                maps[k, :rows] = cv2.warpAffine(maps[k, :rows], move, (maps.shape[2], rows))
            maps[:, [0, rows - 1]] = 0
            maps[:, :, [0, -1]] = 0
        return maps, known


def _gradient(luma: Images) -> Images:
    """Gradient (h, w) in levels a pixel."""
    import cv2

    across, down = (cv2.convertScaleAbs(cv2.Sobel(luma, cv2.CV_16S, dx, 1 - dx), alpha=0.25) for dx in (1, 0))
    return np.asarray(cv2.addWeighted(across, 0.5, down, 0.5, 0), np.uint8)
