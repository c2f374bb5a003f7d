"""Inside Blender: over rates and starts, how far markers, music and what the bridge is told lie from the edit's frames.

Arguments: FOLDER PORT START,START,… every|turns: every start at every rate, or one each in turn. Errors are frames of
the timeline, the worst of an edit.
"""

import itertools
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

host.load()
from blender import compat, scores, session  # noqa: E402

RATES = [
    *((24, 1.001), (24, 1), (25, 1), (30, 1.001), (30, 1), (50, 1), (60, 1.001), (60, 1), (120, 1), (120, 1.001)),
    *((24000, 1001), (30000, 1001), (2997, 100), (2500, 100), (24, 2)),
]
STARTS = [int(start) for start in host.ARGUMENTS[2].split(",")]
TURNS = host.ARGUMENTS[3] == "turns"
LENGTHS_S = (1.7, 2.3, 1.1, 2.9)
FILMS = ("film.mp4", "film30.mp4")

scene = host.scene()
scene.hitpoint.cuts = "strips"
scene.hitpoint.control = 1.0
found = {"connected": host.connected(), "rows": []}


def edit(rate, start):
    """An edit of shots of two rates from frame `start` on; the frames of its edges."""
    scene.sequence_editor_clear()
    scene.sequence_editor_create()
    scene.timeline_markers.clear()
    scene.hitpoint.memory, session.client.job, session.client.error = "", None, ""
    scene.render.fps, scene.render.fps_base = rate
    edges = [start]
    for index, length_s in enumerate(LENGTHS_S):
        edges.append(edges[-1] + round(length_s * compat.fps(scene)))
        path = str(host.FOLDER / FILMS[index % 2])
        strip = host.strips().new_movie(f"shot {index}", path, 1 + index % 2, edges[-2] - 3)
        strip.frame_offset_start = 3
        compat.set_end(strip, edges[-1])
    scene.frame_start, scene.frame_end = edges[0], edges[-1] - 1
    return edges


def worst(values, wanted):
    """The largest difference between two lists in order; 999 where one is longer."""
    return max((abs(a - b) for a, b in zip(values, wanted)), default=0) if len(values) == len(wanted) else 999  # noqa: B905


for rate, start in zip(RATES, itertools.cycle(STARTS)) if TURNS else itertools.product(RATES, STARTS):
    edges = edit(rate, start)
    fps = compat.fps(scene)
    bpy.ops.hitpoint.score(in_range=True)
    done = host.finished() and not session.client.error
    job = session.client.job
    marked = sorted(marker.frame for marker in scene.timeline_markers if "cut" in marker.name)
    music = [compat.edges(strip) for strip in scores.strips(scene)]
    told = [(c.start_s * fps, (c.start_s + (c.out_s - c.in_s) / c.rate) * fps) for c in job.clips]
    row = {"rate": f"{rate[0]}/{rate[1]}", "start": start, "done": done, "error": session.client.error}
    row["markers"] = max((min(abs(frame - edge) for edge in edges[1:-1]) for frame in marked), default=999)
    row["hit"] = len(marked)
    row["music"] = worst([frame for each in music for frame in each], [edges[0], edges[-1]])
    row["told"] = worst([frame for each in told for frame in each], [f for i in range(4) for f in edges[i : i + 2]])
    row["hits_s"] = [(frame - start) / fps for frame in marked]
    row["midi"] = str(host.FOLDER / f"{len(found['rows'])}.mid")
    if done:
        shutil.copy(host.midi(), row["midi"])
    found["rows"].append(row)
host.result(**found)
