# SPDX-License-Identifier: GPL-3.0-or-later
"""The running extension: one client, the bridge it may have started, the timer, and the playhead's handlers.

Threads: everything here runs in Blender's main thread. `drain` is the timer's; nothing in it waits.
"""

from __future__ import annotations

import atexit
import time
from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import compat
from .client import Bridge, Client, Take

IDLE_S, BUSY_S = 0.25, 0.04
HANDLERS = {
    "frame_change_post": "on_frame",
    "load_post": "on_load",
    "animation_playback_pre": "on_play",
    "animation_playback_post": "on_stop",
}

client: Any = None  # a Client while the extension runs; operators and panels are polled away without one
bridge = Bridge()
pending: list[Take] = []
notes: list[str] = []
_live = False  # the window manager's switch, at hand: looking it up costs each frame
_last: tuple[float, float] = (0.0, 0.0)  # media seconds, wall seconds of the last frame while playing


def start(port: int, version: str) -> None:
    """Open the socket, hang up timer and handlers."""
    global client
    client = Client(port, version)
    for name, function in HANDLERS.items():
        if hasattr(bpy.app.handlers, name):
            getattr(bpy.app.handlers, name).append(globals()[function])
    bpy.app.timers.register(drain, first_interval=IDLE_S, persistent=True)
    atexit.register(stop)  # a timer still there when Blender exits makes 4.2 crash and 4.5 hang


def stop() -> None:
    """Undo `start`; ends a bridge that this Blender started."""
    global client
    atexit.unregister(stop)
    for name, function in HANDLERS.items():
        hooks = getattr(bpy.app.handlers, name, [])
        if globals()[function] in hooks:
            hooks.remove(globals()[function])
    if bpy.app.timers.is_registered(drain):
        bpy.app.timers.unregister(drain)
    bridge.stop()
    if client is not None:
        client.close()
        client = None


def drain() -> float | None:
    """What the timer does: take in what came, put finished takes in place, report the playhead. Never waits."""
    if client is None:
        return None
    pending.extend(client.tick())
    if pending and not compat.editing():
        compat.call(bpy.ops.hitpoint.apply)
    died = bridge.died()
    if died:
        client.error, client.changed = died, True
    if is_live():
        send_time(compat.scene_of(bpy.context))
    if client.changed:
        client.changed = False
        compat.redraw()
    return BUSY_S if client.busy or pending or is_live() else IDLE_S


def is_live() -> bool:
    """Whether the synth follows the playhead."""
    return _live


def send_time(scene: Any, playing: bool | None = None) -> None:
    """The playhead: seconds, playing, rate, and our own clock. The rate is measured where frames are not dropped."""
    global _last
    if client is None or scene is None:
        return
    now, fps = time.perf_counter(), compat.fps(scene)
    seconds = (scene.frame_current + scene.frame_subframe) / fps
    playing = compat.playing() if playing is None else playing
    rate, (last_s, last_now) = 1.0, _last
    if playing and scene.sync_mode == "NONE" and 0 < now - last_now < 0.5 and seconds > last_s:
        rate = min(2.0, (seconds - last_s) / (now - last_now))
    if playing and -1.0 < seconds - last_s < 0:
        rate = -1.0
    if seconds != last_s:
        _last = (seconds, now)
    client.send("/hitpoint/time", seconds, int(playing), rate, now)


@persistent  # type: ignore[untyped-decorator]
def on_frame(scene: Any, *_: Any) -> None:
    """After each change of frame: playing, scrubbing or a jump."""
    if _live:
        send_time(scene)


@persistent  # type: ignore[untyped-decorator]
def on_play(scene: Any, *_: Any) -> None:
    """When playing starts, where Blender says so; elsewhere the timer notices."""
    if is_live():
        send_loop(scene)
        send_time(scene, playing=True)


@persistent  # type: ignore[untyped-decorator]
def on_stop(scene: Any, *_: Any) -> None:
    """When playing stops."""
    if is_live():
        send_time(scene, playing=False)


@persistent  # type: ignore[untyped-decorator]
def on_load(*_: Any) -> None:
    """Another file: what is under way belongs to the old one. The same file again goes on."""
    same = bpy.data.filepath
    if client is not None and client.job is not None and not (same and client.job.about.get("file") == same):
        client.cancel()
        client.job = None
        pending.clear()
    notes.clear()
    set_live(bool(bpy.context.window_manager.hitpoint_live), None)


def send_loop(scene: Any) -> None:
    """Blender always loops over its range."""
    if client is not None and scene is not None:
        first, end = compat.span(scene)
        client.send("/hitpoint/loop", first / compat.fps(scene), end / compat.fps(scene))


def set_live(live: bool, scene: Any) -> None:
    """Follow the playhead from now on, or let go."""
    global _live
    stopped, _live = _live and not live, live
    if client is None:
        return
    if live and scene is not None:
        send_loop(scene)
        send_time(scene)
    elif stopped:
        client.send("/hitpoint/stop")
