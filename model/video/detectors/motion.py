"""How fast the picture moves, apart from the camera and with it, and what in it stops or turns back."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors import camera, changes
from hitpoint.model.video.detectors.bars import Bars
from hitpoint.model.video.detectors.base import Arrays, Detector, Part, Rows
from hitpoint.model.video.detectors.cadence import Cadence, Shown
from hitpoint.model.video.detectors.flow import FlowMeter
from hitpoint.model.video.frames import Frame

BLOCK = 32
"""Frames that are measured in one go, about a second: what can be done for all at once costs a tenth."""
LONGEST_STEP_S = 0.4
"""What happened between two frames further apart is not known: that is a slideshow."""
SMALLEST_SPREAD = 5.0
"""Levels: flatter than this, a picture shows its noise."""
TREMBLE_S = 0.25
"""Sigma of the Gaussian mean that takes the tremble of a hand out of the camera's motion, and leaves a pan."""


class Motion(Detector):
    """Frame by frame, n of them; a share is one of the picture's width, and of the time since the last new frame.

    `camera` (n, 4, 2): how far the camera's motion takes the middles of the picture's quarters. `own` (n,): mean
    |flow| that is left without the camera. `structure` (n,): 0..1, share of the picture in which flow can be told.
    `changes` (n, len(changes.NAMES)). `is_new` (n,): 0 for a frame that repeats the one before it.

    In one clip the shares are of a frame pair; `join` makes them shares a second of the edit.
    """

    name: ClassVar[str] = "motion"
    version: ClassVar[str] = "6"
    is_handed_on: ClassVar[bool] = False

    def __init__(self) -> None:
        self._bars = Bars()
        self._cadence = Cadence()
        self._meter = FlowMeter()
        self._changes = changes.Changes()
        self._camera: camera.Camera | None = None
        self._last: Shown | None = None
        self._block: list[Shown] = []
        self._kept = array("q")
        self._rows = Rows((10,), np.float32)
        self._count = 0

    def measure(self, frame: Frame) -> None:
        """Look at the frame, or remember that it repeats the one before it."""
        self._count += 1
        luma = self._bars.without(frame.luma)
        for shown in self._cadence.add(luma, frame.time_s, contrast_of(luma)):
            self._look(shown)

    def _look(self, shown: Shown) -> None:
        """Add a frame to the block; what parts two frames, so that no motion leads over, parts blocks too."""
        if not shown.is_new:
            return
        last = self._block[-1] if self._block else self._last
        if last is not None and (last.luma.shape != shown.luma.shape or shown.time_s - last.time_s > LONGEST_STEP_S):
            self._measure_block()
            self._last = None
            self._changes.restart()
            self._meter.restart()
        self._block.append(shown)
        if len(self._block) == BLOCK:
            self._measure_block()

    def _measure_block(self) -> None:
        block, self._block = self._block, []
        if not block:
            return
        frames = block if self._last is None else [self._last, *block]
        lumas = np.stack([each.luma for each in frames])
        at_s, contrast = (np.array([getattr(each, name) for each in frames]) for name in ("time_s", "contrast"))
        moved = np.tile(camera.STILL, (len(frames), 1, 1))
        rows = np.zeros((len(frames), 10), np.float32)
        if len(frames) > 1:
            height, width = lumas.shape[1:]
            if self._camera is None or self._camera.size != (height, width):
                self._camera = camera.Camera(height, width)
            small = camera.halved(lumas)
            moved[1:] = self._camera.measure(lumas, small, contrast[1:])
            rows[1:, :8] = camera.speed(moved[1:], height, width).reshape(-1, 8)
            rows[1:, 8], rows[1:, 9] = self._meter.measure(small, moved[1:], contrast[1:])
        first = len(frames) - len(block)
        self._changes.measure(lumas[first:], at_s[first:], moved[first:], contrast[first:])
        self._rows.extend(rows[first:])
        self._kept.extend(each.index for each in block)
        self._last = block[-1]

    def finish(self) -> Arrays:
        """Every array; frames that repeat another hold zeros."""
        for shown in self._cadence.finish():
            self._look(shown)
        self._measure_block()
        arrays = _empty(self._count)
        arrays["is_new"][:] = 0
        kept, rows = np.array(self._kept, np.int64), self._rows.array()
        arrays["is_new"][kept] = 1
        arrays["camera"][kept] = rows[:, :8].reshape(-1, 4, 2)
        arrays["own"][kept], arrays["structure"][kept] = rows[:, 8], rows[:, 9]
        arrays["changes"][kept] = self._changes.finish()
        return arrays

    @classmethod
    def black(cls, frames: int) -> Arrays:
        """Nothing moves."""
        return _empty(frames)

    @classmethod
    def join(cls, parts: Sequence[Part]) -> Arrays:
        """Shares per second of the edit, whatever the clips' rates, from one new frame to the next."""
        joined = dict(super().join(parts))
        per_s = [_per_second(part) for part in parts]
        for name in per_s[0]:
            joined[name] = np.concatenate([each[name] for each in per_s])
        return joined


def _empty(frames: int) -> dict[str, NDArray[np.float32]]:
    return {
        "camera": np.zeros((frames, 4, 2), np.float32),
        "own": np.zeros(frames, np.float32),
        "structure": np.zeros(frames, np.float32),
        "changes": np.zeros((frames, len(changes.NAMES)), np.float32),
        "is_new": np.ones(frames, np.uint8),
    }


def _per_second(part: Part) -> dict[str, NDArray[np.float32]]:
    """`camera` and `own` per second; a repeated frame shares the speed of the step that it is part of."""
    new = np.flatnonzero(part.arrays["is_new"])
    rest = np.arange(len(part.times_s))
    steps_s = np.maximum(np.diff(part.times_s[new], prepend=part.times_s[new[:1]]), 1e-6).astype(np.float32)
    into = np.minimum(np.searchsorted(new, rest), len(new) - 1)  # the new frame that the step ends with
    is_over = rest > new[-1]
    per_s: dict[str, NDArray[np.float32]] = {}
    for name in ("camera", "own"):
        values = part.arrays[name][new]
        speeds = np.asarray(values / steps_s.reshape(-1, *[1] * (values.ndim - 1)), np.float32)[into]
        speeds[is_over] = 0
        per_s[name] = speeds
    return {**per_s, "structure": part.arrays["structure"][new][into]}


def seen_speed(
    arrays: Arrays, times_s: NDArray[np.float64], shot: NDArray[np.int32], valid: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Mean speed (n,) that a viewer sees, in widths a second: pans count, trembling does not.

    arrays: as `Motion.join` returns them. shot (n,): index of the shot; valid (n,): False where a step crosses a cut.
    """
    steady = smooth(arrays["camera"], times_s, shot, valid, TREMBLE_S)
    pan = np.hypot(steady[..., 0], steady[..., 1]).mean(axis=1)
    new = np.flatnonzero(arrays["is_new"])
    step = np.searchsorted(new, np.arange(len(times_s)))  # that a frame is part of: a repeated one, of the next
    crosses = np.isin(step, np.searchsorted(new, np.flatnonzero(~valid)))
    return np.asarray(np.where(crosses, 0, pan * arrays["structure"] + arrays["own"]), np.float32)


def smooth(
    values: NDArray[np.float32],
    times_s: NDArray[np.float64],
    shot: NDArray[np.int32],
    valid: NDArray[np.bool_],
    sigma_s: float,
) -> NDArray[np.float32]:
    """Gaussian mean of `values` (n, …) over time, within each shot and over valid frames only.

    Weights follow the true times (n,), so that a variable frame rate does no harm.
    """
    if len(times_s) < 2:
        return np.array(values, np.float32)
    reach = min(int(np.ceil(3 * sigma_s / np.median(np.diff(times_s)))), len(times_s) - 1, 120)
    total = np.zeros(values.shape, np.float32)
    weights = np.zeros(len(values), np.float32)
    for shift in range(-reach, reach + 1):
        here = slice(max(0, -shift), len(values) - max(0, shift))
        there = slice(max(0, shift), len(values) - max(0, -shift))
        weight = np.exp(-0.5 * ((times_s[there] - times_s[here]) / sigma_s) ** 2).astype(np.float32)
        weight *= valid[there] & (shot[there] == shot[here])
        total[here] += weight.reshape(-1, *[1] * (values.ndim - 1)) * values[there]
        weights[here] += weight
    total /= np.maximum(weights, 1e-12).reshape(-1, *[1] * (values.ndim - 1))
    return total


def contrast_of(luma: NDArray[np.uint8]) -> float:
    """Spread of the picture's brightness against that of a usual one: what is dark and flat is measured by its own."""
    import cv2

    spread = float(cv2.meanStdDev(luma)[1][0, 0])
    return max(spread, SMALLEST_SPREAD) / changes.USUAL_SPREAD
