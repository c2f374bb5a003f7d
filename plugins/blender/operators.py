# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons do. Each takes a moment at most: the work is the bridge's; its answers come by `session.drain`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, IntProperty

from . import compat, music, session, timeline
from .client import Job, Take, bridge_command

NO_BRIDGE = "The hitpoint program was not found: pip install hitpoint, then hitpoint install blender; or set its path."
NOT_SAVED = "This project is not saved yet: save it, so that it can find its music again."
NO_SCORE = "There is no score yet: score the strips first."
NOT_YET = "The score is still being made: wait for it, or cancel it."
NO_BAR = "No bar of the score lies there: move the playhead, or the range, over the bars to regenerate."
CLASSES: list[type] = []
Action = Callable[[Any, Any], None]


class Button(bpy.types.Operator):  # type: ignore[misc]
    """What all buttons share."""

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Needs a scene in the sequencer."""
        return compat.scene_of(context) is not None


def button(label: str, *options: str, **properties: Any) -> Callable[[Action], Action]:
    """Make the operator hitpoint.NAME of the function NAME(operator, scene); its docstring is the tooltip.

    options: Blender's; INTERNAL where none is given. A HostError becomes the panel's last error.
    """

    def make(action: Action) -> Action:
        """Put the operator of `action` into CLASSES; the function itself stays as it is."""

        def execute(self: Any, context: Any) -> set[str]:
            """Blender's call of the button."""
            session.client.changed = True
            try:
                action(self, compat.scene_of(context))
            except compat.HostError as error:
                session.client.error = str(error)
                self.report({"WARNING"}, str(error))
                return {"CANCELLED"}
            return {"FINISHED"}

        name = action.__name__
        fields: dict[str, Any] = {"__doc__": action.__doc__, "__annotations__": properties, "execute": execute}
        fields |= {"bl_idname": f"hitpoint.{name}", "bl_label": label, "bl_options": set(options or {"INTERNAL"})}
        CLASSES.append(type(f"HITPOINT_OT_{name}", (Button,), fields))
        return action

    return make


def _about(scene: Any, span: tuple[int, int]) -> dict[str, Any]:
    return {"scene": scene.name, "file": bpy.data.filepath, "span": span, "energy": scene.hitpoint.energy}


def present_job(scene: Any) -> Job:
    """The job under way in `scene`, else that of the score lying there, as the file remembers it. Raises HostError."""
    client, saved = session.client, scene.hitpoint
    job: Job | None = client.job
    memory = json.loads(saved.memory or "{}")
    if job is None or job.about["scene"] != scene.name or not (job.running or job.id == memory.get("id")):
        if not memory:
            raise compat.HostError(NO_SCORE)
        client.cancel()
        client.job = job = Job([], compat.fps(scene), (), _about(scene, memory["span"]), memory["id"])
        job.running, job.take, job.bars = False, -1, dict(enumerate(memory["bars"]))
        job.takes = {row[0]: Take(job, *row) for row in memory["takes"]}
    if not job.bars:
        raise compat.HostError(NOT_YET if job.running else NO_SCORE)
    if not job.running and job.take != saved.take:  # another one was cancelled, failed, undone or is not known
        job.take = saved.take
        client.send("/hitpoint/take", job.id, job.take)
    return job


@button("Start bridge")
def start_bridge(_: Any, __: Any) -> None:
    """Start the bridge: the hitpoint program, which composes and plays"""
    if session.bridge.starting:
        return
    preferences = compat.preferences()
    note = Path(__file__).with_name("bridge.json")
    installed = json.loads(note.read_text("utf-8"))["command"] if note.is_file() else []
    command = bridge_command(bpy.path.abspath(preferences.bridge_path) if preferences else "", installed)
    client = session.client
    client.error = session.bridge.start(command, client.port, compat.folder()) if command else NO_BRIDGE


@button("Score", "REGISTER", in_range=BoolProperty(options={"SKIP_SAVE"}))
def score(self: Any, scene: Any) -> None:
    """Write music that hits the cuts: of the selected strips, or of all that is seen in the timeline (preview) range"""
    client, fps = session.client, compat.fps(scene)
    edit = timeline.read(compat.read_strips(scene), fps, compat.span(scene) if self.in_range else None)
    session.notes[:] = edit.notes
    if not edit.clips:
        raise compat.HostError(session.notes.pop())
    if not bpy.data.filepath:
        session.notes.append(NOT_SAVED)
    client.start(Job(edit.clips, fps, scene.hitpoint.options(), _about(scene, (edit.start, edit.end))))
    if client.state == "away":
        start_bridge(self, scene)


@button("Place Hitpoint's music", "UNDO", "INTERNAL")
def apply(_: Any, __: Any) -> None:
    """Put a finished take into the timeline: strip and markers in one undo step; called by the timer"""
    take = session.client.finished.pop(0)
    scene = bpy.data.scenes.get(take.job.about["scene"])
    if scene is None:
        text = f"The scene that was scored is gone; the music lies in {take.wav or take.midi}."
    else:
        text = music.place(scene, take)
    session.client.error = text or session.client.error


@button("Cancel")
def cancel(_: Any, __: Any) -> None:
    """Stop working on this score"""
    session.client.cancel()


@button("Take", index=IntProperty(min=0, max=2))
def take(self: Any, scene: Any) -> None:
    """Put another take of the same score in place; one not yet written is composed"""
    present_job(scene)
    session.client.choose(self.index)


@button("Regenerate", in_range=BoolProperty(options={"SKIP_SAVE"}))
def regenerate(self: Any, scene: Any) -> None:
    """Write bars anew, from the playhead on or in the timeline (preview) range; the rest stays, note for note"""
    job, fps = present_job(scene), compat.fps(scene)
    bars, (first_frame, end_frame) = job.bar_starts(), job.about["span"]
    start, end = compat.span(scene) if self.in_range else (scene.frame_current, math.inf)
    if start >= end_frame or end <= first_frame:
        raise compat.HostError(NO_BAR)
    first, last = timeline.bar_at(bars, start / fps), timeline.bar_at(bars, (end - 1) / fps)
    session.client.ask("/hitpoint/regenerate", first, last)


@button("Test")
def echo(_: Any, __: Any) -> None:
    """Ask the bridge for a sign of life and show how long it took"""
    session.client.echo()


@button("Hide")
def dismiss(_: Any, __: Any) -> None:
    """Hide this message"""
    session.client.error = ""
    session.notes.clear()


@button("Show in folder")
def reveal(_: Any, scene: Any) -> None:
    """Open the folder of the MIDI file"""
    folder = Path(scene.hitpoint.midi).parent
    if not folder.is_dir():
        raise compat.HostError(f"The folder {folder} is gone: score again.")
    bpy.ops.wm.path_open(filepath=str(folder))


@button("Copy path")
def copy(_: Any, scene: Any) -> None:
    """Copy the path of the MIDI file"""
    bpy.context.window_manager.clipboard = scene.hitpoint.midi


@button("Remove markers", "REGISTER", "UNDO")
def remove_markers(_: Any, scene: Any) -> None:
    """Remove all markers of hit points and bars; your own stay"""
    music.remove_markers(scene)
