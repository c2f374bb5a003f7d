"""What a stretch of film looks like, in eight figures of its motion, impacts, length and colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.types import LOUD_BEAT, VisualRhythm

LOOKS = ("motion", "change of motion", "impacts", "length", "brightness", "warmth", "saturation", "contrast")
"""Frame widths a second and their standard deviation, sure visual beats a second, seconds, three shares, 0..255."""


def looks_of(rhythm: VisualRhythm, spans_s: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """(n, 8): the figures of each span, seconds, in the order of LOOKS. What no frame tells is 0."""
    palette = rhythm.measured.get("palette", {})
    columns = [palette.get(name) for name in ("brightness", "warmth", "saturation", "spread")]
    hits_s = np.array([beat.time_s for beat in rhythm.beats if beat.saliency >= LOUD_BEAT])
    rows = []
    for start_s, end_s in spans_s:
        first, last = np.searchsorted(rhythm.times_s, (start_s, end_s))
        own = slice(min(int(first), max(len(rhythm.times_s) - 1, 0)), max(int(last), int(first) + 1))
        motion = rhythm.motion[own]
        hits = ((hits_s >= start_s) & (hits_s < end_s)).sum() / max(end_s - start_s, 1e-9)
        moved = (float(motion.mean()), float(motion.std())) if len(motion) else (0.0, 0.0)
        colours = [float(column[own].mean()) if column is not None and len(column) else 0.0 for column in columns]
        rows.append([*moved, hits, end_s - start_s, *colours])
    return np.array(rows, np.float64).reshape(-1, len(LOOKS))
