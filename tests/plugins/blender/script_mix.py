"""Inside Blender: the editor works on the music strip, then takes another take, and scores again elsewhere."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

addon = host.load()
from blender import compat, session  # noqa: E402

scene = host.scene()
scene.render.fps = 24
editor = scene.sequence_editor_create()
host.movie("one", 1, 1, length=100)
host.movie("two", 1, 101, length=100)
editor.channels[2].mute = True
editor.channels[3].lock = True
found = {"connected": host.connected()}
bpy.ops.wm.save_as_mainfile(filepath=str(host.FOLDER / "mix.blend"))


def music():
    """Name, channel, first and last frame, mute, volume and file of every strip of ours."""
    ours = [strip for strip in host.strips() if strip.get("hitpoint")]
    return sorted(
        [s.name.split(".")[0], s.channel, *compat.edges(s), s.mute, round(s.volume, 3), Path(s.sound.filepath).name]
        for s in ours
    )


def faded():
    """The volume of the first piece of music at frames 10 and 60."""
    first = min((strip for strip in host.strips() if strip.get("hitpoint")), key=lambda strip: compat.edges(strip)[0])
    values = []
    for frame in (10, 60):
        scene.frame_set(frame)
        values.append(round(first.volume, 3))
    return values


def ask(operator, **values):
    """Press a button and wait for its take."""
    operator(**values)
    done = host.finished()
    assert done and not session.client.error, session.client.error


ask(bpy.ops.hitpoint.score, in_range=False)
found["scored"] = music()
[strip] = [strip for strip in host.strips() if strip.get("hitpoint")]
strip.volume = 0.5
strip.keyframe_insert("volume", frame=10)
strip.volume = 0.25
strip.keyframe_insert("volume", frame=60)
right = strip.split(80, "SOFT")
rest = right.split(120, "SOFT")
compat.strips_of(editor).remove(right)
channel = strip.channel
hole = host.movie("in the hole", 20, 80, length=40)
hole.channel = channel
volumes = faded()
found["cut"] = music()
ask(bpy.ops.hitpoint.take, index=1)
found["taken"] = music()
found["hole"] = [hole.channel, *compat.edges(hole)]
found["volumes"] = [volumes, faded()]
strip.color_tag = "COLOR_04"
host.strips()["two"].frame_offset_end += 20
for each in host.strips():
    each.select = each.name in ("one", "two")
ask(bpy.ops.hitpoint.rescore)
found["re-scored"] = music()
found["re-scored volumes"] = [faded(), strip.color_tag, "keep" in session.client.job.options]

for each in list(host.strips()):
    compat.strips_of(editor).remove(each)
host.movie("one", 1, 1, length=100)
host.movie("two", 1, 101, length=100)
for start, end in ((1, 100), (101, 200)):
    scene.frame_start, scene.frame_end = start, end
    ask(bpy.ops.hitpoint.score, in_range=True)
found["two ranges"] = music()
scene.frame_start, scene.frame_end = 1, 200
bpy.ops.hitpoint.score(in_range=True)
found["finished whole"] = host.finished()
found["whole"] = music()
found["said"] = session.client.error
session.client.error = ""
ask(bpy.ops.hitpoint.score, in_range=True)
found["again"] = music()
host.result(**found)
