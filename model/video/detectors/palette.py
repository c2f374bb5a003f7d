"""Light and colour of each frame: what the mood of the picture is read from."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors.base import Arrays, Detector
from hitpoint.model.video.frames import Frame

SWATCHES = (4, 8)
"""Rows and columns of the tiny picture from which a shot's palette is taken."""
BAR_LUMA = 24
"""Rows and columns darker than this throughout, on both sides of the picture, are the bars of another format."""
FULL_COLOUR_VALUE = 40
"""HSV value (0..255) from which saturation counts in full: of what is darker, noise decides it."""
LEAST_COLOUR = 4
"""Mean saturation times value (0..255) from which a picture is warm or cold rather than without colour."""
_WARM_FROM, _WARM_TO = 150, 30
"""Hues of OpenCV, half degrees: from magenta over red to yellow."""
_PIXELS = 2
"""Every so many pixels are looked at, across and down."""
_STEP_S = 0.03
"""A frame that follows the last one looked at more closely than this is taken to look like it."""


class Palette(Detector):
    """`brightness`, `saturation` (n,): means of HSV value and saturation, 0..1. `warmth` (n,): share of the colour,
    saturation times value, whose hue lies within 300..60 degrees, 0..1; .5 without colour. `spread` (n,): standard
    deviation of the brightness, 0..255. `swatches` (n, 4, 8, 3): the frame as a tiny picture, BGR.

    Black bars of another format count for nothing.
    """

    name: ClassVar[str] = "palette"
    version: ClassVar[str] = "1"

    def __init__(self) -> None:
        self._rows: list[tuple[float, float, float, float]] = []
        self._swatches: list[NDArray[np.uint8]] = []
        self._looked_s = float("-inf")

    def measure(self, frame: Frame) -> None:
        """Look at the next frame."""
        if frame.time_s - self._looked_s < _STEP_S:
            self._rows.append(self._rows[-1])
            self._swatches.append(self._swatches[-1])
            return
        self._looked_s = frame.time_s
        self._look(frame)

    def _look(self, frame: Frame) -> None:
        import cv2

        inside = _inside(frame.luma)
        few = np.ascontiguousarray(frame.bgr[inside][::_PIXELS, ::_PIXELS])
        hue, saturation, value = cv2.split(cv2.cvtColor(few, cv2.COLOR_BGR2HSV))
        # What is nearly black has no colour to speak of: its saturation is scaled down with its value.
        certain = cv2.min(value, FULL_COLOUR_VALUE)  # type: ignore[call-overload]
        colour = cv2.multiply(saturation, certain, scale=1 / FULL_COLOUR_VALUE)
        strength = cv2.multiply(saturation, value, scale=1 / 255)
        everywhere = float(cv2.sumElems(strength)[0])
        cold = cv2.sumElems(cv2.bitwise_and(strength, cv2.inRange(hue, _WARM_TO + 1, _WARM_FROM - 1)))[0]
        warmth = 1 - float(cold) / everywhere if everywhere > LEAST_COLOUR * few.shape[0] * few.shape[1] else 0.5
        spread = float(cv2.meanStdDev(frame.luma[inside])[1][0, 0])
        self._rows.append((cv2.mean(value)[0] / 255, cv2.mean(colour)[0] / 255, warmth, spread))
        rows, columns = SWATCHES
        small = cv2.resize(few, (columns, rows), interpolation=cv2.INTER_AREA)
        self._swatches.append(np.asarray(small, np.uint8))

    def finish(self) -> Arrays:
        """Every array."""
        figures = np.asarray(self._rows, np.float32).reshape(-1, 4)
        swatches = np.asarray(self._swatches, np.uint8).reshape(-1, *SWATCHES, 3)
        names = ("brightness", "saturation", "warmth", "spread")
        return {name: np.ascontiguousarray(figures[:, i]) for i, name in enumerate(names)} | {"swatches": swatches}

    @classmethod
    def black(cls, frames: int) -> Arrays:
        """Neither light nor colour."""
        dark = np.zeros(frames, np.float32)
        swatches = np.zeros((frames, *SWATCHES, 3), np.uint8)
        return {
            "brightness": dark,
            "saturation": dark,
            "warmth": dark + np.float32(0.5),
            "spread": dark,
            "swatches": swatches,
        }


def _inside(luma: NDArray[np.uint8]) -> tuple[slice, slice]:
    """The rows and columns (h, w) that are not bars of another format; all of a picture that is black."""
    import cv2

    spans = []
    for axis in (1, 0):
        lit = np.flatnonzero(cv2.reduce(luma, axis, cv2.REDUCE_MAX).ravel() >= BAR_LUMA)
        length = luma.shape[1 - axis]
        bar = 0 if not len(lit) else min(int(lit[0]), length - 1 - int(lit[-1]))
        spans.append(slice(bar, length - bar))
    return spans[0], spans[1]
