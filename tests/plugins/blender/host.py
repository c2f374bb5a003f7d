"""Helpers for scripts that run inside Blender (a bpy wheel or Blender itself): load the add-on, build edits, wait.

Run as `python script.py FOLDER PORT [BRIDGE]`; what a script prints last, as JSON, is its result.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path

import bpy

ROOT = Path(__file__).resolve().parents[3]
ARGUMENTS = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
FOLDER, PORT = Path(ARGUMENTS[0]), int(ARGUMENTS[1])


def _leave(*error) -> None:
    """Print the traceback and end at once: the 4.5 wheel hangs when it is left with an add-on still registered."""
    traceback.print_exception(*error)
    sys.stderr.flush()
    os._exit(1)


def load(port: int = PORT):
    """Import the add-on from the working tree under its own name and register it against `port`."""
    if bpy.app.background:
        sys.excepthook = _leave
    sys.path.insert(0, str(ROOT / "plugins"))
    addon = importlib.import_module("blender")
    sys.path.pop(0)
    from blender import session

    start = session.start
    session.start = lambda _port, version: start(port, version)
    addon.register()
    if "film-for-sound" in ARGUMENTS:  # a Blender without sound: all but the strip's type can still be tried
        from blender import sound

        bpy.types.MovieSequence.volume = bpy.types.MovieSequence.pan = bpy.props.FloatProperty()
        sound.new = lambda strips, name, path, channel, start: strips.new_movie(
            name, str(FOLDER / "film.mp4"), channel, start
        )
        sound.swap = lambda strip, path: setattr(strip, "filepath", path)
    return addon


def scene():
    """The scene that the sequencer shows; chosen where Blender has such a choice."""
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = bpy.context.scene
    render = bpy.context.scene.render
    render.resolution_x, render.resolution_y = 160, 90  # as the films of these tests
    return bpy.context.scene


def strips():
    from blender import compat

    editor = bpy.context.scene.sequence_editor_create()
    return compat.strips_of(editor)


def movie(name: str, channel: int, start: int, first: int = 0, length: int = 0, file: str = "film.mp4"):
    """A movie strip of which `length` frames are seen from timeline frame `start`, from source frame `first` on."""
    strip = strips().new_movie(name, str(FOLDER / file), channel, start - first)
    strip.frame_offset_start = first
    if length:
        strip.frame_offset_end = strip.frame_duration - first - length
    return strip


def effect(kind: str, channel: int, start: int, end: int, *inputs):
    parameters = strips().bl_rna.functions["new_effect"].parameters
    ends = {"frame_end": end} if "frame_end" in parameters else {"length": end - start}
    names = ("seq1", "seq2") if "seq1" in parameters else ("input1", "input2")
    return strips().new_effect(
        kind.lower(), kind, channel, frame_start=start, **ends, **dict(zip(names, inputs, strict=False))
    )


def wait(done, seconds: float = 20.0) -> bool:
    """Drain as the timer would, until `done()`; bounded."""
    from blender import session

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        session.drain()
        if done():
            return True
        time.sleep(0.02)
    return False


def connected() -> bool:
    from blender import session

    return wait(lambda: session.client.state == "connected", 8)


def finished() -> bool:
    from blender import session

    client = session.client
    return wait(lambda: client.job is not None and not client.job.running and not client.finished, 120)


def midi() -> str:
    """The MIDI file of the take that is heard."""
    from blender import operators

    return operators._midi(bpy.context.scene)


def picture() -> dict:
    """All that the extension may change in the scene."""
    from blender import compat

    current = bpy.context.scene
    return {
        "strips": sorted([s.name, s.type, s.channel, *compat.edges(s)] for s in strips()),
        "markers": sorted([marker.frame, marker.name] for marker in current.timeline_markers),
    }


def play_or_stop() -> None:
    """Press play in the sequencer of a window."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "SEQUENCE_EDITOR")
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, screen=window.screen, area=area, region=region):
        bpy.ops.screen.animation_play()


def result(**values) -> None:
    """Print the result, end the add-on, leave."""
    sys.modules["blender"].unregister()
    print("RESULT " + json.dumps(values), flush=True)
    if bpy.app.version[:2] == (4, 2):
        os._exit(0)  # the 4.2 wheel crashes at exit once any property had an update callback, even an unregistered one
