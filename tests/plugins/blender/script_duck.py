"""Inside Blender: the music makes room for what is said, as keyframes that belong to the editor from then on."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

host.load()
from blender import compat, look, scores, session  # noqa: E402

scene = host.scene()
scene.render.fps = 24
scene.sequence_editor_create()
host.movie("talk", 1, 1, length=100, file="talk.mp4")
host.movie("other", 1, 101, length=100)
found = {"connected": host.connected()}
voice = host.strips().new_sound("voice", str(host.FOLDER / "talk.mp4"), 2, 1)
compat.set_end(voice, 101)


def ask(operator, **values):
    """Press a button and wait for its take."""
    operator(**values)
    assert host.finished() and not session.client.error, session.client.error
    for each in host.strips():
        each.select = each.type == "MOVIE"
    options = session.client.job.options
    return options[options.index("keep-sound") + 1] if "keep-sound" in options else ""


def volumes():
    """Frame, factor and way to the next of each volume keyframe, of the latest music."""
    [strip] = [each for each in scores.strips(scene) if not each.mute]
    line = look.curve(strip, "volume", look.curves(scene))
    points = line.keyframe_points if line is not None else ()
    return [[round(point.co[0]), round(point.co[1], 2), point.interpolation] for point in points]


found["with the film's sound"] = [ask(bpy.ops.hitpoint.score, in_range=False), volumes()]
ask(bpy.ops.hitpoint.take, index=1)
found["another take"] = volumes()
host.strips()["other"].frame_offset_end += 10
ask(bpy.ops.hitpoint.take, index=2)
found["re-scored"] = [ask(bpy.ops.hitpoint.rescore), volumes()]
[strip] = scores.strips(scene)
found["the take that was heard"] = strip.name
strip.volume = 0.5
strip.keyframe_insert("volume", frame=61)
host.strips()["other"].frame_offset_end += 10
ask(bpy.ops.hitpoint.rescore)
found["the editor's own"] = volumes()
voice.mute = True
for each in scores.strips(scene):
    host.strips().remove(each)
scene.hitpoint.memory, session.client.job = "", None
found["without it"] = ask(bpy.ops.hitpoint.score, in_range=False)

# A voice on a strip of its own, cut at both ends, is told with its place; beside it what is muted, turned off or ours.
said = host.strips().new_sound("said", str(host.FOLDER / "tone.wav"), 6, 19)
said.frame_offset_start = 12
compat.set_end(said, 91)
off = host.strips().new_sound("off", str(host.FOLDER / "tone.wav"), 7, 40)
off.volume = 0.0
found["beside it"] = ask(bpy.ops.hitpoint.score, in_range=False)
found["heard"] = [vars(clip) for clip in session.client.job.sounds]
host.result(**found)
