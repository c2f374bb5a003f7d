"""Inside Blender: the selected strips are cut to a score, and laid above it in one undo step."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

host.load()
from blender import compat, session  # noqa: E402

scene = host.scene()
scene.render.fps = 24
scene.sequence_editor_create()
found = {"connected": host.connected()}
one, two = host.movie("one", 1, 11, first=10, length=50), host.movie("two", 1, 61, length=100)
one.select = two.select = False
found["no music"] = [list(bpy.ops.hitpoint.cut_to_music()), session.client.error]
one.select = two.select = True
bpy.ops.hitpoint.score(in_range=False)
found["scored"] = host.finished()
for strip in host.strips():
    strip.select = False
found["no clips"] = [list(bpy.ops.hitpoint.cut_to_music()), session.client.error]
one.select = two.select = True
before = host.picture()
bpy.ops.ed.undo_push(message="before")
session.client.error = ""
found["answer"] = list(bpy.ops.hitpoint.cut_to_music())
found["cut"] = host.wait(lambda: not session.client.job.running and not session.client.edits, 60)
found["error"], found["notes"] = session.client.error, list(session.notes)
found["clips"] = [vars(clip) for clip in session.client.job.clips]
found["laid"] = sorted(
    [*compat.edges(strip), strip.channel, strip.frame_offset_start, strip.select]
    for strip in host.strips()
    if strip.channel > 2 and strip.type == "MOVIE" and not strip.get("hitpoint")
)
bpy.ops.ed.undo()
found["undone"] = host.picture() == before
host.result(**json.loads(json.dumps(found)))
