# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: RUF012 - Blender's way to declare options is a set in the class
"""What the buttons do. Each takes a moment at most: the work is the bridge's; its answers come by `session.drain`."""

import json
from pathlib import Path
from typing import Any

import bpy

from . import apply, compat, session, timeline
from .client import Job, Take, bridge_command

SCOPES = [
    ("SELECTION", "Selection", "The selected strips"),
    ("RANGE", "Timeline range", "All that is seen from the start to the end frame (of the preview range, if set)"),
    ("PLAYHEAD", "From playhead", "From the bar at the playhead to the end"),
]
NO_BRIDGE = "The hitpoint program was not found: pip install hitpoint, then hitpoint install blender; or set its path."
NOT_SAVED = "This project is not saved yet: save it, so that it can find its music again."


def present_job(scene: Any) -> Job | None:
    """The job of the score that lies in `scene`; after a reload, what the file remembers of it."""
    client, saved = session.client, scene.hitpoint
    if client is not None and client.job is not None and client.job.about.get("scene") == scene.name:
        known: Job = client.job
        return known
    if client is None or not saved.job:
        return None
    client.cancel()
    job = Job([], compat.fps(scene), (), _about(scene, saved.start, saved.end), saved.job, running=False)
    job.bars, job.take = dict(enumerate(json.loads(saved.bars or "[]"))), saved.take
    job.takes = {index: Take(job, index, midi, wav) for index, midi, wav in json.loads(saved.takes or "[]")}
    client.job = job
    client.send("/hitpoint/take", job.id, job.take)  # the bridge may have gone on with another one
    return job


def _about(scene: Any, start: int, end: int) -> dict[str, Any]:
    about = {"scene": scene.name, "file": bpy.data.filepath, "start": start, "end": end}
    return {**about, "energy": scene.hitpoint.energy}


def start_bridge(context: Any) -> None:
    """Launch the bridge; what goes wrong becomes the panel's last error."""
    client, preferences = session.client, compat.preferences(context)
    if client is None or session.bridge.starting:
        return
    note = Path(__file__).with_name("bridge.json")
    installed = json.loads(note.read_text("utf-8"))["command"] if note.is_file() else []
    command = bridge_command(bpy.path.abspath(preferences.bridge_path) if preferences else "", installed)
    client.error = session.bridge.start(command, client.port, compat.folder()) if command else NO_BRIDGE
    client.changed = True


class Button(bpy.types.Operator):  # type: ignore[misc]
    """What all buttons share."""

    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Needs a scene in the sequencer, and the extension running."""
        return session.client is not None and compat.scene_of(context) is not None


class HITPOINT_OT_score(Button):
    """Write music that hits the cuts of these strips"""

    bl_idname, bl_label = "hitpoint.score", "Score"
    bl_options = {"REGISTER"}
    scope: bpy.props.EnumProperty(items=SCOPES[:2], options={"SKIP_SAVE"})  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[str]:
        """Read the edit, send it; a bridge that is not there is started."""
        client, scene = session.client, compat.scene_of(context)
        fps = compat.fps(scene)
        edit = timeline.read(compat.read_strips(scene), fps, compat.span(scene) if self.scope == "RANGE" else None)
        session.notes[:] = edit.notes
        if not edit.clips:
            client.error, client.changed = session.notes.pop(), True
            self.report({"WARNING"}, client.error)
            return {"CANCELLED"}
        if not bpy.data.filepath:
            session.notes.append(NOT_SAVED)
        about = _about(scene, edit.start, edit.end)
        client.start(Job(edit.clips, fps, tuple(scene.hitpoint.options()), about))
        if client.state == "away":
            start_bridge(context)
        return {"FINISHED"}


class HITPOINT_OT_apply(Button):
    """Put a finished take into the timeline"""

    bl_idname, bl_label = "hitpoint.apply", "Place Hitpoint's music"
    bl_options = {"UNDO", "INTERNAL"}

    def execute(self, context: Any) -> set[str]:
        """Strip and markers, in one undo step; called by the timer."""
        client = session.client
        take = session.pending.pop(0)
        scene = bpy.data.scenes.get(take.job.about["scene"])
        try:
            if scene is None:
                raise compat.HostError(f"The scene that was scored is gone; the music lies in {take.wav or take.midi}.")
            scene.sequence_editor_create()
            apply.place(scene, take)
        except compat.HostError as error:
            client.error = str(error)
        client.changed = True
        return {"FINISHED"}


class HITPOINT_OT_cancel(Button):
    """Stop working on this score"""

    bl_idname, bl_label = "hitpoint.cancel", "Cancel"

    def execute(self, context: Any) -> set[str]:
        """Tell the bridge, and forget what it still sends."""
        session.client.cancel()
        return {"FINISHED"}


class HITPOINT_OT_take(Button):
    """Put another take of the same score in place; one not yet written is composed"""

    bl_idname, bl_label = "hitpoint.take", "Take"
    index: bpy.props.IntProperty(min=0, max=2)  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[str]:
        """Place it if it is known, else ask for it."""
        client, job = session.client, present_job(compat.scene_of(context))
        if job is None:
            client.fail("There is no score yet: score the strips first.")
            return {"CANCELLED"}
        job.take = self.index
        if self.index in job.takes:
            session.pending.append(job.takes[self.index])
            client.send("/hitpoint/take", job.id, self.index)
        else:
            client.ask("/hitpoint/take", self.index)
        return {"FINISHED"}


class HITPOINT_OT_regenerate(Button):
    """Write these bars anew and leave the rest as it is, note for note"""

    bl_idname, bl_label = "hitpoint.regenerate", "Regenerate"
    scope: bpy.props.EnumProperty(items=SCOPES[1:])  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[str]:
        """From the playhead's bar to the end, or the bars that the timeline range touches."""
        client, scene = session.client, compat.scene_of(context)
        job, fps = present_job(scene), compat.fps(scene)
        bars = job.bar_starts() if job else []
        if not bars:
            client.fail("There is no score yet: score the strips first.")
            return {"CANCELLED"}
        start, end = (scene.frame_current, None) if self.scope == "PLAYHEAD" else compat.span(scene)
        last = len(bars) - 1 if end is None else timeline.bar_at(bars, (end - 1) / fps)
        client.ask("/hitpoint/regenerate", timeline.bar_at(bars, start / fps), last)
        return {"FINISHED"}


class HITPOINT_OT_start_bridge(Button):
    """Start the bridge: the hitpoint program, which composes and plays"""

    bl_idname, bl_label = "hitpoint.start_bridge", "Start bridge"

    def execute(self, context: Any) -> set[str]:
        """Launch and return; the light turns green when it answers."""
        start_bridge(context)
        return {"FINISHED"}


class HITPOINT_OT_echo(Button):
    """Ask the bridge for a sign of life and show how long it took"""

    bl_idname, bl_label = "hitpoint.echo", "Test"

    def execute(self, context: Any) -> set[str]:
        """One ping; the pong shows in the panel."""
        session.client.echo_ms = -1.0
        session.client.echo()
        return {"FINISHED"}


class HITPOINT_OT_dismiss(Button):
    """Hide this message"""

    bl_idname, bl_label = "hitpoint.dismiss", "Hide"

    def execute(self, context: Any) -> set[str]:
        """Clear the last error and the notes."""
        session.client.error = ""
        session.notes.clear()
        return {"FINISHED"}


class HITPOINT_OT_reveal(Button):
    """Open the folder of the MIDI file"""

    bl_idname, bl_label = "hitpoint.reveal", "Show in folder"

    def execute(self, context: Any) -> set[str]:
        """By the system's own file browser."""
        bpy.ops.wm.path_open(filepath=str(Path(compat.scene_of(context).hitpoint.midi).parent))
        return {"FINISHED"}


class HITPOINT_OT_copy(Button):
    """Copy the path of the MIDI file"""

    bl_idname, bl_label = "hitpoint.copy", "Copy path"

    def execute(self, context: Any) -> set[str]:
        """Into the clipboard."""
        context.window_manager.clipboard = compat.scene_of(context).hitpoint.midi
        return {"FINISHED"}


class HITPOINT_OT_remove_markers(Button):
    """Remove all markers of hit points and bars; your own stay"""

    bl_idname, bl_label = "hitpoint.remove_markers", "Remove markers"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        """Those with this extension's prefix, in one undo step."""
        apply.remove_markers(compat.scene_of(context))
        return {"FINISHED"}


CLASSES = (
    HITPOINT_OT_score,
    HITPOINT_OT_apply,
    HITPOINT_OT_cancel,
    HITPOINT_OT_take,
    HITPOINT_OT_regenerate,
    HITPOINT_OT_start_bridge,
    HITPOINT_OT_echo,
    HITPOINT_OT_dismiss,
    HITPOINT_OT_reveal,
    HITPOINT_OT_copy,
    HITPOINT_OT_remove_markers,
)
