"""Where the clips of an edit lie."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hitpoint.model.video.types import Boundary, Clip

SMALLEST_GAP_S = 0.1
"""A smaller gap between two clips is rounding: the last frame before it is shown that much longer."""
SEAM_S = 0.012
"""Half a frame at 40 frames a second: what hosts round by, and less than any frame that is missing."""
FADE_WEIGHT = 0.9


def closed(clip: Clip, end_s: float) -> Clip:
    """The clip with an out point: its own, else `end_s`, seconds of its file."""
    return replace(clip, out_s=end_s) if clip.out_s is None else clip


def shown_s(clip: Clip, since_s: float = 0.0) -> float:
    """The second of its file that a closed clip shows so long after its start on the timeline."""
    assert clip.rate > 0 or clip.out_s is not None
    return (clip.in_s if clip.rate > 0 else clip.out_s or 0.0) + since_s * clip.rate


def placed(clips: Sequence[Clip], end_s: float = math.inf) -> Iterator[tuple[Clip, float, float]]:
    """Each clip with its start and its length in seconds of the edit, which ends at `end_s`.

    A clip begins at its own `start_s`, counted from that of the first, or where the one before it ends, whichever is
    later; one without an out point lasts to the end (make it `closed` where it does not). What no clip covers is black.
    """
    at_s = 0.0
    for clip in clips:
        start_s = max(at_s, clip.start_s - clips[0].start_s)
        length_s = end_s - start_s if clip.out_s is None else (clip.out_s - clip.in_s) / clip.speed
        yield clip, start_s, length_s
        at_s = start_s + length_s


def merged(clips: Sequence[Clip]) -> list[Clip]:
    """The clips, those that only go on where the one before them ends made one with it: a razor's seam is not a cut.

    Clips are one where file and speed are the same and neither the file nor the timeline jumps by a frame or more.
    """
    whole: list[Clip] = []
    for clip in clips:
        if whole and _goes_on(whole[-1], clip):
            before = whole[-1]
            whole[-1] = replace(before, in_s=clip.in_s) if clip.rate < 0 else replace(before, out_s=clip.out_s)
        else:
            whole.append(clip)
    return whole


def edges(clips: Sequence[Clip]) -> list[Boundary]:
    """Where a clip begins, or black after one, in seconds from the first, for clips that all have an out point.

    Seams (see `merged`) are left out unless half of the clips' joins or more are seams: then it is a finished film cut
    into its shots. A mix is a fade in its middle, which is where its clip begins.
    """
    shown = merged(clips)
    if 2 * (len(clips) - len(shown)) >= max(2, len(clips) - 1):
        shown = list(clips)
    found, shown_s = [], 0.0
    for clip, start_s, length_s in placed(shown):
        if start_s - shown_s >= SMALLEST_GAP_S:
            found.append(Boundary(shown_s, "cut", 1.0))
        found.append(Boundary(start_s, "fade" if clip.fade_s > 0 else "cut", FADE_WEIGHT if clip.fade_s > 0 else 1.0))
        shown_s = start_s + length_s
    return found[1:]


def _goes_on(before: Clip, clip: Clip) -> bool:
    if before.out_s is None or clip.fade_s > 0 or (before.path, before.rate) != (clip.path, clip.rate):
        return False
    end_s = before.start_s + (before.out_s - before.in_s) / before.speed
    one, other = (clip.in_s, before.out_s) if clip.rate > 0 else (clip.out_s, before.in_s)
    return one is not None and abs(one - other) <= SEAM_S and clip.start_s - end_s <= SEAM_S
