# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by a Blender of its own: render a range of a scene's sequencer as a small film. The last argument says what."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import bpy

LONG_SIDE = 480
"""Pixels: enough to see cuts and motion in, and quick to render."""
SAMPLES = 4
_NEED_SCREEN = ("BLENDER_EEVEE", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH")


def main(wishes: dict[str, Any]) -> None:
    """Render frames `first` to `end` (excluded) of the scene in the file `library` to `film`, without our own music."""
    with bpy.data.libraries.load(wishes["library"]) as (_, here):
        here.scenes = [wishes["scene"]]
    scene = here.scenes[0]
    for strip in getattr(scene.sequence_editor, "strips_all", None) or scene.sequence_editor.sequences_all:
        strip.mute = strip.mute or bool(strip.get("hitpoint"))
    for each in bpy.data.scenes:
        _make_quick(each)
    _set_up(scene, wishes)
    bpy.app.handlers.render_write.append(lambda *_: print("frame done", flush=True))
    bpy.ops.render.render(animation=True, scene=scene.name)


def _make_quick(scene: Any) -> None:
    """What is rendered in 3D is rendered coarsely, and without a screen where there is none."""
    render = scene.render
    screen = not sys.platform.startswith("linux") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if render.engine in _NEED_SCREEN and not screen and hasattr(scene, "cycles"):
        render.engine = "CYCLES"
    if hasattr(scene, "cycles"):
        scene.cycles.samples = SAMPLES
    if hasattr(scene, "eevee"):
        scene.eevee.taa_render_samples = SAMPLES


def _set_up(scene: Any, wishes: dict[str, Any]) -> None:
    render = scene.render
    scene.frame_start, scene.frame_end, scene.frame_step = wishes["first"], wishes["end"] - 1, 1
    render.resolution_x += render.resolution_x % 2  # the film's encoder wants even numbers
    render.resolution_y += render.resolution_y % 2
    wide, high = render.resolution_x, render.resolution_y
    least = min(100, -(-100 * LONG_SIDE // max(wide, high)))
    render.resolution_percentage = next(
        share for share in range(least, 101) if (wide * share // 100) % 2 == (high * share // 100) % 2 == 0
    )
    render.use_sequencer, render.use_border, render.use_stamp = True, False, False
    render.use_overwrite, render.use_placeholder, render.use_file_extension = True, False, False
    image = render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    film = render.ffmpeg
    film.format, film.codec, film.constant_rate_factor, film.ffmpeg_preset = "MPEG4", "H264", "MEDIUM", "REALTIME"
    film.audio_codec = "AAC" if bpy.app.build_options.audaspace else "NONE"
    render.filepath = wishes["film"]


try:
    main(json.loads(sys.argv[-1]))
except BaseException as error:
    print(error, flush=True)
    os._exit(1)
os._exit(0)  # some Blenders hang or crash where they end by themselves after a render
