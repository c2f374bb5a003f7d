# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished take goes into the timeline: one audio strip, and markers for bars and hit points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import compat
from .client import Take
from .timeline import marker_names

PREFIX = "♪ "
TAG = "hitpoint"
KEPT = ("volume", "pan", "mute")


def music_strips(scene: Any) -> list[Any]:
    """The strips that this extension has put there."""
    return [strip for strip in compat.strips_of(scene.sequence_editor) if strip.get(TAG) is not None]


def place(scene: Any, take: Take) -> None:
    """Put the take's strip in place of the earlier one, and its markers. Raises HostError; the markers are set then."""
    job = take.job
    start, end = job.about.get("start", scene.hitpoint.start), job.about.get("end", scene.hitpoint.end)
    scene.hitpoint.remember(take, start, end)
    if job.clips:  # a job taken up after a reload knows its bars only; its markers are there already
        remove_markers(scene, start, end)
        for frame, name in marker_names(job.bar_starts(), sorted(job.hits), job.fps, PREFIX).items():
            scene.timeline_markers.new(name, frame=frame)
    if not take.wav or not Path(take.wav).is_file():
        raise compat.HostError(f"The bridge sent no audio for this take; its notes lie in {take.midi}.")
    earlier = [strip for strip in music_strips(scene) if strip[TAG] == job.id or _overlaps(strip, start, end)]
    name = f"{PREFIX}Take {'ABC'[take.index]}"
    strip = compat.add_sound(scene, name, take.wav, start, end)
    strip[TAG] = job.id
    for old in earlier:
        for kept in KEPT:
            setattr(strip, kept, getattr(old, kept))
        channel = old.channel
        compat.strips_of(scene.sequence_editor).remove(old)
        strip.channel, strip.name = channel, name


def _overlaps(strip: Any, start: int, end: int) -> bool:
    left, right = compat.edges(strip)
    return left < end and right > start


def remove_markers(scene: Any, start: int | None = None, end: int | None = None) -> int:
    """Remove this extension's markers, all or those from frame `start` to `end`; returns how many."""
    ours = [marker for marker in scene.timeline_markers if marker.name.startswith(PREFIX)]
    if start is not None and end is not None:
        ours = [marker for marker in ours if start <= marker.frame <= end]
    for marker in ours:
        scene.timeline_markers.remove(marker)
    return len(ours)
