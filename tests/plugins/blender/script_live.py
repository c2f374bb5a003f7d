"""Inside Blender with a window: score, switch live on, play, stop, jump, play, loop; log when each frame was shown.

Arguments: FOLDER PORT SECONDS. Writes live.json into FOLDER at the end: frames [(monotonic s, frame)] and the moments
of play, stop, jump and loop.
"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

host.load()
from blender import session  # noqa: E402

PLAY_S, AFTER_JUMP_S, PAUSE_S = 8.5, 4.0, 1.5
JUMP_FRAME = 1 + 24 * 20  # bar 10 of bars of 2 s
LOOP, LOOP_S = (1 + 24 * 4, 24 * 8), 7.0  # bars 2 and 3, not quite twice
frames: list[tuple[float, int]] = []
events: list[tuple[float, str]] = []
steps = []


def on_frame(scene, *_):
    frames.append((time.monotonic(), scene.frame_current))


def note(name: str) -> None:
    events.append((time.monotonic(), name))
    told = {"state": name, "error": session.client.error, "markers": [], "strips": []}
    (host.FOLDER / "window.part").write_text(json.dumps(told))
    (host.FOLDER / "window.part").replace(host.FOLDER / "window.json")


def run():
    """The steps, as (seconds to wait afterwards)."""
    while session.client.state != "connected":
        yield 0.1
    note("connected")
    bpy.ops.hitpoint.score(in_range=False)
    while session.client.job.running or session.client.finished:
        yield 0.1
    for strip in host.strips():
        strip.mute = strip.type == "SOUND"
    bpy.context.window_manager.hitpoint_live = True
    while not (host.FOLDER / "go").exists():
        yield 0.05
    bpy.app.handlers.frame_change_post.append(on_frame)
    note("play")
    host.play_or_stop()
    yield PLAY_S
    host.play_or_stop()
    note("stop")
    yield PAUSE_S
    bpy.context.scene.frame_set(JUMP_FRAME)
    note("jump")
    yield 0.5
    note("play again")
    host.play_or_stop()
    yield AFTER_JUMP_S
    host.play_or_stop()
    note("stop again")
    yield PAUSE_S
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = LOOP
    scene.frame_set(LOOP[0])
    yield 0.5
    note("loop")
    host.play_or_stop()
    yield LOOP_S
    host.play_or_stop()
    yield PAUSE_S
    bpy.context.window_manager.hitpoint_live = False
    (host.FOLDER / "live.json").write_text(json.dumps({"frames": frames, "events": events}))
    note("done")
    yield PAUSE_S
    sys.modules["blender"].unregister()
    bpy.ops.wm.quit_blender()


bpy.context.preferences.view.show_splash = False
scene = host.scene()
scene.render.fps = 24
scene.hitpoint.tempo, scene.hitpoint.bpm = "FIXED", 120.0
scene.sync_mode = "FRAME_DROP"
scene.frame_start, scene.frame_end = 1, 24 * 64
scene.sequence_editor_create()
for index in range(30):
    host.movie(f"shot {index + 1}", 2, 1 + 48 * index, 0, 48, file="32.mp4")
script = run()
bpy.app.timers.register(lambda: next(script, None), first_interval=0.5)
