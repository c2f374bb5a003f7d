# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab."""

import textwrap
from typing import Any

import bpy

from . import compat, scores, session
from .settings import COMPOSERS, INSTRUMENTS

LIGHT = {"connected": "KEYTYPE_JITTER_VEC", "away": "KEYTYPE_EXTREME_VEC", "other": "ERROR"}  # green, red
STATE = {
    "connected": "Hitpoint is ready",
    "away": "Hitpoint is not running",
    "other": "Hitpoint needs an update",
}
DOING = {
    "clips": "Reading the edit",
    "analyse": "Watching the film",
    "plan": "Planning the hits",
    "compose": "Composing",
    "write": "Recording",
}
MISSED_SHOWN = 5
BOX = 7
"""Letters that a box and its button take from a line."""
NO_DEVICE = (
    "Sync to Audio needs a sound device, and none is chosen: choose one in Preferences, System, or use Frame Dropping."
)


def _text(layout: Any, context: Any, text: str, icon: str, beside: int = 0) -> None:
    """A sentence, wrapped to the sidebar's width, of which other things take so many letters."""
    width = max(20, int(context.region.width / (6.6 * context.preferences.system.ui_scale)) - 11 - beside)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for index, line in enumerate(textwrap.wrap(compat.translated(text), width)):
        column.label(text=line, icon=icon if index == 0 else "BLANK1")


def _instruments(layout: Any, settings: Any, name: str) -> None:
    column = layout.column(align=True)
    for names in (INSTRUMENTS[:3], INSTRUMENTS[3:]):
        row = column.row(align=True)
        for instrument in names:
            row.prop_enum(settings, name, instrument)


class Sidebar(bpy.types.Panel):  # type: ignore[misc]
    """Where all panels live."""

    bl_space_type, bl_region_type, bl_category = "SEQUENCE_EDITOR", "UI", "Hitpoint"


class HITPOINT_PT_main(Sidebar):
    """Connection, the button, and what it answers."""

    bl_idname, bl_label = "HITPOINT_PT_main", "Hitpoint"

    def draw(self, context: Any) -> None:
        """The button first, as the defaults will do; what it answers right below it."""
        layout, scene = self.layout, compat.scene_of(context)
        _connection(layout)
        if scene is None:
            _text(layout, context, "The sequencer shows no scene: choose one in its header.", "INFO")
            return
        _score(layout)
        _messages(layout, context)


def _connection(layout: Any) -> None:
    client, starting = session.client, session.bridge.starting
    connected = client.state == "connected"
    text = compat.translated(STATE[client.state])
    if connected and client.echo_ms >= 0:
        text += f" · {client.echo_ms:.1f} ms"
    elif client.state == "away" and starting:
        text = compat.translated("Hitpoint is starting …")
    row = layout.split(factor=0.72)
    row.label(text=text, icon=LIGHT[client.state])
    if connected:
        row.operator("hitpoint.echo")
    elif not starting:
        row.operator("hitpoint.start_bridge")


def _score(layout: Any) -> None:
    """The two buttons; while something is under way, how far it is, in their place."""
    client, job = session.client, session.client.job
    column = layout.column(align=True)
    first = column.row()
    first.scale_y = 1.6
    if session.picture.running:
        compat.progress(first, compat.translated("Rendering the picture"), session.picture.share)
        column.operator("hitpoint.cancel")
    elif job is not None and job.running:
        text = DOING[job.stage] if client.state == "connected" else "Waiting for Hitpoint"
        compat.progress(first, compat.translated(text), job.progress)
        column.operator("hitpoint.cancel")
    else:
        first.operator("hitpoint.score", text="Score selection", icon="SOUND").in_range = False
        column.operator("hitpoint.score", text="Score timeline range").in_range = True
        column.operator("hitpoint.cut_to_music", icon="SEQ_STRIP_DUPLICATE")


def _messages(layout: Any, context: Any) -> None:
    client, notes = session.client, session.notes
    if not client.error and not notes:
        return
    box = layout.box().row()
    column = box.column()
    if client.error:
        _text(column, context, client.error, "ERROR", BOX)
    for note in notes[:4]:
        _text(column, context, note, "INFO", BOX)
    if len(notes) > 4:
        column.label(text=f"… and {len(notes) - 4} more", icon="BLANK1")
    for in_range in session.offer:
        column.operator("hitpoint.score_picture", icon="RENDER_ANIMATION").in_range = in_range
    box.operator("hitpoint.dismiss", text="", icon="X", emboss=False)


class HITPOINT_PT_music(Sidebar):
    """Takes, what was hit, regeneration, and the files."""

    bl_idname, bl_label, bl_parent_id = "HITPOINT_PT_music", "Music", "HITPOINT_PT_main"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Once there is a score."""
        scene = compat.scene_of(context)
        return scene is not None and bool(scene.hitpoint.memory)

    def draw(self, context: Any) -> None:
        """Of the score that is meant: takes first, files last."""
        layout, scene = self.layout, compat.scene_of(context)
        every, score = scores.read(scene), scores.chosen(scene)
        entry = every[score]
        if len(every) > 1:
            layout.label(text=entry["title"], icon="SOUND", translate=False)
        row = layout.row(align=True)
        ready = {taken[0] for taken in entry["takes"]}
        for index, name in enumerate("ABC"):
            icon = "CHECKMARK" if index in ready else "BLANK1"
            button = row.operator("hitpoint.take", text=f"Take {name}", depress=entry["take"] == index, icon=icon)
            button.index = index
        _hits(layout, scene, entry, score)
        for line in entry["mood"]:
            _text(layout, context, line, "INFO")
        column = layout.column(align=True)
        column.operator("hitpoint.rescore", icon="FILE_REFRESH")
        column.operator("hitpoint.regenerate", text="Regenerate from playhead").in_range = False
        column.operator("hitpoint.regenerate", text="Regenerate in range").in_range = True
        row = layout.row(align=True)
        row.label(text=f"Seed {entry['seed']}", icon="FILE_SOUND")
        row.operator("hitpoint.reveal", text="", icon="FILE_FOLDER")
        row.operator("hitpoint.copy", text="", icon="COPYDOWN")
        layout.operator("hitpoint.remove_markers", icon="MARKER")


def _hits(layout: Any, scene: Any, entry: dict[str, Any], score: str) -> None:
    """How many cuts are hit, and a button to each of the others."""
    hit, found, missed = entry["cuts"]
    if not found:
        return
    column = layout.column(align=True)
    text = compat.translated("{hit} of {found} cuts hit").format(hit=hit, found=found)
    column.label(text=text, icon="CHECKMARK" if hit == found else "INFO", translate=False)
    moved = scores.shift(scene, score)
    for seconds in missed[:MISSED_SHOWN]:
        frame = round(seconds * compat.fps(scene)) + moved
        text = compat.translated("missed: {at}").format(at=bpy.utils.smpte_from_frame(frame))
        column.operator("hitpoint.jump", text=text, icon="FORWARD", translate=False).frame = frame
    if len(missed) > MISSED_SHOWN:
        column.label(text=f"… and {len(missed) - MISSED_SHOWN} more", icon="BLANK1")


class HITPOINT_PT_style(Sidebar):
    """Wishes; below the music, so that the takes are in sight."""

    bl_idname, bl_label, bl_parent_id = "HITPOINT_PT_style", "Style", "HITPOINT_PT_main"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Where there is a scene to wish for."""
        return compat.scene_of(context) is not None

    def draw(self, context: Any) -> None:
        """What matters most first."""
        layout, settings = self.layout, compat.scene_of(context).hitpoint
        column = layout.column()
        chords = ("harmony", "progression") if settings.harmony == "file" else ("harmony",)
        for name in ("genre", "suggest", "describe", "mood", "key", *chords, "lead", "motif", "composer"):
            column.prop(settings, name)
        if settings.composer != COMPOSERS[0]:
            column.prop(settings, "library")
        column.prop(settings, "tempo")
        if settings.tempo == "FIXED":
            column.prop(settings, "bpm")
        elif settings.tempo == "RANGE":
            row = column.row(align=True)
            row.prop(settings, "bpm_low")
            row.prop(settings, "bpm_high")
        for name in ("meter", "odd_bars"):
            column.prop(settings, name)
        _instruments(column, settings, "instruments")
        dials = ("valence", "arousal", "tension") if settings.mood != "off" else ()
        for name in ("cuts", "control", "energy", *dials, "seed", "stems"):
            column.prop(settings, name)


class HITPOINT_PT_live(Sidebar):
    """The synth follows the playhead."""

    bl_idname, bl_label, bl_parent_id = "HITPOINT_PT_live", "Live", "HITPOINT_PT_main"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw_header(self, context: Any) -> None:
        """The switch."""
        self.layout.prop(context.window_manager, "hitpoint_live", text="")

    def draw(self, context: Any) -> None:
        """What plays where, how late, and who is silent."""
        layout, scene, client = self.layout, compat.scene_of(context), session.client
        if scene is None:
            return
        if scene.sync_mode == "NONE":
            _text(layout, context, "“Play Every Frame” runs slow: choose Frame Dropping or Sync to Audio.", "ERROR")
            layout.prop(scene, "sync_mode", text="")
        elif scene.sync_mode == "AUDIO_SYNC" and compat.silent(context):
            _text(layout, context, NO_DEVICE, "ERROR")
            layout.prop(scene, "sync_mode", text="")
        if client.state == "connected":
            late = f" · {client.late_ms:.1f} ms late" if client.late_ms >= 0 else ""
            layout.label(text=f"{client.midi_port or 'No MIDI port'}{late}", icon="PLAY_SOUND", translate=False)
            _text(layout, context, "Connect this MIDI output to your synth or sampler to hear it live.", "INFO")
        layout.label(text="Mute")
        _instruments(layout, scene.hitpoint, "mute")


CLASSES = (HITPOINT_PT_main, HITPOINT_PT_music, HITPOINT_PT_style, HITPOINT_PT_live)
