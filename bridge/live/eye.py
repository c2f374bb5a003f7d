"""The eye: a process that watches a source and tells the bridge over OSC what it sees, as any other program could.

Threads and processes: a process of its own, which may load cv2. A thread reads the source, another one the standard
input: "go" and the bridge's address start a film, its end ends the eye. What it has to say goes to standard output, a
line each: "ready" once the source is there, else a sentence and its exit code; later what happens to the source, for
the log.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hitpoint.bridge.config.settings import TOKEN_VARIABLE
from hitpoint.bridge.errors import HitpointError, InputError
from hitpoint.bridge.live.sources import Source
from hitpoint.bridge.osc import codec
from hitpoint.bridge.osc.protocol import PROTOCOL

if TYPE_CHECKING:
    from hitpoint.model.mood.watch import Sight
    from hitpoint.model.video.frames import Frame

TELL_EVERY_S = 0.05
STALL_S = 2.0
"""A source that shows nothing new for so long stands still: that is said, and told as no motion."""
LATE_S = 0.1
"""A film's frame that is so late is not looked at."""
AHEAD_FRAMES = 8
END = "end"


class Eye:
    """source: what is watched. tell: sends one OSC message. say: one line for the log."""

    def __init__(self, source: Source, tell: Callable[..., None], say: Callable[[str], None]) -> None:
        self._source, self._tell, self._say = source, tell, say
        self._items: queue.Queue[object] = queue.Queue(AHEAD_FRAMES)
        self._told_s = float("-inf")
        self._stalled = False

    def watch(self, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep) -> None:
        """Watch until the film ends; then the music is told to stop. Raises InputError where the source breaks."""
        from hitpoint.model.mood.watch import Watcher

        threading.Thread(target=self._read, name="source", daemon=True).start()
        watcher, started_s = Watcher(), None
        while True:
            item = self._next(now)
            if item is None:
                continue
            if isinstance(item, HitpointError):
                raise item
            if isinstance(item, str):
                self._tell("/hitpoint/stop")
                return
            if self._source.timed:
                due_s = (now() if started_s is None else started_s) + item.time_s
                started_s = due_s - item.time_s
                if now() - due_s > STALL_S:
                    started_s = now() - item.time_s  # the pipe stood still, and goes on from there
                elif now() - due_s > LATE_S:
                    continue
                sleep(max(0.0, due_s - now()))
            self._report(watcher.look(item), now())

    def _next(self, now: Callable[[], float]) -> Frame | str | HitpointError | None:
        """The next frame or the end; None while there is none."""
        from hitpoint.model.video.frames import Frame

        try:
            item = self._items.get(timeout=STALL_S)
        except queue.Empty:
            item = None
        if item is None:
            if not self._stalled:
                self._stalled = True
                self._say(f"{self._source.name} shows nothing new; the music goes on with a still picture")
            self._tell("/hitpoint/feature", "motion", 0.0)
            return None
        if self._stalled:
            self._stalled = False
            self._say(f"{self._source.name} is there again")
        assert isinstance(item, Frame | str | HitpointError)
        return item

    def _report(self, sight: Sight, now_s: float) -> None:
        if sight.cut:
            self._tell("/hitpoint/feature", "cut", sight.cut)
        if now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            for name in ("motion", "energy", "valence"):
                self._tell("/hitpoint/feature", name, getattr(sight, name))

    def _read(self) -> None:
        """The thread: a film's frames wait for their turn, of a camera's the newest counts."""
        try:
            for frame in self._source.frames():
                if not self._source.timed and self._items.full():
                    _drop_one(self._items)
                if frame is not None or self._items.empty():
                    self._items.put(frame)
            self._items.put(END)
        except HitpointError as error:
            self._items.put(error)
        except Exception as error:  # its owner says it
            self._items.put(InputError(f"{self._source.name} cannot be watched: {error}"))


def _drop_one(items: queue.Queue[object]) -> None:
    try:
        items.get_nowait()
    except queue.Empty:
        return


def main() -> None:
    """`python -c ... SOURCE`: check the source, say "ready", wait for "go HOST PORT", watch."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the music's end ends this as well
    source = Source(sys.argv[1])
    try:
        source.check()
        _print("ready")
        told = sys.stdin.readline().split()
        if not told:
            return
        address = told[1], int(told[2])
        threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
        with socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            if TOKEN_VARIABLE in os.environ:
                _send(sock, address, "/hitpoint/hello", "hitpoint eye", "1", PROTOCOL, os.environ[TOKEN_VARIABLE])
            Eye(source, lambda *message: _send(sock, address, *message), _print).watch()
    except HitpointError as error:
        _print(f"error: {error}")
        sys.exit(error.exit_code)


def _send(sock: socket.socket, address: tuple[str, int], *message: str | float) -> None:
    try:
        sock.sendto(codec.encode(str(message[0]), *message[1:]), address)
    except OSError:
        return  # the bridge is just being started again


def _print(line: str) -> None:
    print(line, flush=True)


def _end_with_parent() -> None:
    while sys.stdin.readline():
        pass
    os._exit(0)
