# SPDX-License-Identifier: GPL-3.0-or-later
"""The scores of a scene, as the file remembers them: each with its stretch, bars, takes, seed, markers and cuts.

They are kept as text in a property of the scene, so that undo, copies of the scene and saving take them along.
"""

from __future__ import annotations

import json
from typing import Any

import bpy

from . import compat
from .jobs import Job, Take

TAG, PART = "hitpoint", "hitpoint_part"
"""Custom properties of our strips: the score's id, and the instrument where it is a stem."""


def read(scene: Any) -> dict[str, dict[str, Any]]:
    """Score id -> what is remembered of it, the latest last."""
    found: dict[str, dict[str, Any]] = json.loads(scene.hitpoint.memory or "{}")
    found = found if "id" not in found else {str(found["id"]): found}
    return {score: {**_EMPTY, **entry} for score, entry in found.items()}  # an earlier version remembered less


_EMPTY: dict[str, Any] = {
    "span": [0, 0],
    "bars": [],
    "takes": [],
    "take": 0,
    "seed": 0,
    "title": "music",
    "markers": [],
    "cuts": [0, 0, []],
    "mood": [],
    "duck": [],
    "in_range": False,
    "rendered": False,
}


ABOUT = ("seed", "in_range", "rendered")
"""What is remembered of how a score was asked for."""


def write(scene: Any, scores: dict[str, dict[str, Any]]) -> None:
    """Remember these."""
    scene.hitpoint.memory = json.dumps(scores) if scores else ""


def strips(scene: Any, score: str = "") -> list[Any]:
    """The strips of a score, or of all."""
    editor = scene.sequence_editor
    every = compat.strips_of(editor) if editor is not None else ()
    return [strip for strip in every if strip.get(TAG) and score in ("", strip[TAG])]


def chosen(scene: Any) -> str:
    """The score that is meant: that of a selected strip, else the one under the playhead, else the latest."""
    scores, ours = read(scene), strips(scene)
    active = getattr(scene.sequence_editor, "active_strip", None)
    picked = [strip for strip in ours if strip.select]
    picked.sort(key=lambda strip: strip != active)
    frame = scene.frame_current
    here = [strip for strip in ours if compat.edges(strip)[0] <= frame < compat.edges(strip)[1] and not strip.mute]
    for strip in (*picked, *here):
        if strip[TAG] in scores:
            return str(strip[TAG])
    return next(reversed(scores), "")


def shift(scene: Any, score: str) -> int:
    """Frames by which the copy of a score that is meant was moved since it was made."""
    start = read(scene)[score]["span"][0]
    frame = scene.frame_current
    own = strips(scene, score)
    picked = [strip for strip in own if strip.select]
    here = [strip for strip in own if compat.edges(strip)[0] <= frame < compat.edges(strip)[1]]
    return next((round(strip.frame_start) - start for strip in (*picked, *here, *own)), 0)


def one_copy(scene: Any, score: str) -> list[Any]:
    """The strips of the copy that is meant: pieces of one strip lie at one shift."""
    meant, start = shift(scene, score), read(scene)[score]["span"][0]
    return [strip for strip in strips(scene, score) if abs(strip.frame_start - start - meant) < 0.5]


def remember(scene: Any, take: Take, markers: list[tuple[int, str]] | None = None, shown: bool = True) -> None:
    """Keep what is needed to go on with this score. shown: it is the take that is heard now."""
    job, every = take.job, read(scene)
    before = every.pop(job.id, _EMPTY) if shown else every.get(job.id, _EMPTY)
    rows = {row[0]: row for row in before["takes"]}
    for each in (*job.takes.values(), take):
        paths = [compat.relative(path) for path in (each.midi, each.wav)]
        rows[each.index] = [each.index, *paths, each.edition, {k: compat.relative(v) for k, v in each.stems.items()}]
    entry = {**_EMPTY, **before, "takes": list(rows.values()), "span": list(job.about["span"]), "title": job.title}
    if shown:
        entry |= {"take": take.index, "bars": job.bar_starts() or before["bars"]}
        if job.cuts[1]:
            entry["cuts"] = list(job.cuts)
        if job.mood:
            entry["mood"] = list(job.mood)
        if job.hits:  # the report was read
            entry["duck"] = volumes(job)
    for key in ABOUT:
        entry[key] = job.about.get(key, before[key])
    if markers is not None:
        entry["markers"] = markers
    every[job.id] = entry
    every.pop(job.about.get("replaces", ""), None)
    write(scene, every)


def volumes(job: Job) -> list[tuple[float, float]]:
    """The duck of a score, in frames from its start, without what the volume does beyond its ends anyway."""
    points = [(round(time_s * job.fps, 2), round(factor, 4)) for time_s, factor in job.duck]
    flat = [one[1] == other[1] for one, other in zip(points, points[1:])]  # noqa: B905,RUF007 - Blender 3.4 may have Python 3.9
    return points[sum(flat[:1]) : len(points) - sum(flat[-1:])]


def job_of(scene: Any, score: str, about: dict[str, Any]) -> Job:
    """A job taken up again from what is remembered of it."""
    entry = read(scene)[score]
    fps = compat.fps(scene)
    about = {**about, "span": tuple(entry["span"]), **{key: entry[key] for key in ABOUT}}
    job = Job([], fps, (), about, entry["span"][0] / fps, title=entry["title"], id=score)
    job.running, job.take, job.bars = False, entry["take"], dict(enumerate(entry["bars"]))
    for index, midi, wav, *more in entry["takes"]:
        edition, stems = more if more else (-1, {})
        paths = {part: bpy.path.abspath(path) for part, path in stems.items()}
        job.takes[index] = Take(job, index, bpy.path.abspath(midi), bpy.path.abspath(wav), edition, paths)
    return job


def title(scene: Any) -> str:
    """A name for a new score's files that no other score of this scene has."""
    taken = {entry["title"] for entry in read(scene).values()}
    number = 1
    while f"{scene.name} music {number}" in taken:
        number += 1
    return f"{scene.name} music {number}"
