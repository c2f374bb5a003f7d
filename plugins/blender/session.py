# SPDX-License-Identifier: GPL-3.0-or-later
"""The running extension: one client, the bridge it may have started, the timer, and the playhead's handlers.

Threads: everything here runs in Blender's main thread. `drain` is the timer's; nothing in it waits.
"""

from __future__ import annotations

import atexit
import struct
import time
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import compat, music, scores, sound
from .bridge import Bridge
from .client import Client
from .picture import Picture

IDLE_S, BUSY_S = 0.25, 0.04
TIME = struct.Struct(">16s8sdidd")  # /hitpoint/time: made for each frame, so without the way through osc.encode

client: Any = None  # a Client while the extension runs; operators and panels are polled away without one
bridge = Bridge()
picture = Picture()
offer: list[bool] = []  # where only a render can tell what is seen: whether it was the range that was to be scored
notes: list[str] = []
NOT_SAVED = "This project is not saved yet: save it, so that it can find its music again."


class Playhead:
    """What the bridge is told of the playhead while `live`.

    fps, synced, playing and loop change seldom: the timer reads them, as a look at Blender's data costs each frame.
    loop: seconds; None while the bridge knows nothing of what changes seldom.
    """

    live = synced = playing = False
    fps, seconds, rate = 24.0, 0.0, 1.0
    loop: tuple[float, float] | None = None

    def look(self, scene: Any) -> None:
        """Read what changes seldom, and tell all that no frame tells. Blender always loops over its range."""
        played, self.playing = self.playing, compat.playing()
        self.fps, self.synced = compat.fps(scene), scene.sync_mode != "NONE"
        first, end = compat.span(scene)
        loop = first / self.fps, end / self.fps
        if self.loop != loop:
            client.send("/hitpoint/loop", *loop)
            if self.loop is None:
                scene.hitpoint.tell_mutes()
            self.loop = loop
        if not (played and self.playing):
            self.tell(scene)

    def tell(self, scene: Any) -> None:
        """Send seconds, playing, rate and our clock. How slow "Play Every Frame" runs, the bridge measures."""
        seconds = scene.frame_float / self.fps
        if seconds != self.seconds:
            self.rate = -1.0 if self.playing and -1.0 < seconds - self.seconds < 0.0 else 1.0
            self.seconds = seconds
        if self.synced:
            now = time.perf_counter()
            client.put(TIME.pack(b"/hitpoint/time", b",didd", seconds, self.playing, self.rate, now))
        else:
            client.send("/hitpoint/time", seconds, int(self.playing))


playhead = Playhead()


def drain() -> float | None:
    """What the timer does: take in what came, put finished takes in place, report the playhead. Never waits."""
    if client is None:
        return None
    client.tick()
    _look_at_picture()
    scene = compat.scene_of(bpy.context)
    placed = False
    _keep_at_hand()
    if client.finished and not compat.editing() and not sound.open_next(client.finished[0].sounds.values()):
        compat.call(bpy.ops.hitpoint.apply)
        placed = True
    if client.edits and not compat.editing():
        compat.call(bpy.ops.hitpoint.lay_cuts)
        placed = True
    died = bridge.died()
    if died:
        client.error, client.changed = died, True
    if client.state != "connected":
        playhead.loop = None  # a bridge that comes back may be another one
    elif playhead.live and scene is not None:
        playhead.look(scene)
    if client.changed or picture.running:
        client.changed = placed  # a panel that is new shows with the next drawing
        compat.redraw()
    return BUSY_S if client.busy or client.finished or placed or picture.running or playhead.live else IDLE_S


def _look_at_picture() -> None:
    """Once the picture is rendered, it is scored."""
    problem = picture.look()
    if problem:
        client.fail(problem)
    elif problem is not None:
        client.start(picture.job)


def _keep_at_hand() -> None:
    """Remember the takes that came beside the one that is heard: no step for undo, as nothing is seen of it."""
    for take in [each for each in client.finished if not each.show]:
        client.finished.remove(take)
        scene = bpy.data.scenes.get(take.job.about["scene"])
        if scene is not None and take.job.id in scores.read(scene):
            scores.remember(scene, take, shown=False)


@persistent  # type: ignore[untyped-decorator]
def on_frame(scene: Any, *_: Any) -> None:
    """After each change of frame: playing, scrubbing or a jump."""
    if playhead.live:
        playhead.tell(scene)


@persistent  # type: ignore[untyped-decorator]
def on_load(*_: Any) -> None:
    """Another file: what is under way belongs to the old one. The same file again goes on."""
    same = bpy.data.filepath
    picture.stop()
    if client.job is not None and not (same and client.job.about.get("file") == same):
        client.cancel()
        client.job = None
        client.finished.clear()
        client.edits.clear()
    notes.clear()
    offer.clear()
    playhead.live, playhead.loop = bool(bpy.context.window_manager.hitpoint_live), None


@persistent  # type: ignore[untyped-decorator]
def on_save(*arguments: Any) -> None:
    """Before a project is saved: the music goes along, into a folder beside it."""
    path = next((each for each in arguments if isinstance(each, str) and each), bpy.data.filepath)
    if not path:
        return
    for scene in bpy.data.scenes:
        if scene.hitpoint.memory:
            try:
                music.collect(scene, Path(compat.music_folder(path)))
            except OSError as error:
                client.error = f"The music could not be put beside the project ({error.strerror})."
    client.changed = True


@persistent  # type: ignore[untyped-decorator]
def on_saved(*_: Any) -> None:
    """The project has a place now: what is made from now on goes there too."""
    notes[:] = [note for note in notes if note != NOT_SAVED]
    on_save()  # older Blenders do not say before where they are going to save
    if client.job is not None:
        client.job.folder = compat.music_folder(bpy.data.filepath)
        client.job.about["file"] = bpy.data.filepath
    client.changed = True


def set_live(live: bool, scene: Any) -> None:
    """Follow the playhead from now on, or let go."""
    if playhead.live and not live:
        client.send("/hitpoint/stop")
    playhead.live, playhead.loop = live, None
    if live and scene is not None:
        playhead.look(scene)


def _hooks() -> list[tuple[Any, Any]]:
    """Blender's lists of handlers, and ours."""
    hooks = bpy.app.handlers
    return [
        *((hooks.frame_change_post, on_frame), (hooks.load_post, on_load)),
        *((hooks.save_pre, on_save), (hooks.save_post, on_saved)),
    ]


def start(port: int, version: str) -> None:
    """Open the socket, hang up timer and handlers."""
    global client
    client = Client(port, version)
    for hooks, function in _hooks():
        hooks.append(function)
    bpy.app.timers.register(drain, first_interval=IDLE_S, persistent=True)
    atexit.register(stop)  # a timer still there when Blender exits makes 4.2 crash and 4.5 hang


def stop() -> None:
    """Undo `start`; ends a bridge that this Blender started."""
    global client
    atexit.unregister(stop)
    for hooks, function in _hooks():
        if function in hooks:
            hooks.remove(function)
    if bpy.app.timers.is_registered(drain):
        bpy.app.timers.unregister(drain)
    picture.stop()
    bridge.stop()
    client.close()
    client = None
