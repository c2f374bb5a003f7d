"""Room for what is said: the music is sparser in the bars under speech. Its level is the duck's business."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEFT_SHARE = 0.7
"""Of its onsets a bar under nothing but speech keeps this share."""


def speech_shares(speech: Sequence[tuple[float, float]], lines_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """(bars,) the share of each bar in which somebody speaks. speech: (begin, end) s; lines_s (bars + 1,)."""
    spoken = np.zeros(len(lines_s) - 1)
    for start_s, end_s in speech:
        spoken += np.clip(np.minimum(lines_s[1:], end_s) - np.maximum(lines_s[:-1], start_s), 0.0, None)
    return np.asarray(spoken / np.maximum(np.diff(lines_s), 1e-9))


def leave_room(
    density: Sequence[int], speech: Sequence[tuple[float, float]], lines_s: NDArray[np.float64]
) -> list[int]:
    """Density 1..16 of each bar, lower where somebody speaks for much of it."""
    shares = speech_shares(speech, lines_s)
    return [max(1, round(each * (1 - (1 - LEFT_SHARE) * share))) for each, share in zip(density, shares, strict=True)]
