"""The clips of a job, as the analysis takes them, and what has changed from one cut of an edit to the next.

Threads and processes: no state, callable from any. Films are looked at in a process of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hitpoint.bridge.errors import InputError
from hitpoint.bridge.ipc.messages import ClipSpec, ScoreJob

if TYPE_CHECKING:
    from hitpoint.model.video.changed import Change
    from hitpoint.model.video.types import Boundary, Clip


def as_clips(specs: Sequence[ClipSpec]) -> list[Clip]:
    """Clips as the analysis takes them."""
    from hitpoint.model.video.types import Clip

    return [Clip(Path(each.path), each.in_s, each.out_s, each.rate, each.start_s, each.fade_s) for each in specs]


def closed_clips(score: ScoreJob) -> list[Clip]:
    """The clips of a job, each with an out point. Raises InputError for a film that cannot be read."""
    return _closed(as_clips(score.clips))


def _closed(clips: Sequence[Clip]) -> list[Clip]:
    from hitpoint.model.video.apart import probe_apart
    from hitpoint.model.video.edit import closed

    return [clip if clip.out_s is not None else closed(clip, probe_apart(clip.path).duration_s) for clip in clips]


def strip_cuts(clips: Sequence[Clip]) -> list[Boundary]:
    """Where a clip begins, or black after one, in seconds from the first: what `cuts: strips` asks for.

    Raises InputError for a film that cannot be used.
    """
    from hitpoint.model.video.edit import edges

    return edges(_closed(clips))


def change_of(old: Sequence[Clip], new: Sequence[Clip]) -> Change:
    """What has changed between two cuts; where they have no file in common, the pictures themselves are compared."""
    from hitpoint.model.video.apart import picture_changed_apart
    from hitpoint.model.video.changed import Change, changed

    if not {clip.path for clip in old} & {clip.path for clip in new}:
        with contextlib.suppress(InputError):  # the older one is gone, or no longer what it was
            return Change(*picture_changed_apart(old, new))
    return changed(old, new)
