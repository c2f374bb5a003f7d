"""What stands out of a picture, and what it feels like: a red coat in the snow says more than the snow.

Saliency is how far a blurred pixel lies from the picture's mean colour in Lab (frequency-tuned saliency, Achanta et al.
2009); what is more than twice as salient as the mean hangs together in objects. Pleasure and excitement of colours are
those of `curve`. Faces are not looked for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.mood.curve import (
    BRIGHT_EXCITEMENT,
    BRIGHT_PLEASURE,
    COLOUR_EXCITEMENT,
    COLOUR_PLEASURE,
    EXCITEMENT_REACH,
    NEUTRAL_EXCITEMENT,
    NEUTRAL_PLEASURE,
    PLEASURE_REACH,
)

STANDS_OUT = 2.0
MOST_OBJECTS = 3
SALIENT_SHARE = 0.4
"""How much of a scene's feeling is that of what stands out, if anything does."""
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.9505, 1.0, 1.089])


class Feeling(NamedTuple):
    """valence, arousal: -1..1."""

    valence: float
    arousal: float


class SalientObject(NamedTuple):
    """saliency: summed over its pixels. share: of the picture, 0..1. feeling: of its colours."""

    saliency: float
    share: float
    feeling: Feeling


def feeling_of(rgb: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> Feeling:
    """What colours (n, 3), 0..255, feel like in their (weighted) mean."""
    high, low = rgb.max(axis=1), rgb.min(axis=1)
    bright = high / 255.0
    colour = (high - low) / np.maximum(high, 1.0)
    pleasure = BRIGHT_PLEASURE * bright + COLOUR_PLEASURE * colour
    excitement = BRIGHT_EXCITEMENT * bright + COLOUR_EXCITEMENT * colour
    found = np.clip(
        [(pleasure - NEUTRAL_PLEASURE) / PLEASURE_REACH, (excitement - NEUTRAL_EXCITEMENT) / EXCITEMENT_REACH],
        -1.0,
        1.0,
    )
    valence, arousal = np.average(found, axis=1, weights=weights).tolist()
    return Feeling(valence, arousal)


def salient_objects(bgr: NDArray[np.uint8]) -> list[SalientObject]:
    """At most MOST_OBJECTS of a tiny picture (h, w, 3), the most salient first; none where nothing stands out."""
    rgb = bgr[..., ::-1].astype(np.float64)
    lab = _lab(rgb)
    padded = np.pad(lab, ((1, 1), (1, 1), (0, 0)), mode="edge")
    height, width = lab.shape[:2]
    blurred = sum(padded[y : y + height, x : x + width] for y in range(3) for x in range(3)) / 9.0
    saliency = np.linalg.norm(blurred - lab.mean(axis=(0, 1)), axis=2)
    out = saliency > STANDS_OUT * saliency.mean()
    found = []
    for pixels in _together(out):
        rows, columns = np.array(pixels).T
        own = saliency[rows, columns]
        found.append(SalientObject(float(own.sum()), len(pixels) / out.size, feeling_of(rgb[rows, columns], own)))
    return sorted(found, key=lambda each: -each.saliency)[:MOST_OBJECTS]


def scene(whole: Feeling, objects: list[SalientObject]) -> Feeling:
    """The feeling of a scene whose colours feel like `whole`, with what stands out of it."""
    if not objects:
        return whole
    weights = [each.saliency for each in objects]
    out = np.average([each.feeling for each in objects], axis=0, weights=weights)
    valence, arousal = ((1.0 - SALIENT_SHARE) * np.array(whole) + SALIENT_SHARE * out).tolist()
    return Feeling(valence, arousal)


def pull(bgr: NDArray[np.uint8]) -> Feeling:
    """How much gladder and livelier than its colours in the mean a picture is by what stands out of it."""
    whole = feeling_of(bgr[..., ::-1].reshape(-1, 3).astype(np.float64))
    moved = scene(whole, salient_objects(bgr))
    return Feeling(moved.valence - whole.valence, moved.arousal - whole.arousal)


def _lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB 0..255 -> CIE Lab (D65)."""
    share = rgb / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def _together(out: NDArray[np.bool_]) -> list[list[tuple[int, int]]]:
    """Pixels that hang together, side by side or one above the other."""
    left = {(int(y), int(x)) for y, x in np.argwhere(out)}
    found = []
    while left:
        group, edge = [], [left.pop()]
        while edge:
            y, x = edge.pop()
            group.append((y, x))
            near = {(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)} & left
            left -= near
            edge += sorted(near)
        found.append(sorted(group))
    return found
