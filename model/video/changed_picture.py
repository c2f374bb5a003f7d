"""Where two cuts of one edit show the same, told by the picture itself: films that were rendered or exported anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.analyse import joined
from hitpoint.model.video.features import Features
from hitpoint.model.video.types import Clip

LOOKS = {"brightness": 0.01, "saturation": 0.02, "spread": 1.0}
"""What of the palette is compared, and how much of it encoding the same picture again may change: .0015, .003 and .2
were measured (x264, quick, another order of key frames); a cut changes brightness by .06 in the mean."""
RUN = 3
"""So many frames in a row that differ are another picture; fewer are noise."""


def picture_changed(old: Sequence[Clip], new: Sequence[Clip]) -> tuple[float, float, float]:
    """The fields of `hitpoint.model.video.changed.Change`, seconds. Raises as `analyse`; what was analysed before, as
    the older one, costs little."""
    return compared(joined(old), joined(new))


def compared(old: Features, new: Features) -> tuple[float, float, float]:
    """The same, of what was measured in both; frames are compared in order, from the start and from the end."""
    head = _alike(_looks(old), _looks(new))
    if head == len(old.times_s) == len(new.times_s):
        return new.end_s, old.end_s, new.end_s
    tail = min(_alike(_looks(old)[::-1], _looks(new)[::-1]), len(old.times_s) - head, len(new.times_s) - head)
    start_s = min(each.times_s[head] if head < len(each.times_s) else each.end_s for each in (old, new))
    old_end_s, new_end_s = (each.times_s[-tail] if tail else each.end_s for each in (old, new))
    return float(start_s), float(old_end_s), float(new_end_s)


def _looks(features: Features) -> NDArray[np.float64]:
    """(frames, looks), in units of what may change."""
    palette = features.arrays["palette"]
    return np.stack([palette[name].astype(np.float64) / least for name, least in LOOKS.items()], axis=1)


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> int:
    """How many frames are the same in both from their start."""
    both = min(len(one), len(other))
    differs = np.abs(one[:both] - other[:both]).max(axis=1, initial=0.0) > 1.0
    runs = np.convolve(differs, np.ones(RUN, int), "valid") == RUN if both >= RUN else np.zeros(0, bool)
    return int(np.argmax(runs)) if runs.any() else both
