"""Inside Blender: score, look, undo, second take, reload, regenerate, remove markers."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

addon = host.load()
from blender import compat, session  # noqa: E402

scene = host.scene()
scene.render.fps = 24
scene.sequence_editor_create()
host.movie("one", 1, 11, first=10, length=50)
host.movie("two", 1, 61, first=0, length=70)
host.movie("hidden", 1, 131, length=48)
host.movie("over", 2, 131, first=5, length=48)
found = {"connected": host.connected(), "version": session.client.bridge_version}
bpy.ops.wm.save_as_mainfile(filepath=str(host.FOLDER / "edit.blend"))
bpy.ops.ed.undo_push(message="before")
before = host.picture()

found["score"] = list(bpy.ops.hitpoint.score(in_range=False))
found["finished"] = host.finished()
found["error"] = session.client.error
found["after"] = host.picture()
found["clips"] = [vars(clip) for clip in session.client.job.clips]
found["midi"] = host.midi()

bpy.ops.ed.undo()
found["undone"] = host.picture() == before
bpy.ops.ed.redo()
found["redone"] = host.picture() == found["after"]

bpy.ops.hitpoint.take(index=1)
found["finished take"] = host.finished()
found["take"] = host.picture()
bpy.ops.hitpoint.take(index=0)
found["finished back"] = host.finished()
found["back"] = host.picture()

bpy.ops.wm.save_mainfile()
bpy.ops.wm.open_mainfile(filepath=str(host.FOLDER / "edit.blend"))
scene = host.scene()
found["reloaded"] = host.picture()
found["job kept"] = session.client.job is not None
found["timer"] = bpy.app.timers.is_registered(session.drain)
found["handler"] = session.on_frame in bpy.app.handlers.frame_change_post
bpy.ops.hitpoint.take(index=2)
found["finished reload"] = host.finished()
found["third"] = host.picture()

bpy.ops.wm.read_homefile(use_empty=True)
bpy.ops.wm.open_mainfile(filepath=str(host.FOLDER / "edit.blend"))
scene = host.scene()
found["forgotten"] = session.client.job is None
scene.frame_set(120)
bpy.ops.hitpoint.regenerate(in_range=False)
found["finished regenerate"] = host.finished()
found["regenerated"] = host.picture()
found["job id"] = session.client.job.id
scene.timeline_markers.new("mine", frame=20)
bpy.ops.hitpoint.remove_markers()
found["cleared"] = host.picture()["markers"]
found["fps"] = compat.fps(scene)
found["last error"] = session.client.error
host.result(**found)
