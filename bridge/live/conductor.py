"""The conductor: begins music without end on a bridge, lets the eye look once it sounds, and ends both together.

Threads and processes: lives in the bridge's main process, with a thread for the bridge's answers and one for what the
eye says. A client as any other: what it does can be done over OSC.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

from hitpoint.bridge.config.settings import TOKEN_VARIABLE
from hitpoint.bridge.errors import HitpointError, InputError, MissingError, UsageError
from hitpoint.bridge.ipc.live import LIVE_JOB
from hitpoint.bridge.live.sources import Source
from hitpoint.bridge.osc import codec
from hitpoint.bridge.osc.protocol import PROTOCOL

EYE = ("-c", "from hitpoint.bridge.live.eye import main; main()")
HEAR_S = 0.5
SAY_AGAIN_S = 1.0
"""Until the bridge has answered."""
KNOWN_EVERY_S = 10.0
KINDS: dict[int, type[HitpointError]] = {3: InputError, 4: MissingError}
REFUSALS = ("usage", "input", "missing", "arguments", "token")
SOUNDS = ("playing", "waiting", "fallback")

log = logging.getLogger("hitpoint")


class Conductor:
    """source: what the eye watches, None: the features come over OSC. pairs: of `/hitpoint/live`."""

    def __init__(self, source: Source | None, pairs: Sequence[str], token: str) -> None:
        self._source, self._pairs, self._token = source, tuple(pairs), token
        self._eye: subprocess.Popen[str] | None = None
        self._sock: socket.socket | None = None
        self._address: tuple[str, int] = ("", 0)
        self._leaving = self._closed = self._played = False
        self.error: HitpointError | None = None
        """Why there was no music."""

    def prepare(self) -> None:
        """Start the eye and see that it has something to look at. Raises what it says."""
        if self._source is None:
            return
        command = [sys.executable, *EYE, self._source.name]
        told = {TOKEN_VARIABLE: self._token} if self._token else {}
        self._eye = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **told}
        )
        assert self._eye.stdout is not None
        line = self._eye.stdout.readline().strip()
        if line != "ready":
            self.close()
            kind = KINDS.get(self._eye.wait(), InputError)
            raise kind(line.removeprefix("error: ") or f"{self._source.name} cannot be watched")

    def begin(self, address: tuple[str, int], stop: Callable[[], None]) -> None:
        """As `process.serve.Guest`."""
        self._address, self._stop = address, stop
        self._sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.settimeout(HEAR_S)
        threading.Thread(target=self._listen, name="conductor", daemon=True).start()
        if self._eye is not None:
            threading.Thread(target=self._hear_eye, args=(self._eye,), name="eye", daemon=True).start()

    def leave(self) -> bool:
        """The first time the music ends with a cadence, the second time at once."""
        if self._leaving or not self._played:
            return False
        self._leaving = True
        self._say("/hitpoint/stop")
        return True

    def close(self) -> None:
        """The eye ends with its standard input."""
        self._closed = True
        if self._eye is not None and self._eye.stdin is not None:
            with contextlib.suppress(OSError):
                self._eye.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._eye.wait(1.0)
            self._eye.kill()

    def _listen(self) -> None:
        """The thread: say hello until it is heard, begin, and go with the music."""
        assert self._sock is not None
        silent_s, welcome = SAY_AGAIN_S, False
        while not self._closed:
            if silent_s >= (KNOWN_EVERY_S if welcome else SAY_AGAIN_S):
                silent_s = 0.0
                if welcome:
                    self._say("/hitpoint/ping", 1)
                else:
                    token = [self._token] if self._token else []
                    self._say("/hitpoint/hello", "hitpoint live", "1", PROTOCOL, *token)
            try:
                messages = codec.decode(self._sock.recv(65536))
            except (TimeoutError, OSError, codec.OscError):
                silent_s += HEAR_S
                continue
            silent_s += 0.0 if not welcome else HEAR_S / 20
            for message in messages:
                if message.address == "/hitpoint/welcome" and not welcome:
                    welcome = True
                    self._say("/hitpoint/live", *self._pairs)
                self._heed(message)

    def _heed(self, message: codec.OscMessage) -> None:
        values = message.arguments
        if message.address == "/hitpoint/error" and not self._played and values[0] in REFUSALS:
            self.error = UsageError(str(values[1]))
            self._stop()
        elif message.address == "/hitpoint/state":
            if values[0] in SOUNDS and values[1] == LIVE_JOB:
                if not self._played and self._eye is not None:
                    self._tell_eye(f"go {self._address[0]} {self._address[1]}")
                self._played = True
            elif self._played and values[0] in ("idle", "failed"):
                self._stop()

    def _tell_eye(self, line: str) -> None:
        assert self._eye is not None and self._eye.stdin is not None
        with contextlib.suppress(OSError):
            self._eye.stdin.write(line + "\n")
            self._eye.stdin.flush()

    def _hear_eye(self, eye: subprocess.Popen[str]) -> None:
        """The thread: what happens to the source goes to the log; where it breaks, the music ends."""
        assert eye.stdout is not None
        for line in eye.stdout:
            log.warning("%s", line.strip().removeprefix("error: "))
        if eye.wait() and not self._closed:
            self._say("/hitpoint/stop")

    def _say(self, *message: str | float) -> None:
        if self._sock is not None:
            with contextlib.suppress(OSError):
                self._sock.sendto(codec.encode(str(message[0]), *message[1:]), self._address)
