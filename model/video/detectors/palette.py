"""Light and colour of each frame: what the mood of the picture is read from."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors.base import Arrays, Detector, Part, Rows
from hitpoint.model.video.frames import Frame

_FIGURES = ("brightness", "saturation", "warmth", "spread")
SWATCHES = (8, 16)
"""Rows and columns of the tiny picture in which a shot's colours, and what stands out of it, are looked for."""
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
SWATCH_S = 0.25
"""Tiny pictures are kept so often: enough for a shot's palette, and little for hours of film."""
_BLACK_FRAMES = 6


class Palette(Detector):
    """`brightness`, `saturation` (n,): means of HSV value and saturation, 0..1. `warmth` (n,): share of the colour,
    saturation times value, whose hue lies within 300..60 degrees, 0..1; .5 without colour. `spread` (n,): standard
    deviation of the brightness, 0..255. `swatches` (k, 8, 16, 3): tiny pictures, BGR, of frames `swatch_frames` (k,),
    SWATCH_S or more apart.

    Black bars of another format count for nothing.
    """

    name: ClassVar[str] = "palette"
    version: ClassVar[str] = "3"
    event_arrays: ClassVar[frozenset[str]] = frozenset({"swatches", "swatch_frames"})

    def __init__(self) -> None:
        self._rows = Rows((len(_FIGURES),), np.float32)
        self._swatches = Rows((*SWATCHES, 3), np.uint8)
        self._swatch_frames = array("q")
        self._looked_s = self._kept_s = float("-inf")

    def measure(self, frame: Frame) -> None:
        """Look at the next frame."""
        if frame.time_s - self._looked_s < _STEP_S:
            self._rows.add(self._rows.last())
            return
        self._looked_s = frame.time_s
        self._look(frame)

    def _look(self, frame: Frame) -> None:
        import cv2

        few, luma = _seen(frame)
        if frame.time_s - self._kept_s >= SWATCH_S:
            self._kept_s = frame.time_s
            self._swatch_frames.append(len(self._rows))
            self._swatches.add(cv2.resize(few, SWATCHES[::-1], interpolation=cv2.INTER_AREA))
        self._rows.add(_figures(few, luma))

    def finish(self) -> Arrays:
        """Every array."""
        figures = self._rows.array()
        arrays: dict[str, NDArray[Any]] = {name: np.ascontiguousarray(figures[:, i]) for i, name in enumerate(_FIGURES)}
        return arrays | {
            "swatches": self._swatches.array(),
            "swatch_frames": np.array(self._swatch_frames, np.int64),
        }

    @classmethod
    def black(cls, frames: int) -> Arrays:
        """Neither light nor colour."""
        dark = np.zeros(frames, np.float32)
        kept = np.arange(0, frames, _BLACK_FRAMES)
        return {
            "brightness": dark,
            "saturation": dark,
            "warmth": dark + np.float32(0.5),
            "spread": dark,
            "swatches": np.zeros((len(kept), *SWATCHES, 3), np.uint8),
            "swatch_frames": kept,
        }

    @classmethod
    def join(cls, parts: Sequence[Part]) -> Arrays:
        """Frames are counted through the edit."""
        frames = np.concatenate([part.arrays["swatch_frames"] + part.first for part in parts])
        return {**super().join(parts), "swatch_frames": frames}


def figures(frame: Frame) -> tuple[float, float, float, float]:
    """Brightness, saturation, warmth and spread of one frame."""
    return _figures(*_seen(frame))


def _seen(frame: Frame) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Of a frame without bars: some of its pixels (h, w, 3), BGR, and its luma."""
    inside = _inside(frame.luma)
    return np.ascontiguousarray(frame.bgr[inside][::_PIXELS, ::_PIXELS]), frame.luma[inside]


def _figures(few: NDArray[np.uint8], luma: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    import cv2

    hue, saturation, value = cv2.split(cv2.cvtColor(few, cv2.COLOR_BGR2HSV))
    # What is nearly black has no colour to speak of: its saturation is scaled down with its value.
    certain = cv2.min(value, FULL_COLOUR_VALUE)  # type: ignore[call-overload]
    colour = cv2.multiply(saturation, certain, scale=1 / FULL_COLOUR_VALUE)
    strength = cv2.multiply(saturation, value, scale=1 / 255)
    everywhere = float(cv2.sumElems(strength)[0])
    cold = cv2.sumElems(cv2.bitwise_and(strength, cv2.inRange(hue, _WARM_TO + 1, _WARM_FROM - 1)))[0]
    warmth = 1 - float(cold) / everywhere if everywhere > LEAST_COLOUR * few.shape[0] * few.shape[1] else 0.5
    spread = float(cv2.meanStdDev(luma)[1][0, 0])
    return cv2.mean(value)[0] / 255, cv2.mean(colour)[0] / 255, warmth, spread


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
