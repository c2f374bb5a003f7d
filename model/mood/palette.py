"""The colours of a stretch of film: a handful from which all that it shows can be mixed.

They are the corners of a hull around the colours of one frame (`hull`), in 4-bit steps, so that a grain of noise is no
corner. Where the colours lie in a plane, on a line or on one point, so do the palette's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.mood.flat_hull import flat_corners
from hitpoint.model.mood.hull import simplified
from hitpoint.model.video.types import VisualRhythm

COLOURS = 5
LEVELS = 16
STEP = 255.0 / (LEVELS - 1)


class Palette(NamedTuple):
    """colours: "#rrggbb", what is nearest to most pixels first. shares: of the pixels, 0..1, of each."""

    colours: list[str]
    shares: list[float]


def frames_of(rhythm: VisualRhythm, spans_s: Sequence[tuple[float, float]]) -> list[NDArray[np.uint8]]:
    """The tiny picture in the middle of each span, (8, 16, 3), BGR; none at all where nothing was measured."""
    looks = rhythm.measured.get("palette")
    if looks is None or "swatches" not in looks or not len(rhythm.times_s):
        return []
    found, kept_s = [], rhythm.times_s[looks["swatch_frames"]]
    for start_s, end_s in spans_s:
        first, last = np.searchsorted(kept_s, (start_s, end_s))
        if first == last:
            first = last = int(np.argmin(np.abs(kept_s - start_s)))
        found.append(looks["swatches"][(first + last) // 2])
    return found


def palettes(rhythm: VisualRhythm, spans_s: Sequence[tuple[float, float]], coarse: bool = False) -> list[Palette]:
    """The palette of each span; none at all where nothing was measured. coarse: from a quarter of the pixels, for the
    hundreds of shots of a film."""
    return [palette((_halved(frame) if coarse else frame).reshape(-1, 3)) for frame in frames_of(rhythm, spans_s)]


def _halved(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = frame.shape[0] // 2, frame.shape[1] // 2
    return np.asarray(frame.reshape(rows, 2, columns, 2, 3).mean(axis=(1, 3)), np.uint8)


def palette(bgr: NDArray[np.uint8]) -> Palette:
    """At most COLOURS colours of pixels (n, 3), in whatever order these come."""
    colours, shares = _palette(np.ascontiguousarray(bgr).tobytes())
    return Palette(list(colours), list(shares))


@lru_cache(maxsize=512)
def _palette(pixels: bytes) -> tuple[tuple[str, ...], tuple[float, ...]]:
    rgb = np.frombuffer(pixels, np.uint8).reshape(-1, 3)[:, ::-1].astype(np.float64)
    corners = np.clip(corners_of(rgb), 0.0, LEVELS - 1.0) * STEP
    if len(corners) == 1:
        corners = rgb.mean(axis=0, keepdims=True)
    nearest = ((rgb[:, None] - corners[None]) ** 2).sum(axis=2).argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(corners))
    order = np.argsort(-counts, kind="stable").tolist()
    names = tuple("#{:02x}{:02x}{:02x}".format(*np.rint(corners[number]).astype(int).tolist()) for number in order)
    return names, tuple(round(float(counts[number]) / len(rgb), 4) for number in order)


def levels_of(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 4-bit colours of pixels 0..255, each once, in steps 0..15: (n, 3)."""
    return np.unique(np.rint(rgb / STEP), axis=0)


def corners_of(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """At most COLOURS points, in steps that may lie beyond 0..15, whose hull holds all 4-bit colours of the pixels."""
    levels = levels_of(rgb)
    found = simplified(levels, COLOURS)
    return flat_corners(levels, COLOURS) if found is None else found
