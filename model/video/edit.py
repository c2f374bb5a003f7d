"""Where the clips of an edit lie."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hitpoint.model.video.types import Clip

SMALLEST_GAP_S = 0.1
"""A smaller gap between two clips is rounding: the last frame before it is shown that much longer."""


def closed(clip: Clip, end_s: float) -> Clip:
    """The clip with an out point: its own, else `end_s`, seconds of its file."""
    return replace(clip, out_s=end_s) if clip.out_s is None else clip


def placed(clips: Sequence[Clip], end_s: float = math.inf) -> Iterator[tuple[Clip, float, float]]:
    """Each clip with its start and its length in seconds of the edit, which ends at `end_s`.

    A clip begins at its own `start_s`, counted from that of the first, or where the one before it ends, whichever is
    later; one without an out point lasts to the end (make it `closed` where it does not). What no clip covers is black.
    """
    at_s = 0.0
    for clip in clips:
        start_s = max(at_s, clip.start_s - clips[0].start_s)
        length_s = end_s - start_s if clip.out_s is None else (clip.out_s - clip.in_s) / clip.rate
        yield clip, start_s, length_s
        at_s = start_s + length_s


def edges(clips: Sequence[Clip]) -> list[float]:
    """Where a clip begins, or black after one, in seconds from the first, for clips that all have an out point."""
    times_s, shown_s = [], 0.0
    for _, start_s, length_s in placed(clips):
        if start_s - shown_s >= SMALLEST_GAP_S:
            times_s.append(shown_s)
        times_s.append(start_s)
        shown_s = start_s + length_s
    return times_s[1:]
