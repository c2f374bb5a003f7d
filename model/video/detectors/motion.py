"""How fast the picture moves, apart from the camera and with it, and what in it stops or turns back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors import camera, changes
from hitpoint.model.video.detectors.base import Arrays, Detector, Part
from hitpoint.model.video.detectors.cadence import Cadence, Shown
from hitpoint.model.video.frames import Frame

BORDER_SHARE = 0.05
"""Part of each edge that is not looked at: flow is least sure there (Davis & Agrawala 2018)."""
STRUCTURE = 4.0
"""Levels (0..255): flow counts half where the picture's local spread is this. Elsewhere flow is a guess."""
WILD_SHARE = 0.03
"""Of the picture's width in one step: more flow than this is not followed on."""
LONGEST_STEP_S = 0.4
"""What happened between two frames further apart is not known: that is a slideshow."""
SMALLEST_SPREAD = 5.0
"""Levels: flatter than this, a picture shows its noise."""
TREMBLE_S = 0.25
"""Sigma of the Gaussian mean that takes the tremble of a hand out of the camera's motion, and leaves a pan."""
_STRUCTURE_PIXELS = 5
_QUIET_PX = 0.1


class Motion(Detector):
    """Frame by frame, n of them; a share is one of the picture's width, and of the time since the last new frame.

    `camera` (n, 4, 2): how far the camera's motion takes the middles of the picture's quarters. `own` (n,): mean
    |flow| that is left without the camera. `structure` (n,): 0..1, share of the picture in which flow can be told.
    `changes` (n, len(changes.NAMES)). `is_new` (n,): 0 for a frame that repeats the one before it.

    In one clip the shares are of a frame pair; `join` makes them shares a second of the edit.
    """

    name: ClassVar[str] = "motion"
    version: ClassVar[str] = "2"
    is_handed_on: ClassVar[bool] = False

    def __init__(self) -> None:
        self._cadence = Cadence()
        self._meter = FlowMeter()
        self._changes = changes.Changes()
        self._camera: camera.Camera | None = None
        self._last: Shown | None = None
        self._kept: list[int] = []
        self._rows: list[tuple[NDArray[np.float64], float, float]] = []
        self._count = 0

    def measure(self, frame: Frame) -> None:
        """Look at the frame, or remember that it repeats the one before it."""
        self._count += 1
        for shown in self._cadence.add(frame.luma, frame.time_s, contrast_of(frame.luma)):
            self._look(shown)

    def _look(self, shown: Shown) -> None:
        if not shown.is_new:
            return
        last, self._last = self._last, shown
        contrast = shown.contrast
        moved = camera.STILL
        row = (np.zeros((4, 2)), 0.0, 0.0)
        if last is not None and (last.luma.shape != shown.luma.shape or shown.time_s - last.time_s > LONGEST_STEP_S):
            self._changes.restart()
            self._meter.restart()
        elif last is not None and last.luma is not shown.luma:
            height, width = shown.luma.shape
            if self._camera is None or self._camera.size != (height, width):
                self._camera = camera.Camera(height, width)
            moved = self._camera.measure(last.luma, shown.luma, contrast)
            row = (camera.speed(moved, height, width), *self._meter.measure(last.luma, shown.luma, moved, contrast))
        self._changes.measure(shown.luma, shown.time_s, moved, contrast)
        self._kept.append(shown.index)
        self._rows.append(row)

    def finish(self) -> Arrays:
        """Every array; frames that repeat another hold zeros."""
        for shown in self._cadence.finish():
            self._look(shown)
        arrays = _empty(self._count)
        arrays["is_new"][:] = 0
        for index, (shift, own, share), row in zip(self._kept, self._rows, self._changes.rows, strict=True):
            arrays["is_new"][index] = 1
            arrays["camera"][index], arrays["own"][index], arrays["structure"][index] = shift, own, share
            arrays["changes"][index] = row
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


class FlowMeter:
    """Dense flow (DIS, Kroeger et al. 2016) from one frame to the next, as a share of the frame's width."""

    def __init__(self) -> None:
        import cv2

        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._flow.setFinestScale(1)
        self._field: NDArray[np.float32] | None = None

    def restart(self) -> None:
        """Forget the flow before."""
        self._field = None

    def measure(
        self, last: NDArray[np.uint8], luma: NDArray[np.uint8], moved: NDArray[np.float64], contrast: float
    ) -> tuple[float, float]:
        """(mean |flow| that the camera's motion `moved` does not explain, share of the picture that has structure)."""
        import cv2

        gain = min(1 / contrast, 4.0)
        before, after = (np.asarray(cv2.convertScaleAbs(each, alpha=gain), np.uint8) for each in (last, luma))
        # Begun at the flow before, true motion is followed on and the flow of grain, which has none, halves.
        self._field = np.asarray(self._flow.calc(before, after, self._field), np.float32)  # type: ignore[arg-type]
        height, width = luma.shape
        rows, columns = round(height * BORDER_SHARE), round(width * BORDER_SHARE)
        inside = (slice(rows, height - rows), slice(columns, width - columns))
        own = self._field[inside]
        if moved is not camera.STILL:
            own = own - _flow_of(moved, height, width)[inside]
        size = cv2.magnitude(own[..., 0], own[..., 1])
        size *= np.clip(size / _QUIET_PX - 1, 0, 1)
        weight = structure(before)[inside]
        # Summed in double precision: in single, the sum depends on where in memory the numbers happen to lie.
        own_share = float((size * weight).mean(dtype=np.float64)) / width
        if own_share > WILD_SHARE:
            self._field = None  # across a cut flow is a guess, and one that the next would not get rid of
        return own_share, float(weight.mean(dtype=np.float64))


def _flow_of(moved: NDArray[np.float64], height: int, width: int) -> NDArray[np.float32]:
    """(h, w, 2) pixels by which the camera's motion shifts each pixel."""
    grow = (moved - camera.STILL).astype(np.float32)
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    flow = np.empty((height, width, 2), np.float32)
    for axis in (0, 1):
        np.add((x * grow[axis, 0] + grow[axis, 2])[None, :], (y * grow[axis, 1])[:, None], out=flow[..., axis])
    return flow


def structure(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far flow can be trusted (h, w), 0..1: the local variance of brightness against STRUCTURE squared."""
    import cv2

    size = (_STRUCTURE_PIXELS, _STRUCTURE_PIXELS)
    level = luma.astype(np.float32)
    mean = cv2.blur(level, size)
    variance = np.maximum(cv2.blur(level * level, size) - mean * mean, 0)
    return np.asarray(variance / (variance + STRUCTURE**2), np.float32)
