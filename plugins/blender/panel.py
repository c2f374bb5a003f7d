# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: RUF012 - Blender's way to declare options is a set in the class
# mypy: disable-error-code="valid-type, misc"
"""The sidebar tab: settings, and the panels that show them."""

import json
import textwrap
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from . import compat, session
from .client import Take

GENRES = ("country", "dance", "electronic", "metal", "pop", "rock", "orchestral")
INSTRUMENTS = ("drums", "piano", "guitar", "bass", "strings")
TEMPO = [
    ("AUTO", "Auto", "The tempo that meets the cuts best"),
    ("FIXED", "Fixed", "Exactly this tempo"),
    ("RANGE", "Range", "The best tempo within these bounds"),
]
FLAGS: dict[str, Any] = {
    "items": [(name, name.capitalize(), "", 1 << index) for index, name in enumerate(INSTRUMENTS)],
    "options": {"ENUM_FLAG"},
}
BPM: dict[str, Any] = {"min": 30, "max": 300, "precision": 1}
LIGHT = {"connected": "KEYTYPE_JITTER_VEC", "away": "KEYTYPE_EXTREME_VEC", "other": "ERROR"}  # green, red


def _mute_changed(settings: Any, _: Any) -> None:
    settings.tell_mutes()


def _control_changed(settings: Any, _: Any) -> None:
    if session.playhead.live:
        job = session.client.job
        session.client.send("/hitpoint/control/control", settings.control)
        session.client.send("/hitpoint/control/energy", settings.energy - (job.about["energy"] if job else 0.0))


def _live_changed(manager: Any, context: Any) -> None:
    session.set_live(manager.hitpoint_live, compat.scene_of(context))


FACTOR: dict[str, Any] = {"subtype": "FACTOR", "update": _control_changed}


class HitpointSettings(bpy.types.PropertyGroup):
    """What the user wishes, and what the file remembers of its score."""

    genre: EnumProperty(name="Genre", items=[(name, name.capitalize(), "") for name in GENRES], default="pop")
    instruments: EnumProperty(name="Instruments", default=set(INSTRUMENTS), **FLAGS)
    tempo: EnumProperty(name="Tempo", items=TEMPO)
    bpm: FloatProperty(name="BPM", default=120, **BPM)
    bpm_low: FloatProperty(name="From", default=90, **BPM)
    bpm_high: FloatProperty(name="To", default=140, **BPM)
    control: FloatProperty(
        name="Follow picture",
        description="How binding the picture is: 1 makes every hit point and density binding, 0 leaves all free",
        **FACTOR,
        min=0,
        max=1,
        default=0.7,
    )
    energy: FloatProperty(name="Energy", description="Loudness", min=-0.5, max=0.5, **FACTOR)
    mute: EnumProperty(name="Mute", description="Silence it live", update=_mute_changed, **FLAGS)
    midi: StringProperty()
    take: IntProperty()
    memory: StringProperty()

    def options(self) -> tuple[str | float | int, ...]:
        """Keys and values of /hitpoint/score."""
        tempo = {"AUTO": "auto", "FIXED": f"{self.bpm:g}", "RANGE": f"{self.bpm_low:g}-{self.bpm_high:g}"}[self.tempo]
        names = ",".join(name for name in INSTRUMENTS if name in self.instruments) or "all"
        numbers = ("control", round(self.control, 3), "energy", round(self.energy, 3), "wav", 1)
        return ("genre", self.genre, "instruments", names, "tempo", tempo, *numbers)

    def tell_mutes(self) -> None:
        """Tell the bridge which instruments are silent."""
        for name in INSTRUMENTS:
            session.client.send("/hitpoint/mute", name, int(name in self.mute))

    def remember(self, take: Take) -> None:
        """Keep in the file what is needed to go on with this score after a reload."""
        job = take.job
        takes = [(known.index, known.midi, known.wav) for known in job.takes.values()]
        self.midi, self.take = take.midi, take.index
        self.memory = json.dumps({"id": job.id, "span": job.about["span"], "bars": job.bar_starts(), "takes": takes})


class HitpointPreferences(bpy.types.AddonPreferences):
    """Port and place of the bridge."""

    bl_idname = __package__
    port: IntProperty(name="Port", default=7710, min=1024, max=65535)
    bridge_path: StringProperty(name="hitpoint program", subtype="FILE_PATH")

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


def _instruments(layout: Any, settings: Any, name: str) -> None:
    column = layout.column(align=True)
    for names in (INSTRUMENTS[:3], INSTRUMENTS[3:]):
        row = column.row(align=True)
        for instrument in names:
            row.prop_enum(settings, name, instrument)


class Sidebar(bpy.types.Panel):
    """Where all panels live."""

    bl_space_type, bl_region_type, bl_category = "SEQUENCE_EDITOR", "UI", "Hitpoint"


class HITPOINT_PT_main(Sidebar):
    """Connection, the button, and wishes."""

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
        settings = scene.hitpoint
        column = layout.column()
        column.prop(settings, "genre")
        column.prop(settings, "tempo")
        if settings.tempo == "FIXED":
            column.prop(settings, "bpm")
        elif settings.tempo == "RANGE":
            row = column.row(align=True)
            row.prop(settings, "bpm_low")
            row.prop(settings, "bpm_high")
        _instruments(column, settings, "instruments")
        column.prop(settings, "control")
        column.prop(settings, "energy")


def _connection(layout: Any) -> None:
    client, starting = session.client, session.bridge.starting
    connected = client.state == "connected"
    text = {"connected": "Bridge " + client.bridge_version, "away": "No bridge", "other": "Other bridge"}[client.state]
    if connected and client.echo_ms >= 0:
        text += f" · {client.echo_ms:.1f} ms"
    elif client.state == "away" and starting:
        text = "Starting the bridge …"
    row = layout.split(factor=0.72 if connected else 0.5)
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
    if job is not None and job.running:
        text = job.stage.capitalize() if client.state == "connected" else "Waiting for the bridge"
        compat.progress(first, text, job.progress)
        column.operator("hitpoint.cancel")
    else:
        first.operator("hitpoint.score", text="Score selection", icon="SOUND").in_range = False
        column.operator("hitpoint.score", text="Score timeline range").in_range = True


def _messages(layout: Any, context: Any) -> None:
    client, notes = session.client, session.notes
    if not client.error and not notes:
        return
    box = layout.box().row()
    column = box.column()
    if client.error:
        _text(column, context, client.error, "ERROR")
    for note in notes[:4]:
        _text(column, context, note, "INFO")
    if len(notes) > 4:
        column.label(text=f"… and {len(notes) - 4} more", icon="BLANK1")
    box.operator("hitpoint.dismiss", text="", icon="X", emboss=False)


class HITPOINT_PT_music(Sidebar):
    """Takes, regeneration, and the files."""

    bl_idname, bl_label, bl_parent_id = "HITPOINT_PT_music", "Music", "HITPOINT_PT_main"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Once there is a score."""
        scene = compat.scene_of(context)
        return scene is not None and bool(scene.hitpoint.memory)

    def draw(self, context: Any) -> None:
        """Takes first, files last."""
        layout, saved = self.layout, compat.scene_of(context).hitpoint
        row = layout.row(align=True)
        for index, name in enumerate("ABC"):
            row.operator("hitpoint.take", text=f"Take {name}", depress=saved.take == index).index = index
        column = layout.column(align=True)
        column.operator("hitpoint.regenerate", text="Regenerate from playhead").in_range = False
        column.operator("hitpoint.regenerate", text="Regenerate in range").in_range = True
        row = layout.row(align=True)
        row.label(text=Path(saved.midi).name.partition("-")[2], icon="FILE_SOUND")  # without the job's number
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
        _instruments(layout, scene.hitpoint, "mute")


CLASSES = (HitpointSettings, HitpointPreferences, HITPOINT_PT_main, HITPOINT_PT_music, HITPOINT_PT_live)


def attach() -> None:
    """Give scenes their settings, and the window its live switch, which no file keeps."""
    bpy.types.Scene.hitpoint = PointerProperty(type=HitpointSettings)
    bpy.types.WindowManager.hitpoint_live = BoolProperty(
        name="Live", description="The synth follows the playhead", options={"SKIP_SAVE"}, update=_live_changed
    )


def detach() -> None:
    """Undo `attach`."""
    del bpy.types.Scene.hitpoint, bpy.types.WindowManager.hitpoint_live
