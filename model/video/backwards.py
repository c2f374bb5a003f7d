"""A clip that plays backwards: its frames as a viewer sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.damage import Damage
from hitpoint.model.video.film import Film
from hitpoint.model.video.frames import Frame, read_frames
from hitpoint.model.video.patience import Tick
from hitpoint.model.video.types import Clip

PIECE_S = 5.0
"""So much of the film is held in memory at once: a film can be decoded forwards only."""


def frames_of(clip: Clip, film: Film, end_s: float, tick: Tick, damage: Damage) -> Iterator[Frame]:
    """The clip's frames in the order in which they are shown.

    Their times rise from the in point on, as if the film itself had been turned round between in and out point: a
    frame that is shown from a to b of the film is shown from in + end - b on. end_s: the out point, or the film's end.
    """
    if clip.rate > 0:
        yield from read_frames(clip.path, clip.in_s, clip.out_s, tick, damage)
        return
    until_s = last_s = end_s
    while until_s > clip.in_s:
        from_s = max(clip.in_s, until_s - PIECE_S)
        for frame in reversed(list(read_frames(clip.path, from_s, until_s, tick, damage))):
            yield replace(frame, time_s=clip.in_s + end_s - last_s)
            last_s = frame.time_s
        until_s = from_s


def turned(spans_s: NDArray[np.float64], clip: Clip, end_s: float) -> NDArray[np.float64]:
    """Stretches of the film, as `damage.lost_spans` gives them, where such a clip shows them; of others as they are.

    Where a cut in them lies is then not known: backwards it shows where the picture breaks.
    """
    if clip.rate > 0 or not len(spans_s):
        return spans_s
    around_s = clip.in_s + end_s
    starts_s, ends_s, frames = around_s - spans_s[::-1, 1], around_s - spans_s[::-1, 0], spans_s[::-1, 2]
    return np.column_stack([starts_s, ends_s, frames, ends_s, np.full(len(frames), np.nan)])
