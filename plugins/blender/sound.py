# SPDX-License-Identifier: GPL-3.0-or-later
"""Sound strips: ours as they are made, filled and turned down, and what else is heard in the timeline."""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
import wave
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bpy

from . import look
from .compat import edges, fps, rate_of, relative
from .timeline import Clip

Volumes = list[tuple[float, float]]


def new(strips: Any, name: str, path: str, channel: int, start: int) -> Any:
    """A sound strip from frame `start`, drawn as a wave. RuntimeError where this Blender has no sound.

    Blender opens the file of a new strip twice more, some 25 ms each time. So the strip is made with silence that lasts
    as long, which it sees through at once, and is given the file that `open_next` had it open before.
    """
    with tempfile.TemporaryDirectory() as place:
        strip = strips.new_sound(name, _silence(path, Path(place)), channel, start)
        silence = strip.sound
        swap(strip, path)
        bpy.data.sounds.remove(silence)
    strip.show_waveform = True
    return strip


def _silence(path: str, place: Path) -> str:
    """A small WAV as long as another one. RuntimeError where that cannot be read."""
    silence = place / "silence.wav"
    with wave.open(str(silence), "wb") as file:
        file.setparams((1, 1, 1000, 0, "NONE", ""))
        file.writeframes(b"\x80" * round(1000 * wav_s(path)))
    return str(silence)


def wav_s(path: str) -> float:
    """How long a WAV lasts, seconds. RuntimeError where it cannot be read."""
    try:
        with wave.open(path, "rb") as file:
            return file.getnframes() / file.getframerate()
    except (OSError, EOFError, wave.Error) as error:
        raise RuntimeError(str(error) or "the file is empty") from None


def open_next(paths: Iterable[str]) -> bool:
    """Have Blender open one of these files that it has not opened yet; False where there is none."""
    known = {bpy.path.abspath(sound.filepath) for sound in bpy.data.sounds}
    for path in paths:
        if path not in known:
            with contextlib.suppress(RuntimeError):  # the strip that is to play it says why
                bpy.data.sounds.load(path)
                return True
    return False


def swap(strip: Any, path: str) -> None:
    """Let a sound strip play another file; all else about it stays. RuntimeError where the file cannot be loaded."""
    strip.sound = bpy.data.sounds.load(path, check_existing=True)
    _relate(strip)


def _relate(strip: Any) -> None:
    """Let a sound be found beside the project, wherever both are moved."""
    if getattr(strip, "sound", None) is not None:
        strip.sound.filepath = relative(bpy.path.abspath(strip.sound.filepath))


def set_volumes(strip: Any, before: Volumes, after: Volumes, moved: Callable[[float], float] | None = None) -> None:
    """Let the volume of a strip run through `after` instead of `before`, but for what somebody has changed: from the
    first to the last keyframe that is not of `before`, or is no longer there, all stays, where `moved` puts it.

    Both: (frames from the strip's start, factor), straight lines between.
    """
    first = strip.frame_start
    points = [(point.co[0] - first, point.co[1]) for point in _points(strip)]
    if (not points and (before or strip.volume != 1.0)) or points == after:
        return
    others = [frame for frame, _ in _others(points, before) + _others(before, points)]
    low, high = min(others, default=math.inf), max(others, default=-math.inf)
    for frame, _ in points:
        if not low <= frame <= high:
            strip.keyframe_delete("volume", frame=frame + first)
    if others and moved is not None:
        low, high = moved(low), moved(high)
        for point in _points(strip):
            point.co_ui[0] = first + moved(point.co[0] - first)  # its handles go along
    made = [(frame, factor) for frame, factor in after if not low <= frame <= high]
    strip.volume = 1.0
    for frame, factor in made:
        strip.volume = factor
        strip.keyframe_insert("volume", frame=frame + first)
    for point in _points(strip):
        if any(abs(point.co[0] - first - frame) < 0.01 for frame, _ in made):
            point.interpolation = "LINEAR"


def _points(strip: Any) -> Any:
    """The keyframes of a strip's volume."""
    line = look.curve(strip, "volume", look.curves(strip.id_data))
    return () if line is None else line.keyframe_points


def _others(points: Volumes, known: Volumes) -> Volumes:
    """The points that are not among the known ones."""
    return [(a, b) for a, b in points if not any(abs(a - c) < 0.01 and abs(b - d) < 1e-3 for c, d in known)]


def heard(scene: Any, span: tuple[int, int], tag: str) -> list[Clip]:
    """What is heard in a range of frames, without the strips that have the custom property `tag`."""
    editor = scene.sequence_editor
    every = editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all
    closed = {index for index, channel in enumerate(editor.channels) if channel.mute}
    curves, found = look.curves(scene), []
    for strip in every:
        first, end = max(edges(strip)[0], span[0]), min(edges(strip)[1], span[1])
        if strip.type != "SOUND" or strip.sound is None or strip.get(tag) or first >= end:
            continue
        silent = strip.volume == 0 and look.curve(strip, "volume", curves) is None
        if not (strip.mute or strip.channel in closed or silent):
            found.append(_played(strip, first, end, fps(scene)))
    return [clip for clip in found if clip.out_s > clip.in_s]


def _played(strip: Any, first: int, end: int, timeline_fps: float) -> Clip:
    """What a sound strip plays from one frame to another; what lies beyond its file is silent."""
    keys = [key.timeline_frame for key in getattr(strip, "retiming_keys", ())]
    length = strip.frame_final_duration + strip.frame_offset_start + strip.frame_offset_end
    rate = rate_of(strip.frame_duration, float(length), keys) if keys else float(getattr(strip, "speed_factor", 1.0))
    shown = [(frame - edges(strip)[0] + strip.frame_offset_start) * rate for frame in (first, end)]
    low, high = (min(max(0.0, at), strip.frame_duration) for at in shown)
    start = first + (low - shown[0]) / rate
    path = os.path.realpath(bpy.path.abspath(strip.sound.filepath))
    in_s, out_s = ((strip.animation_offset_start + at) / timeline_fps for at in (low, high))
    return Clip(path, start / timeline_fps, in_s, out_s, rate)
