# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished take in the timeline: one audio strip, and markers for bars and hit points."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from . import compat
from .client import Take
from .timeline import marker_names

CHANNELS = 128
PREFIX = "♪ "
TAG = "hitpoint"


def place(scene: Any, take: Take) -> str:
    """Put a take's markers and strip in place of the earlier ones. Returns a sentence where no strip came of it."""
    job, (start, end) = take.job, take.job.about["span"]
    scene.hitpoint.remember(take)
    if job.clips:  # a job taken up after a reload knows its bars only; its markers are there already
        remove_markers(scene, start, end)
        for frame, name in marker_names(job.bar_starts(), sorted(job.hits), job.fps, PREFIX).items():
            scene.timeline_markers.new(name, frame=frame)
    if not Path(take.wav).is_file():
        return f"The bridge sent no audio for this take; its notes lie in {take.midi}."
    strips = compat.strips_of(scene.sequence_editor_create())
    there = [strip for strip in strips if compat.edges(strip)[0] < end and compat.edges(strip)[1] > start]
    earlier = [strip for strip in strips if strip.get(TAG) and (strip[TAG] == job.id or strip in there)]
    channel = min(set(range(1, CHANNELS + 1)) - {strip.channel for strip in there}, default=None)
    if channel is None:
        return f"All {CHANNELS} channels are taken there: free one, then pick the take again."
    name = f"{PREFIX}Take {'ABC'[take.index]}"
    try:
        strip = compat.new_sound(strips, name, take.wav, channel, start)
    except RuntimeError as error:
        reason = str(error).strip().removeprefix("Error: ")
        return f"Blender could not add the music ({reason}); it lies in {take.wav}."
    strip.frame_offset_end += max(0, compat.edges(strip)[1] - end)
    strip[TAG] = job.id
    for old in earlier:
        strip.volume, strip.pan, strip.mute, channel = old.volume, old.pan, old.mute, old.channel
        strips.remove(old)
        strip.channel, strip.name = channel, name
    return ""


def remove_markers(scene: Any, start: float = -math.inf, end: float = math.inf) -> None:
    """Remove this extension's markers from frame `start` to `end`."""
    for marker in list(scene.timeline_markers):
        if marker.name.startswith(PREFIX) and start <= marker.frame <= end:
            scene.timeline_markers.remove(marker)
