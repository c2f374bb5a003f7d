"""Inside Blender: what the panels show in each state, and what the bridge hears of the playhead.

Arguments: FOLDER PORT OLD_PORT (a bridge of another protocol).
"""

import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

host.load()
from blender import compat, panel, session  # noqa: E402

ICONS = bpy.types.UILayout.bl_rna.functions["prop"].parameters["icon"].enum_items.keys()
OLD_PORT = int(host.ARGUMENTS[2])


class Layout:
    """Takes the calls that a panel makes of a layout, refuses what Blender would, and keeps the words."""

    def __init__(self, words: list[str]) -> None:
        self.words = words

    def _part(self, **_):
        return Layout(self.words)

    row = column = box = split = _part

    def label(self, text="", icon="NONE", translate=True):
        assert icon in ICONS, icon
        self.words.append(text)

    def operator(self, name, text=None, icon="NONE", **_):
        assert icon in ICONS, icon
        kind = getattr(bpy.ops.hitpoint, name.removeprefix("hitpoint.")).get_rna_type()
        self.words.append(kind.name if text is None else text)
        return type("Properties", (), {"__slots__": kind.properties.keys()})()

    def prop(self, holder, name, text=None):
        shown = holder.bl_rna.properties[name].name
        self.words.append(shown if text is None else text)

    def prop_enum(self, holder, name, value):
        self.words.append(holder.bl_rna.properties[name].enum_items[value].name)

    if hasattr(bpy.types.UILayout, "progress"):

        def progress(self, text, factor):
            assert 0 <= factor <= 1
            self.words.append(text)


class Context:
    """What panels ask of a context; without a window there is neither region nor scale."""

    region, preferences = SimpleNamespace(width=260), SimpleNamespace(system=SimpleNamespace(ui_scale=1.0))
    scene, window_manager = host.scene(), bpy.context.window_manager
    if hasattr(bpy.context, "sequencer_scene"):
        sequencer_scene = scene


def shown() -> list[str]:
    words: list[str] = []
    for cls in panel.CLASSES:
        if getattr(cls, "poll", lambda _: True)(Context):
            cls.draw(SimpleNamespace(layout=Layout(words)), Context)
    return words


scene = host.scene()
scene.render.fps, scene.frame_start, scene.frame_end, scene.sync_mode = 24, 1, 240, "FRAME_DROP"
scene.sequence_editor_create()
host.movie("shot", 1, 1, length=100)
found = {"away": shown()}
host.connected()
session.client.echo()
host.wait(lambda: session.client.echo_ms >= 0)
found["connected"] = shown()

scene.hitpoint.tempo = "RANGE"
session.client.error = "A mistake that is told in a sentence longer than one line of the sidebar is."
session.notes[:] = [f"note {number}" for number in range(6)]
scene.sync_mode = "NONE"
found["troubled"] = shown()
bpy.ops.hitpoint.dismiss()
bpy.ops.hitpoint.score(in_range=True)
found["running"] = shown()
host.finished()
found["scored"] = shown()
bpy.ops.hitpoint.regenerate(in_range=True)
host.finished()
found["reveal"] = session.client.error
memory = scene.hitpoint.memory
scene.hitpoint.memory = memory.replace(str(Path(host.midi()).parent), "/gone")
found["reveal gone"] = [list(bpy.ops.hitpoint.reveal()), session.client.error]
scene.hitpoint.memory = memory
session.client.error = ""

first = session.client.job.id
bpy.ops.hitpoint.score(in_range=True)
found["while it is made"] = [list(bpy.ops.hitpoint.take(index=1)), session.client.error]
bpy.ops.hitpoint.cancel()
found["after a cancelled score"] = [list(bpy.ops.hitpoint.take(index=0)), session.client.job.id == first]
host.finished()
bpy.ops.hitpoint.take(index=1)
bpy.ops.hitpoint.cancel()
found["after a cancelled take"] = list(bpy.ops.hitpoint.regenerate(in_range=True))
host.finished()
scene.frame_start, scene.frame_end, session.client.error = 245, 260, ""
found["beside the score"] = [list(bpy.ops.hitpoint.regenerate(in_range=True)), session.client.error]
scene.frame_start, scene.frame_end, session.client.error = 1, 240, ""

times: list[tuple] = []
put, send = session.client.put, session.client.send
playing = compat.playing
scene.hitpoint.mute = {"drums"}
bpy.context.window_manager.hitpoint_live = True
session.client.state, session.client._greeted = "away", 0.0
host.connected()  # it may be another bridge now
scene.frame_set(25)  # "Play Every Frame": the bridge measures the speed
scene.sync_mode = "FRAME_DROP"
compat.playing = lambda: True
for frame in (49, 50, 49, 121):  # on, back, a jump
    session.drain()
    scene.frame_set(frame)
    session.drain()
compat.playing = playing
for name, value in (("valence", -0.5), ("arousal", 0.75), ("tension", 1.0)):
    setattr(scene.hitpoint, name, value)
scene.frame_end = 96
session.drain()
scene.frame_set(73)  # scrubbed
scene.render.fps = 25
session.drain()
bpy.context.window_manager.hitpoint_live = False
scene.hitpoint.valence = scene.hitpoint.arousal = scene.hitpoint.tension = 0.0  # told to nobody
scene.render.fps = 24
scene.frame_set(1)

before = host.picture()
session.client._socket.connect(("127.0.0.1", OLD_PORT))
session.client.state, session.client._greeted = "away", 0.0
host.wait(lambda: session.client.state == "other")
answer = list(bpy.ops.hitpoint.score(in_range=False))
host.finished()
found["old"] = {"words": shown(), "error": session.client.error, "same": host.picture() == before, "answer": answer}
host.result(**found)
