"""Inside Blender: the picture is rendered beside the work and scored; called off; and failed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

host.load()
from blender import compat, operators, session  # noqa: E402

scene = host.scene()
scene.render.fps = 24
scene.frame_start, scene.frame_end = 11, 70
scene.sequence_editor_create()
found = {"connected": host.connected()}
host.movie("back", 1, 11, first=10, length=40).use_reverse_frames = True
light, dark = host.movie("light", 2, 51, first=100, length=20), host.movie("dark", 3, 51, length=20)
host.effect("MULTIPLY", 4, 51, 71, light, dark)
scene.hitpoint.cuts = "strips"
before = host.picture()


def waiting():
    """What the panel shows while the picture is rendered."""
    return [session.picture.running, 0.0 <= session.picture.share <= 1.0, session.client.job is None]


bpy.ops.hitpoint.score(in_range=True)
found["first told"] = [list(session.notes), list(session.offer)]
host.finished()
bpy.ops.ed.undo_push(message="scored")
for strip in [each for each in host.strips() if each.get("hitpoint")]:
    host.strips().remove(strip)
scene.timeline_markers.clear()
scene.hitpoint.memory = ""
session.client.job = None

found["answer"] = list(bpy.ops.hitpoint.score_picture(in_range=True))
found["waiting"] = waiting()
found["unharmed meanwhile"] = host.picture() == before and not bpy.data.filepath
found["rendered"] = host.wait(lambda: not session.picture.running, 120)
found["error"] = session.client.error
found["scored"] = host.finished()
found["error"] += session.client.error
job = session.client.job
found["clips"] = [vars(clip) for clip in job.clips] if job else []
found["remembered"] = next(iter(operators.scores.read(scene).values()))["rendered"]
found["offer"] = list(session.offer)
folder = compat.folder() / "pictures"
found["left over"] = [path.name for path in folder.iterdir() if path.suffix != ".mp4" or path.name.startswith(".")]

# Called off: nothing is scored, and nothing is left.
job = session.client.job
bpy.ops.hitpoint.score_picture(in_range=True)
process = session.picture._process
bpy.ops.hitpoint.cancel()
found["called off"] = [session.picture.running, process.poll() is not None, session.client.job is job]
found["left over"] += [path.name for path in folder.iterdir() if path.suffix != ".mp4" or path.name.startswith(".")]

# A Blender that cannot render says why.
another = compat.another_blender
compat.another_blender = lambda _: [sys.executable, "-c", "raise SystemExit('there is no encoder')"]
if bpy.app.binary_path:
    compat.another_blender = lambda _: ["python3", "-c", "raise SystemExit('there is no encoder')"]
bpy.ops.hitpoint.score_picture(in_range=True)
host.wait(lambda: not session.picture.running, 20)
found["failed"] = session.client.error
compat.another_blender = lambda _: [str(host.FOLDER / "no such program")]
bpy.ops.hitpoint.score_picture(in_range=True)
found["no program"] = session.client.error
compat.another_blender = another
host.result(**found)
