# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back: the selected strips, cut to the music by the bridge and laid above it as strips of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import bpy

from . import compat, scores, session
from .jobs import Job
from .operators import button, need_bridge
from .timeline import Clip, Strip

NO_CLIPS = "No movie strip is selected: select those to cut."
NO_MUSIC = "There is no music to cut to: score the strips first, or select a sound strip too."
NO_EDIT = "The edit could not be laid ({why}): cut again."


@button("Cut selection to the music", "REGISTER")
def cut_to_music(_: Any, scene: Any) -> None:
    """Lay the selected movie strips anew, cut on the beats of the score or of a selected sound, above what is there"""
    music, start = _music(scene)
    fps = compat.fps(scene)
    clips = [_clip(strip) for strip in _selected(compat.read_strips(scene))]
    if not clips:
        raise compat.HostError(NO_CLIPS)
    about = {"scene": scene.name, "file": bpy.data.filepath, "start": start}
    session.notes.clear()
    session.client.start(Job(clips, fps, (music,), about, start / fps, asks="cut"))
    need_bridge(scene)


@button("Lay Hitpoint's cuts", "UNDO", "INTERNAL", anywhere=True)
def lay_cuts(_: Any, __: Any) -> None:
    """Put the strips of an edit into the timeline in one undo step; called by the timer"""
    job, path = session.client.edits.pop(0)
    scene = bpy.data.scenes.get(job.about["scene"])
    if scene is None:
        session.client.error = f"The scene that was to be cut is gone; the edit lies in {path}."
        return
    session.notes[:] = [said] if (said := job.about["said"]) else []
    try:
        parts = list(_parts(json.loads(Path(path).read_text("utf-8"))))
        slow = _lay(scene, parts, job.about["start"])
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        session.client.error = NO_EDIT.format(why=error)
        return
    if slow:
        session.notes.append(f"Of another frame rate, and so not at their own speed: {', '.join(slow)}.")


def _music(scene: Any) -> tuple[str, int]:
    """The file to cut to, and the frame at which it begins: a selected sound's, else that of the score that is meant.

    Of a score it is the MIDI file, whose beats are exact. Raises HostError.
    """
    editor = scene.sequence_editor
    chosen = [strip for strip in compat.strips_of(editor) if strip.select and strip.type == "SOUND"] if editor else []
    for strip in chosen:
        if not strip.get(scores.TAG) and strip.sound is not None:
            return bpy.path.abspath(strip.sound.filepath), round(strip.frame_start)
    score = scores.chosen(scene)
    if not score:
        raise compat.HostError(NO_MUSIC)
    job = scores.job_of(scene, score, {})
    return job.takes[job.take].midi, job.about["span"][0] + scores.shift(scene, score)


def _selected(strips: list[Strip]) -> Iterator[Strip]:
    """The selected movie strips that have a file, also those inside selected metas."""
    for strip in strips:
        if strip.selected and strip.kind == "MOVIE" and not strip.missing and strip.source_fps > 0:
            yield strip
        elif strip.selected and strip.children:
            yield from _selected([*strip.children])


def _clip(strip: Strip) -> Clip:
    """What a strip shows of its file, forwards and at its own speed."""
    edges = sorted((strip.first, strip.first + (strip.end - strip.start) * strip.rate))
    low, high = max(strip.low, edges[0]), min(float(strip.frames or edges[1]), edges[1])
    return Clip(strip.path, 0.0, low / strip.source_fps, high / strip.source_fps, 1.0)


def _parts(timeline: dict[str, Any]) -> Iterator[tuple[str, float, int]]:
    """(file, second of it, frames) of each clip of the edit, in order."""
    for clip in timeline["tracks"]["children"][0]["children"]:
        url = clip["media_references"][clip["active_media_reference_key"]]["target_url"]
        span = clip["source_range"]
        first = span["start_time"]["value"] / span["start_time"]["rate"]
        yield url2pathname(unquote(urlsplit(url).path)), first, round(span["duration"]["value"])


def _lay(scene: Any, parts: list[tuple[str, float, int]], start: int) -> list[str]:
    """Lay the parts one after the other on a free channel; the names of files of another frame rate."""
    editor = scene.sequence_editor_create()
    strips = compat.strips_of(editor)
    channel = max((strip.channel for strip in strips), default=0) + 1
    for strip in strips:
        strip.select = False
    slow: dict[str, None] = {}
    frame, fps = start, compat.fps(scene)
    for path, first_s, frames in parts:
        strip = strips.new_movie(Path(path).stem, path, channel, frame)
        source_fps = float(strip.elements[0].orig_fps) or fps
        if abs(source_fps - fps) > 5e-4 * fps:
            slow[Path(path).name] = None
        first = min(round(first_s * source_fps), max(0, strip.frame_duration - frames))
        strip.frame_start = frame - first
        strip.frame_offset_start = first
        strip.frame_offset_end = strip.frame_duration - first - frames
        strip.channel = channel
        strip.select = True
        frame += frames
    return list(slow)
