# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished take in the timeline: one audio strip (or one an instrument), and markers for bars and hit points."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from . import compat, scores, sound
from .jobs import Take, keep_files
from .scores import PART, TAG
from .timeline import marker_names

CHANNELS = 128
PREFIX = "♪ "
SAME = 0.8
"""Music that shares this part of its length with a new score is replaced by it: the edit has moved on a little."""


def place(scene: Any, take: Take) -> str:
    """Put a take's markers and its sound in place of the earlier ones. Returns a sentence where there is one to say.

    Strips that play this score keep their place, length, volume, fades and keyframes: only their sound is replaced.
    """
    job = take.job
    if not Path(take.wav or take.midi).is_file():
        return f"The take's files are gone ({take.wav or take.midi}): score again."
    known = scores.read(scene)
    editor = scene.sequence_editor_create()
    start, end = job.about["span"]
    mine = scores.one_copy(scene, job.id) if job.id in known else scores.strips(scene, job.id)
    others = [strip for strip in scores.strips(scene) if strip[TAG] != job.id]
    fresh = not mine
    if fresh:
        old = job.about.get("keeps", "")
        mine = scores.one_copy(scene, old) if old in known else []
        mine = mine or _in_its_place(scene, known, (start, end))
        job.about["replaces"] = str(mine[0][TAG]) if mine else ""
    markers = _mark(scene, take, known)
    scores.remember(scene, take, markers)
    if not take.wav:
        return f"The bridge sent no audio for this take; its notes lie in {take.midi}."
    try:
        return _sound(scene, editor, take, mine, others, known if fresh else None)
    except RuntimeError as error:
        reason = str(error).strip().removeprefix("Error: ")
        return f"Blender could not add the music ({reason}); it lies in {take.wav}."


def _in_its_place(scene: Any, known: dict[str, Any], span: tuple[int, int]) -> list[Any]:
    """The strips of the score that was made for this stretch, or for nearly the same."""
    for score, entry in reversed(known.items()):
        start = entry["span"][0]
        own = [strip for strip in scores.strips(scene, score) if abs(strip.frame_start - start) < 0.5]
        if own and _shared(tuple(entry["span"]), span) >= SAME:
            return own
    return []


def _sound(
    scene: Any, editor: Any, take: Take, mine: list[Any], others: list[Any], known: dict[str, Any] | None
) -> str:
    """The sound in the strips that are there, or in new ones. known: the scores before this one, where it is new."""
    job, (start, end) = take.job, take.job.about["span"]
    name, parts = f"{PREFIX}Take {'ABC'[take.index]}", take.sounds
    if {strip.get(PART, "") for strip in mine} != set(parts):
        others, mine = [strip for strip in others if strip not in mine], []
        for strip in scores.strips(scene, job.about.get("replaces") or job.id):
            compat.strips_of(editor).remove(strip)
    for strip in mine:
        before = known.get(str(strip[TAG])) if known else None
        sound.swap(strip, parts[strip.get(PART, "")])
        strip.name, strip[TAG] = _named(name, strip.get(PART, "")), job.id
        if before is not None:
            _move_end(strip, before["span"], (start, end))
            sound.set_volumes(strip, before["duck"], scores.volumes(job), job.moved)
    if mine:
        return ""
    covered = [strip for strip in others if _within(compat.edges(strip), (start, end))]
    for part, path in parts.items():
        problem = _add(editor, take, _named(name, part), part, path)
        if problem:
            return problem
    silenced = sorted({old.name for old in covered if not old.mute})
    for old in covered:
        old.mute = True
    return (
        f"The earlier music there is muted: {', '.join(silenced)}. Delete it if you do not need it." if silenced else ""
    )


def _named(name: str, part: str) -> str:
    return f"{name} {part}".strip()


def _move_end(strip: Any, before: Any, now: tuple[int, int]) -> None:
    """A strip that ended with the old music ends with the new, and one that began with it begins with it."""
    first, last = compat.edges(strip)
    if first == before[0] and now[0] != before[0]:
        strip.frame_start += now[0] - before[0]
    if last == before[1]:
        compat.set_end(strip, now[1])


def _mark(scene: Any, take: Take, known: dict[str, Any]) -> list[tuple[int, str]] | None:
    """Markers for the bars and hit points, in place of this score's earlier ones; None where they stay as they are."""
    job = take.job
    if not job.hits:  # a job taken up after a reload knows its bars only; its markers are there already
        return None
    for score in (job.id, job.about.get("replaces", "")):
        if score in known:
            _unmark(scene, {(frame, name) for frame, name in known[score]["markers"]})
    made = list(marker_names(job.bar_starts(), sorted(job.hits), job.fps, PREFIX).items())
    for frame, name in made:
        scene.timeline_markers.new(name, frame=frame)
    return made


def _add(editor: Any, take: Take, name: str, part: str, path: str) -> str:
    """A new strip on a channel that is free throughout. Returns a sentence where there is none."""
    strips, job, (start, end) = compat.strips_of(editor), take.job, take.job.about["span"]
    length = max(end - start, math.ceil(sound.wav_s(path) * job.fps) + 1)
    taken = {s.channel for s in strips if compat.edges(s)[0] < start + length and compat.edges(s)[1] > start}
    free = set(range(1, CHANNELS + 1)) - taken - compat.closed_channels(editor)
    if not free:
        return f"No channel is free there, unmuted and unlocked, of {CHANNELS}: free one, then pick the take again."
    strip = sound.new(strips, name, path, min(free), start)
    compat.set_end(strip, min(end, compat.edges(strip)[1]))
    strip[TAG] = job.id
    sound.set_volumes(strip, [], scores.volumes(job))
    if part:
        strip[PART] = part
    return ""


def _shared(one: tuple[int, int], other: tuple[int, int]) -> float:
    """The frames that two stretches share, of those that either has: 0..1."""
    both = min(one[1], other[1]) - max(one[0], other[0])
    return max(0.0, both / (max(one[1], other[1]) - min(one[0], other[0])))


def _within(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether more than half of `one` lies in `other`."""
    return 2 * (min(one[1], other[1]) - max(one[0], other[0])) > one[1] - one[0]


def _unmark(scene: Any, which: set[tuple[int, str]]) -> None:
    for marker in list(scene.timeline_markers):
        if (marker.frame, marker.name) in which:
            scene.timeline_markers.remove(marker)


def remove_markers(scene: Any) -> None:
    """Remove this extension's markers; the editor's own stay."""
    for marker in list(scene.timeline_markers):
        if marker.name.startswith(PREFIX):
            scene.timeline_markers.remove(marker)


def collect(scene: Any, folder: Path) -> None:
    """Put the files of every score of a project into its own folder, and let its strips play those. Raises OSError."""
    every = scores.read(scene)
    for score, entry in every.items():
        job = scores.job_of(scene, score, {})
        for take in job.takes.values():
            before = [take.wav, *take.stems.values()]
            if not take.midi or Path(take.midi).parent == folder or not Path(take.midi).is_file():
                continue
            keep_files(take, folder)
            moved = dict(zip(before, [take.wav, *take.stems.values()], strict=True))
            compat.relink(scores.strips(scene, score), moved)
        entry["takes"] = [
            [
                t.index,
                *(compat.beside(p) for p in (t.midi, t.wav)),
                t.edition,
                {k: compat.beside(p) for k, p in t.stems.items()},
            ]
            for t in job.takes.values()
        ]
    scores.write(scene, every)
