"""Inside Blender with a window: an edit in a large sequencer, the sidebar at the Hitpoint tab, and what happens, told.

Arguments: FOLDER PORT SECONDS [FILM CUT,CUT,…]. Writes window.json into FOLDER four times a second, and ends by itself.
"""

import itertools
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

END = time.monotonic() + float(host.ARGUMENTS[2])
FILM, CUTS = host.ARGUMENTS[3:5] or ("film.mp4", "0,50,110,150,239")
BOUNDS = [int(frame) for frame in CUTS.split(",")]
host.load()
from blender import session  # noqa: E402


def set_up() -> None:
    scene = host.scene()
    scene.render.fps = 24
    scene.sync_mode = "FRAME_DROP"
    scene.frame_start, scene.frame_end = 1, BOUNDS[-1]
    scene.render.resolution_x, scene.render.resolution_y = 640, 360
    scene.sequence_editor_create()
    for index, (first, last) in enumerate(itertools.pairwise(BOUNDS)):
        host.movie(f"shot {index + 1}", 2, 1 + first, first, last - first, file=FILM)
    if host.ARGUMENTS[3:]:  # for the pictures: keeps the music off the lowest channel, which the markers cover
        background = host.effect("COLOR", 1, 1, 1 + BOUNDS[-1])
        background.name, background.select = "background", False
    window = bpy.context.window_manager.windows[0]
    next(area for area in window.screen.areas if area.type == "FILE_BROWSER").type = "TEXT_EDITOR"
    area = next(
        area
        for area in window.screen.areas
        if area.type == "SEQUENCE_EDITOR" and area.spaces.active.view_type == "SEQUENCER"
    )
    area.spaces.active.show_region_ui = True
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.sequencer.view_all()
        for _ in range(2):
            bpy.ops.view2d.zoom(deltay=1.0)  # fewer empty channels
        bpy.ops.view2d.pan(deltay=-1000)
    preview = next(
        area
        for area in window.screen.areas
        if area.type == "SEQUENCE_EDITOR" and area.spaces.active.view_type == "PREVIEW"
    )
    preview.spaces.active.show_gizmo = False
    region = next(region for region in preview.regions if region.type == "PREVIEW")
    with bpy.context.temp_override(window=window, area=preview, region=region):
        bpy.ops.sequencer.view_zoom_ratio(ratio=1.0)
    scene.frame_set(BOUNDS[-1] // 5)
    bpy.ops.wm.save_as_mainfile(filepath=str(host.FOLDER / "window.blend"))


def show_tab() -> bool:
    """The sidebar's tab, where this Blender lets a script choose it."""
    for area in bpy.context.window_manager.windows[0].screen.areas:
        for region in area.regions:
            if area.type == "SEQUENCE_EDITOR" and region.type == "UI" and hasattr(region, "active_panel_category"):
                region.active_panel_category = "Hitpoint"
                return True
    return False


def tell() -> float | None:
    scene = bpy.context.window_manager.windows[0].scene
    client = session.client
    regions = {
        region.type: (region.x, region.y, region.width, region.height)
        for area in bpy.context.window_manager.windows[0].screen.areas
        if area.type == "SEQUENCE_EDITOR" and area.spaces.active.view_type == "SEQUENCER"
        for region in area.regions
    }
    told = {**host.picture(), "state": client.state, "error": client.error, "regions": regions}
    told["frame"] = scene.frame_current
    told["playing"] = bpy.context.window_manager.windows[0].screen.is_animation_playing
    (host.FOLDER / "window.part").write_text(json.dumps(told))
    (host.FOLDER / "window.part").replace(host.FOLDER / "window.json")
    if time.monotonic() > END:
        sys.modules["blender"].unregister()
        bpy.ops.wm.quit_blender()
        return None
    return 0.25


bpy.context.preferences.view.show_splash = False


def first_step() -> None:
    """The edit as a step that can be returned to, as a person's own edits are."""
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.undo_push(message="edit")


set_up()
bpy.app.timers.register(first_step, first_interval=0.25)
bpy.app.timers.register(tell, first_interval=0.5)
