# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished take in the timeline: one audio strip, and markers for bars and hit points."""

from __future__ import annotations

import math
import wave
from pathlib import Path
from typing import Any

from . import compat
from .client import Take
from .timeline import marker_names

CHANNELS = 128
PREFIX = "♪ "
TAG = "hitpoint"
SAME = 0.8
"""Music that shares this part of its length with a new score is replaced by it: the edit has moved on a little."""


def place(scene: Any, take: Take) -> str:
    """Put a take's markers and its sound in place of the earlier ones. Returns a sentence where there is one to say.

    Strips that play this score keep their place, length, volume, fades and keyframes: only their sound is replaced.
    """
    job, (start, end) = take.job, take.job.about["span"]
    scene.hitpoint.remember(take)
    if job.clips:  # a job taken up after a reload knows its bars only; its markers are there already
        remove_markers(scene, start, end)
        for frame, name in marker_names(job.bar_starts(), sorted(job.hits), job.fps, PREFIX).items():
            scene.timeline_markers.new(name, frame=frame)
    if not Path(take.wav).is_file():
        return f"The bridge sent no audio for this take; its notes lie in {take.midi}."
    editor = scene.sequence_editor_create()
    strips = compat.strips_of(editor)
    name = f"{PREFIX}Take {'ABC'[take.index]}"
    mine = [strip for strip in strips if strip.get(TAG) == job.id]
    others = [strip for strip in strips if strip.get(TAG) and strip not in mine]
    mine = mine or [strip for strip in others if _shared(compat.edges(strip), (start, end)) >= SAME]
    try:
        if mine:
            for strip in mine:
                compat.swap_sound(strip, take.wav)
                strip.name, strip[TAG] = name, job.id
            return ""
        return _add(
            editor, strips, take, name, [strip for strip in others if _within(compat.edges(strip), (start, end))]
        )
    except RuntimeError as error:
        reason = str(error).strip().removeprefix("Error: ")
        return f"Blender could not add the music ({reason}); it lies in {take.wav}."


def _add(editor: Any, strips: Any, take: Take, name: str, covered: list[Any]) -> str:
    """A new strip on a channel that is free throughout; earlier music that it covers is muted, and said."""
    job, (start, end) = take.job, take.job.about["span"]
    length = max(end - start, _frames(take.wav, job.fps) + 1)
    taken = {s.channel for s in strips if compat.edges(s)[0] < start + length and compat.edges(s)[1] > start}
    free = set(range(1, CHANNELS + 1)) - taken - compat.closed_channels(editor)
    if not free:
        return f"No channel is free there, unmuted and unlocked, of {CHANNELS}: free one, then pick the take again."
    strip = compat.new_sound(strips, name, take.wav, min(free), start)
    strip.frame_offset_end += max(0, compat.edges(strip)[1] - end)
    strip[TAG] = job.id
    silenced = sorted({old.name for old in covered if not old.mute})
    for old in covered:
        old.mute = True
    return (
        f"The earlier music there is muted: {', '.join(silenced)}. Delete it if you do not need it." if silenced else ""
    )


def _frames(wav: str, fps: float) -> int:
    """How many frames of the timeline a WAV lasts, rounded up; 0 where that cannot be read."""
    try:
        with wave.open(wav, "rb") as file:
            return math.ceil(file.getnframes() / file.getframerate() * fps)
    except (OSError, EOFError, wave.Error):
        return 0


def _shared(one: tuple[int, int], other: tuple[int, int]) -> float:
    """The frames that two stretches share, of those that either has: 0..1."""
    both = min(one[1], other[1]) - max(one[0], other[0])
    return max(0.0, both / (max(one[1], other[1]) - min(one[0], other[0])))


def _within(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether more than half of `one` lies in `other`."""
    return 2 * (min(one[1], other[1]) - max(one[0], other[0])) > one[1] - one[0]


def remove_markers(scene: Any, start: float = -math.inf, end: float = math.inf) -> None:
    """Remove this extension's markers from frame `start` to `end`."""
    for marker in list(scene.timeline_markers):
        if marker.name.startswith(PREFIX) and start <= marker.frame <= end:
            scene.timeline_markers.remove(marker)
