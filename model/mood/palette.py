"""The colours of a stretch of film: a handful that stand for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.types import VisualRhythm

COLOURS = 5
MOST_PIXELS = 4096
ROUNDS = 8


def palettes(rhythm: VisualRhythm, spans_s: Sequence[tuple[float, float]]) -> list[list[str]]:
    """The palette of each span, "#rrggbb", what fills most of it first; none at all where nothing was measured."""
    looks = rhythm.measured.get("palette")
    if looks is None or not len(rhythm.times_s):
        return []
    found, kept_s = [], rhythm.times_s[looks["swatch_frames"]]
    for start_s, end_s in spans_s:
        first, last = np.searchsorted(kept_s, (start_s, end_s))
        if first == last:
            first = int(np.argmin(np.abs(kept_s - start_s)))
            last = first + 1
        found.append(palette(looks["swatches"][first:last].reshape(-1, 3)))
    return found


def palette(bgr: NDArray[np.uint8]) -> list[str]:
    """At most COLOURS colours of pixels (n, 3), by k-means from the pixels that lie farthest apart."""
    pixels = bgr[:: max(1, len(bgr) // MOST_PIXELS)].astype(np.float64)
    centres = pixels.mean(axis=0, keepdims=True)
    away = ((pixels - centres[0]) ** 2).sum(axis=1)
    while len(centres) < COLOURS and away.max() > 0:
        centres = np.vstack([centres, pixels[int(away.argmax())]])
        away = np.minimum(away, ((pixels - centres[-1]) ** 2).sum(axis=1))
    nearest = np.zeros(len(pixels), np.int64)
    for _ in range(ROUNDS):
        nearest = ((pixels[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        for number in np.unique(nearest):
            centres[number] = pixels[nearest == number].mean(axis=0)
    counts = np.bincount(nearest, minlength=len(centres))
    order = [int(number) for number in np.argsort(-counts, kind="stable") if counts[number]]
    return ["#{:02x}{:02x}{:02x}".format(*np.rint(centres[number][::-1]).astype(int).tolist()) for number in order]
