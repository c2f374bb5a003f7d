"""Inside Blender with a window: play, and count frames and the processor time of every draw of the panels.

Arguments: FOLDER PORT SECONDS with|without. Writes bench.json into FOLDER.
"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

WITH = host.ARGUMENTS[3] == "with"
PLAY_S = 8.0
host.load()
from blender import panel, session  # noqa: E402

frames: list[int] = []
draws: list[float] = []
handler: list[float] = []


def timed(function, costs):
    def run(*arguments):
        begin = time.thread_time()
        try:
            return function(*arguments)
        finally:
            costs.append(time.thread_time() - begin)

    return run


def timed_draw(function):
    measured = timed(function, draws)

    def draw(self, context):  # Blender counts the arguments
        measured(self, context)

    return draw


def tell(state: str) -> None:
    (host.FOLDER / "window.part").write_text(json.dumps({"state": state, "markers": [], "strips": []}))
    (host.FOLDER / "window.part").replace(host.FOLDER / "window.json")


def run():
    while session.client.state != "connected":
        yield 0.1
    tell("connected")
    while not (host.FOLDER / "go").exists():
        yield 0.05
    if WITH:
        bpy.context.window_manager.hitpoint_live = True
        handlers = bpy.app.handlers.frame_change_post
        handlers.remove(session.on_frame)
        handlers.append(timed(session.on_frame, handler))
    else:
        sys.modules["blender"].unregister()
    bpy.app.handlers.frame_change_post.append(lambda scene, *_: frames.append(scene.frame_current))
    draws.clear()
    begin = time.monotonic()
    host.play_or_stop()
    yield PLAY_S
    host.play_or_stop()
    seconds = time.monotonic() - begin
    facts = {"frames": len(set(frames)), "seconds": seconds, "draws": draws, "handler": handler}
    (host.FOLDER / "bench.json").write_text(json.dumps(facts))
    tell("done")
    yield 1.0
    if WITH:
        bpy.context.window_manager.hitpoint_live = False
        sys.modules["blender"].unregister()
    bpy.ops.wm.quit_blender()


for cls in (panel.HITPOINT_PT_main, panel.HITPOINT_PT_music, panel.HITPOINT_PT_live):
    cls.draw = timed_draw(cls.draw)
bpy.context.preferences.view.show_splash = False
scene = host.scene()
scene.render.fps = 24
scene.sync_mode = "FRAME_DROP"
scene.frame_start, scene.frame_end = 1, 240
scene.sequence_editor_create()
for index in range(5):
    host.movie(f"shot {index + 1}", 2, 1 + 48 * index, 48 * index, 48)
window = bpy.context.window_manager.windows[0]
for area in window.screen.areas:
    if area.type == "SEQUENCE_EDITOR" and area.spaces.active.view_type == "SEQUENCER":
        area.spaces.active.show_region_ui = True
script = run()
bpy.app.timers.register(lambda: next(script, None), first_interval=0.5)
