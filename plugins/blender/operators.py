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

from . import compat, music, scores, session, sound, timeline
from .bridge import bridge_command
from .jobs import Job
from .picture import free_name

NO_BRIDGE = "The hitpoint program was not found: pip install hitpoint, then hitpoint install blender; or set its path."
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


def button(label: str, *options: str, anywhere: bool = False, **properties: Any) -> Callable[[Action], Action]:
    """Make the operator hitpoint.NAME of the function NAME(operator, scene); its docstring is the tooltip.

    anywhere: also where the sequencer shows no scene. options: Blender's; INTERNAL where none is given. A HostError
    becomes the panel's last error.
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
        if anywhere:
            fields["poll"] = classmethod(lambda cls, context: True)
        fields |= {"bl_idname": f"hitpoint.{name}", "bl_label": label, "bl_options": set(options or {"INTERNAL"})}
        CLASSES.append(type(f"HITPOINT_OT_{name}", (Button,), fields))
        return action

    return make


def _about(scene: Any, span: tuple[int, int], in_range: bool = False) -> dict[str, Any]:
    saved = scene.hitpoint
    more = {"energy": saved.energy, "seed": saved.seed, "in_range": in_range}
    return {"scene": scene.name, "file": bpy.data.filepath, "span": span, **more}


def present_job(scene: Any) -> Job:
    """The job under way in `scene`, else that of the score that is meant, as the file has it. Raises HostError."""
    client, score = session.client, scores.chosen(scene)
    job: Job | None = client.job
    if job is not None and job.running and job.about["scene"] == scene.name:
        if not job.bars:
            raise compat.HostError(NOT_YET)
        return job
    if not score:
        raise compat.HostError(NO_SCORE)
    remembered = scores.job_of(scene, score, _about(scene, (0, 0)))
    if not remembered.bars:
        raise compat.HostError(NO_SCORE)
    if job is not None and job.id == score:  # it knows more; but what is heard, the file says, also after an undo
        job.take, job.takes, job.bars = remembered.take, remembered.takes, remembered.bars
        remembered = job
    remembered.folder = compat.music_folder(bpy.data.filepath)
    client.cancel()
    client.job = remembered
    return remembered


def need_bridge(scene: Any) -> None:
    """Start the bridge where none is there."""
    if session.client.state == "away":
        start_bridge(None, scene)


@button("Start")
def start_bridge(_: Any, __: Any) -> None:
    """Start the hitpoint program on this machine, which composes and plays"""
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
    _ask_for_score(scene, self.in_range, "")


@button("Score the rendered picture", "REGISTER", in_range=BoolProperty(options={"SKIP_SAVE"}))
def score_picture(self: Any, scene: Any) -> None:
    """Render the picture small, beside your work, and score what is really seen: effects, scenes and masks included"""
    _ask_for_score(scene, self.in_range, "", rendered=True)


@button("Re-score what changed", "REGISTER")
def rescore(_: Any, scene: Any) -> None:
    """After a change of the edit: the music stays, note for note, where the picture has not changed"""
    keep = scores.chosen(scene)
    if not keep:
        raise compat.HostError(NO_SCORE)
    known = scores.read(scene)[keep]
    _ask_for_score(scene, known["in_range"], keep, known["rendered"])


def _ask_for_score(scene: Any, in_range: bool, keep: str, rendered: bool = False) -> None:
    client, fps = session.client, compat.fps(scene)
    strips = compat.read_strips(scene)
    span = compat.span(scene) if in_range else None
    if keep and not in_range and not any(strip.selected and strip.kind != "SOUND" for strip in strips):
        span = timeline.grown(strips, scores.read(scene)[keep]["span"])
    edit = timeline.read(strips, fps, span)
    session.notes[:] = [] if rendered else edit.notes
    session.offer[:] = [in_range] if edit.unsure and not rendered else []
    if not edit.clips and not (rendered and edit.end > edit.start):
        raise compat.HostError(edit.notes[-1] if rendered else session.notes.pop())
    if not bpy.data.filepath:
        session.notes.append(session.NOT_SAVED)
    title, film, take = scores.title(scene), Path(), 0
    if rendered:
        film = _free_film(title)
        edit = timeline.rendered(edit, str(film), fps, scene.hitpoint.cuts == "strips")
    heard = sound.heard(scene, (edit.start, edit.end), scores.TAG)
    wishes = timeline.wishes(edit, compat.own_markers(scene), fps)
    options = (*scene.hitpoint.options(), "keep-sound", "on" if heard else "off", *wishes)
    about = {**_about(scene, (edit.start, edit.end), in_range), "rendered": rendered}
    if keep:
        options, about["keeps"], take = (*options, "keep", keep), keep, scores.read(scene)[keep]["take"]
    folder, start_s = compat.music_folder(bpy.data.filepath), edit.start / fps
    job = Job(edit.clips, fps, options, about, start_s, folder, title, take=take, sounds=[] if rendered else heard)
    session.picture.stop()
    if rendered:
        client.cancel()
        _render(scene, film, edit, job)
    else:
        client.start(job)
    need_bridge(scene)


def _free_film(title: str) -> Path:
    try:
        return free_name(compat.folder() / "pictures", title)
    except OSError as error:
        raise compat.HostError(f"The picture cannot be rendered into {compat.folder()} ({error.strerror}).") from None


def _render(scene: Any, film: Path, edit: timeline.Edit, job: Job) -> None:
    library = film.with_suffix(".blend")
    wishes = {"scene": scene.name, "first": edit.start, "end": edit.end}
    try:
        compat.write_scene(scene, library)
        session.picture.start(compat.another_blender("render_picture.py"), library, film, wishes, job)
    except (OSError, RuntimeError) as error:
        raise compat.HostError(f"The picture cannot be rendered ({error}).") from None


@button("Place Hitpoint's music", "UNDO", "INTERNAL", anywhere=True)
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
    session.picture.stop()
    session.client.cancel()


@button("Take", index=IntProperty(min=0, max=2))
def take(self: Any, scene: Any) -> None:
    """Put another take of the same score in place; one not yet written is composed"""
    job = present_job(scene)
    job.about["scene"] = scene.name
    session.client.choose(self.index)
    need_bridge(scene)


@button("Regenerate", in_range=BoolProperty(options={"SKIP_SAVE"}))
def regenerate(self: Any, scene: Any) -> None:
    """Rewrite bars, from the playhead on or in the timeline (preview) range; the rest stays, note for note"""
    job, fps = present_job(scene), compat.fps(scene)
    moved = scores.shift(scene, job.id) if job.id in scores.read(scene) else 0
    bars, (first_frame, end_frame) = job.bar_starts(), job.about["span"]
    start, end = compat.span(scene) if self.in_range else (scene.frame_current, math.inf)
    start, end = start - moved, end - moved
    if start >= end_frame or end <= first_frame:
        raise compat.HostError(NO_BAR)
    first, last = timeline.bar_at(bars, start / fps), timeline.bar_at(bars, (end - 1) / fps)
    if not job.running:
        session.client.send("/hitpoint/take", job.id, job.take)
    session.client.ask("/hitpoint/regenerate", first, last)
    need_bridge(scene)


@button("Jump to it", frame=IntProperty())
def jump(self: Any, scene: Any) -> None:
    """Move the playhead to a cut that the music does not hit"""
    scene.frame_set(self.frame)


@button("Check")
def echo(_: Any, __: Any) -> None:
    """See whether Hitpoint answers, and how quickly"""
    session.client.echo()


@button("Hide")
def dismiss(_: Any, __: Any) -> None:
    """Hide this message"""
    session.client.error = ""
    session.notes.clear()
    session.offer.clear()


def _midi(scene: Any) -> str:
    """The MIDI file of the take that is heard. Raises HostError."""
    job = scores.job_of(scene, scores.chosen(scene), {})
    return job.takes[job.take].midi


@button("Show in folder")
def reveal(_: Any, scene: Any) -> None:
    """Open the folder where the music lies, as sound and as MIDI"""
    folder = Path(_midi(scene)).parent
    if not folder.is_dir():
        raise compat.HostError(f"The folder {folder} is gone: score again.")
    bpy.ops.wm.path_open(filepath=str(folder))


@button("Copy path")
def copy(_: Any, scene: Any) -> None:
    """Copy the path of the MIDI file, to open the notes elsewhere"""
    bpy.context.window_manager.clipboard = _midi(scene)


@button("Remove markers", "REGISTER", "UNDO")
def remove_markers(_: Any, scene: Any) -> None:
    """Remove all markers of hit points and bars; your own stay"""
    music.remove_markers(scene)
