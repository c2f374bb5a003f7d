"""The bridge that the page speaks with: one that runs already, or one that is started here and ends with the page.

Threads and processes: the page's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from hitpoint.bridge.errors import MissingError
from hitpoint.bridge.osc import codec

ANSWER_S = 0.5
START_S = 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0


class OwnBridge:
    """arguments: of `hitpoint serve`, for the one that is started. address: where a bridge is or is to be."""

    def __init__(self, address: tuple[str, int], arguments: Sequence[str]) -> None:
        self._address = address
        call = [sys.executable, "-c", "from hitpoint.bridge.cli import main; main()", "serve"]
        self._command = [*call, *arguments, "--while-open", "--no-revive", "--no-screen"]
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> bool:
        """Start one unless one answers; whether it was started. Raises MissingError where it does not come up."""
        if self.answers():
            return False
        self._start()
        assert self._process is not None
        until_s = time.monotonic() + START_S
        while time.monotonic() < until_s and self._process.poll() is None:
            if self.answers():
                return True
            time.sleep(0.1)  # a refusal comes at once
        self.end()
        raise MissingError("the bridge does not start; run `hitpoint serve`, which says why")

    def answers(self) -> bool:
        """Whether a bridge is there."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
            sock.settimeout(ANSWER_S)
            sock.connect(self._address)
            sock.send(codec.encode("/hitpoint/ping", 1))
            return bool(sock.recv(4096))
        return False

    async def keep(self) -> None:
        """Start it again whenever it has died; for ever."""
        pause_s = FIRST_PAUSE_S
        while True:
            await asyncio.sleep(pause_s)
            if self._process is None or self._process.poll() is None:
                pause_s = FIRST_PAUSE_S
                continue
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            if not await asyncio.to_thread(self.answers):
                self._start()

    def end(self) -> None:
        """The one that was started ends; one that was there goes on."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)

    def _start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
