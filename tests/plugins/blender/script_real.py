"""Inside Blender: score the example film with the real bridge, and go on with the score.

Arguments: FOLDER PORT WAY. WAY: score | kill (the bridge is killed in the middle) | start (Blender starts it) |
click (30 s of picture, for the time it takes).
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

host.load()
from blender import session  # noqa: E402

WAY = host.ARGUMENTS[2]
CUTS = [0, 83, 133, 204, 240] + ([294, 318, 366, 438, 588, 624, 720] if WAY == "click" else [])

scene = host.scene()
scene.render.fps = 24
scene.sequence_editor_create()
scene.hitpoint.control = 1.0
for index, (first, last) in enumerate(zip(CUTS, CUTS[1:])):  # noqa: B905,RUF007 - Blender 3.4 may have Python 3.9
    host.movie(f"shot {index + 1}", 2, 11 + first, first, last - first, file="film.mp4")
bpy.ops.ed.undo_push(message="before")
before = host.picture()
found = {"connected": WAY != "start" and host.connected()}

begin = time.monotonic()
bpy.ops.hitpoint.score(in_range=False)
if WAY == "kill":
    job = session.client.job
    found["composing"] = host.wait(lambda: job.stage == "compose", 120)
    (host.FOLDER / "kill").touch()
    found["away"] = host.wait(lambda: session.client.state == "away", 30)
found["finished"] = host.finished()
found["seconds"] = time.monotonic() - begin
found["error"] = session.client.error
found["after"] = host.picture()
found["hits"] = sorted(session.client.job.hits)
found["bars"] = session.client.job.bar_starts()
found["cuts"] = [11 + cut for cut in CUTS[1:-1]]
found["length_s"] = CUTS[-1] / 24
found["midi"] = host.midi()

if WAY == "score":
    bpy.ops.ed.undo()
    found["undone"] = host.picture() == before
    bpy.ops.ed.redo()
    bpy.ops.hitpoint.take(index=1)
    found["finished take"] = host.finished()
    found["take"] = host.picture()
    found["take midi"] = host.midi()
    bpy.ops.wm.save_as_mainfile(filepath=str(host.FOLDER / "real.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(host.FOLDER / "real.blend"))
    scene = host.scene()
    scene.frame_set(131)
    bpy.ops.hitpoint.regenerate(in_range=False)
    found["finished regenerate"] = host.finished()
    found["regenerated"] = host.picture()
    bpy.ops.hitpoint.take(index=0)
    found["finished back"] = host.finished()
    found["back"] = host.picture()
    found["error"] = session.client.error
process = session.bridge._process
host.result(**found, bridge=process.pid if process else 0)
