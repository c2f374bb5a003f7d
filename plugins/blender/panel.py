# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: RUF012 - Blender's way to declare options is a set in the class
"""The sidebar tab: settings, and the three panels that show them."""

import json
import textwrap
from pathlib import Path
from typing import Any

import bpy

from . import compat, session
from .client import Take

GENRES = [(name, name.capitalize(), "") for name in ("country", "dance", "electronic", "metal", "pop", "rock")]
INSTRUMENTS = [
    (name, name.capitalize(), "", 1 << index)
    for index, name in enumerate(("drums", "piano", "guitar", "bass", "strings"))
]
TEMPO = [
    ("AUTO", "Auto", "The tempo that meets the cuts best"),
    ("FIXED", "Fixed", "Exactly this tempo"),
    ("RANGE", "Range", "The best tempo within these bounds"),
]
LIGHT = {"connected": "COLLECTION_COLOR_04", "away": "COLLECTION_COLOR_01", "other": "COLLECTION_COLOR_02"}


def _mute_changed(settings: Any, _: Any) -> None:
    if session.client is not None:
        for name, *_rest in INSTRUMENTS:
            session.client.send("/hitpoint/mute", name, int(name in settings.mute))


def _control_changed(settings: Any, _: Any) -> None:
    if session.client is not None and session.is_live():
        job = session.client.job
        session.client.send("/hitpoint/control/control", settings.control)
        session.client.send("/hitpoint/control/energy", settings.energy - (job.about["energy"] if job else 0.0))


def _live_changed(manager: Any, context: Any) -> None:
    session.set_live(manager.hitpoint_live, compat.scene_of(context))


class HitpointSettings(bpy.types.PropertyGroup):  # type: ignore[misc]
    """What the user wishes, and what the file remembers of its score."""

    genre: bpy.props.EnumProperty(name="Genre", items=GENRES, default="pop")  # type: ignore[valid-type]
    instruments: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Instruments", items=INSTRUMENTS, options={"ENUM_FLAG"}, default={item[0] for item in INSTRUMENTS}
    )
    tempo: bpy.props.EnumProperty(name="Tempo", items=TEMPO)  # type: ignore[valid-type]
    bpm: bpy.props.FloatProperty(name="BPM", min=30, max=300, default=120, precision=1)  # type: ignore[valid-type]
    bpm_low: bpy.props.FloatProperty(name="From", min=30, max=300, default=90, precision=1)  # type: ignore[valid-type]
    bpm_high: bpy.props.FloatProperty(name="To", min=30, max=300, default=140, precision=1)  # type: ignore[valid-type]
    control: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Follow picture",
        min=0,
        max=1,
        default=0.7,
        subtype="FACTOR",
        update=_control_changed,
        description="How binding the picture is: 1 makes every hit point and density binding, 0 leaves all free",
    )
    energy: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Energy", min=-0.5, max=0.5, default=0, subtype="FACTOR", update=_control_changed, description="Loudness"
    )
    mute: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Mute", items=INSTRUMENTS, options={"ENUM_FLAG"}, update=_mute_changed, description="Silence it live"
    )
    job: bpy.props.StringProperty()  # type: ignore[valid-type]
    midi: bpy.props.StringProperty()  # type: ignore[valid-type]
    bars: bpy.props.StringProperty()  # type: ignore[valid-type]
    takes: bpy.props.StringProperty()  # type: ignore[valid-type]
    take: bpy.props.IntProperty()  # type: ignore[valid-type]
    start: bpy.props.IntProperty()  # type: ignore[valid-type]
    end: bpy.props.IntProperty()  # type: ignore[valid-type]

    def options(self) -> list[str | float | int]:
        """Keys and values of /hitpoint/score."""
        tempo = {"AUTO": "auto", "FIXED": f"{self.bpm:g}", "RANGE": f"{self.bpm_low:g}-{self.bpm_high:g}"}[self.tempo]
        names = ",".join(item[0] for item in INSTRUMENTS if item[0] in self.instruments) or "all"
        chosen = ["genre", self.genre, "instruments", names, "tempo", tempo]
        return [*chosen, "control", round(self.control, 3), "energy", round(self.energy, 3), "wav", 1]

    def remember(self, take: Take, start: int, end: int) -> None:
        """Keep in the file what is needed to go on with this score after a reload."""
        self.job, self.midi, self.take, self.start, self.end = take.job.id, take.midi, take.index, start, end
        self.bars = json.dumps(take.job.bar_starts())
        self.takes = json.dumps([(known.index, known.midi, known.wav) for known in take.job.takes.values()])


class HitpointPreferences(bpy.types.AddonPreferences):  # type: ignore[misc]
    """Port and place of the bridge."""

    bl_idname = __package__
    port: bpy.props.IntProperty(name="Port", default=7710, min=1024, max=65535)  # type: ignore[valid-type]
    bridge_path: bpy.props.StringProperty(name="hitpoint program", subtype="FILE_PATH")  # type: ignore[valid-type]

    def draw(self, _: Any) -> None:
        """Two rows; both are read when the extension is enabled or the bridge started."""
        self.layout.prop(self, "port")
        self.layout.prop(self, "bridge_path")


def _text(layout: Any, context: Any, text: str, icon: str) -> None:
    """A sentence, wrapped to the sidebar's width."""
    width = max(20, int(context.region.width / (6.6 * context.preferences.system.ui_scale)) - 11)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for index, line in enumerate(textwrap.wrap(text, width)):
        column.label(text=line, icon=icon if index == 0 else "BLANK1")


class Sidebar(bpy.types.Panel):  # type: ignore[misc]
    """Where all panels live."""

    bl_space_type, bl_region_type, bl_category = "SEQUENCE_EDITOR", "UI", "Hitpoint"

    @classmethod
    def poll(cls, _: Any) -> bool:
        """Only while the extension runs."""
        return session.client is not None


class HITPOINT_PT_main(Sidebar):
    """Connection, wishes, and the button."""

    bl_idname, bl_label = "HITPOINT_PT_main", "Hitpoint"

    def draw(self, context: Any) -> None:
        """From the light down to the button."""
        layout, scene = self.layout, compat.scene_of(context)
        self._connection(layout)
        if scene is None:
            _text(layout, context, "The sequencer shows no scene: choose one in its header.", "INFO")
            return
        self._wishes(layout, scene.hitpoint)
        self._score(layout)
        self._messages(layout, context)

    def _connection(self, layout: Any) -> None:
        client = session.client
        row = layout.split(factor=0.72 if client.state == "connected" else 0.5)
        if client.state == "connected":
            echo = f" · {client.echo_ms:.1f} ms" if client.echo_ms >= 0 else ""
            row.label(text=f"Bridge {client.bridge_version}{echo}", icon=LIGHT["connected"])
            row.operator("hitpoint.echo")
        else:
            words = {
                "away": "Starting the bridge …" if session.bridge.starting else "No bridge",
                "other": "Other bridge",
            }
            row.label(text=words[client.state], icon=LIGHT[client.state])
            if not session.bridge.starting:
                row.operator("hitpoint.start_bridge")

    def _wishes(self, layout: Any, settings: Any) -> None:
        column = layout.column()
        column.prop(settings, "genre", text="")
        column.row(align=True).prop(settings, "tempo", expand=True)
        if settings.tempo == "FIXED":
            column.prop(settings, "bpm")
        elif settings.tempo == "RANGE":
            row = column.row(align=True)
            row.prop(settings, "bpm_low")
            row.prop(settings, "bpm_high")
        column.grid_flow(row_major=True, columns=3, align=True).prop(settings, "instruments")
        column.prop(settings, "control")
        column.prop(settings, "energy")

    def _messages(self, layout: Any, context: Any) -> None:
        """Below all else, so that nothing moves under the mouse."""
        client = session.client
        if client.error or session.notes:
            box = layout.box().row()
            column = box.column()
            if client.error:
                _text(column, context, client.error, "ERROR")
            for note in session.notes[:4]:
                _text(column, context, note, "INFO")
            if len(session.notes) > 4:
                column.label(text=f"… and {len(session.notes) - 4} more", icon="BLANK1")
            box.operator("hitpoint.dismiss", text="", icon="X", emboss=False)

    def _score(self, layout: Any) -> None:
        job = session.client.job
        if job is not None and job.running:
            row = layout.row()
            waiting = session.client.state != "connected"
            compat.progress(row, "Waiting for the bridge" if waiting else job.stage.capitalize(), job.progress())
            row.operator("hitpoint.cancel", text="", icon="X")
            return
        column = layout.column(align=True)
        column.scale_y = 1.4
        column.operator("hitpoint.score", text="Score selection", icon="SOUND").scope = "SELECTION"
        column.operator("hitpoint.score", text="Score timeline range").scope = "RANGE"


class HITPOINT_PT_music(Sidebar):
    """Takes, regeneration, and the files."""

    bl_idname, bl_label, bl_parent_id = "HITPOINT_PT_music", "Music", "HITPOINT_PT_main"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Once there is a score."""
        scene = compat.scene_of(context)
        return session.client is not None and scene is not None and bool(scene.hitpoint.job)

    def draw(self, context: Any) -> None:
        """Takes first, files last."""
        layout, saved = self.layout, compat.scene_of(context).hitpoint
        row = layout.row(align=True)
        for index, name in enumerate("ABC"):
            row.operator("hitpoint.take", text=f"Take {name}", depress=saved.take == index).index = index
        column = layout.column(align=True)
        column.operator("hitpoint.regenerate", text="Regenerate from playhead").scope = "PLAYHEAD"
        column.operator("hitpoint.regenerate", text="Regenerate in range").scope = "RANGE"
        row = layout.row(align=True)
        row.label(text=Path(saved.midi).name, icon="FILE_SOUND")
        row.operator("hitpoint.reveal", text="", icon="FILE_FOLDER")
        row.operator("hitpoint.copy", text="", icon="COPYDOWN")
        layout.operator("hitpoint.remove_markers", icon="MARKER")


class HITPOINT_PT_live(Sidebar):
    """The synth follows the playhead."""

    bl_idname, bl_label, bl_parent_id = "HITPOINT_PT_live", "Live", "HITPOINT_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

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
        if client.state == "connected":
            late = f" · {client.late_ms:.1f} ms late" if client.late_ms >= 0 else ""
            layout.label(text=f"{client.midi_port or 'No MIDI port'}{late}", icon="PLAY_SOUND")
        layout.label(text="Mute")
        layout.grid_flow(row_major=True, columns=3, align=True).prop(scene.hitpoint, "mute")


CLASSES = (HitpointSettings, HitpointPreferences, HITPOINT_PT_main, HITPOINT_PT_music, HITPOINT_PT_live)


def attach() -> None:
    """Give scenes their settings, and the window its live switch, which no file keeps."""
    bpy.types.Scene.hitpoint = bpy.props.PointerProperty(type=HitpointSettings)
    bpy.types.WindowManager.hitpoint_live = bpy.props.BoolProperty(
        name="Live", description="The synth follows the playhead", options={"SKIP_SAVE"}, update=_live_changed
    )


def detach() -> None:
    """Undo `attach`."""
    del bpy.types.Scene.hitpoint, bpy.types.WindowManager.hitpoint_live
