"""Messages between the bridge's own processes, over a socket pair that a parent hands to its child.

Threads and processes: one owner a side, no thread safety. Neither side ever blocks: what cannot be sent at once waits
in a bounded buffer, and `send` says no when that is full. The other side's death shows as ChannelClosed.
The messages are pickled: both ends are the same program, and nobody else can reach an inherited socket.
"""

from __future__ import annotations

import pickle
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import Union

from hitpoint.bridge.ipc.supervision import Promote

_LENGTH = struct.Struct(">I")
_CHUNK = 1 << 16
_CHUNKS_A_CALL = 4
MAX_WAITING_BYTES = 16 << 20


Waitable = Union[socket.socket, "Channel"]


def wait_for_any(
    readers: Sequence[Waitable], writers: Sequence[Waitable], timeout_s: float | None
) -> tuple[list[Waitable], list[Waitable]]:
    """Which of them can be read, and written to, now or within `timeout_s` (None: no limit).

    As select, but there may be none of either: Windows refuses to wait for nothing.
    """
    if not readers and not writers:
        time.sleep(timeout_s or 0.0)
        return [], []
    readable, writable, _ = select.select(readers, writers, [], timeout_s)
    return readable, writable


class ChannelClosed(Exception):
    """The process at the other end is gone."""


class Channel:
    """One end. `fileno` makes it fit for select."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.setblocking(False)
        self._incoming = bytearray()
        self._outgoing = bytearray()

    @staticmethod
    def pair() -> tuple[Channel, socket.socket]:
        """(our end, the socket to hand to the child)."""
        ours, theirs = socket.socketpair()
        return Channel(ours), theirs

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._sock.fileno()

    @property
    def waiting(self) -> bool:
        """Whether something still waits to be sent."""
        return bool(self._outgoing)

    def send(self, message: object) -> bool:
        """Queue a message and send what goes through at once; False (nothing queued) where too much waits already.

        Raises ChannelClosed.
        """
        if len(self._outgoing) > MAX_WAITING_BYTES:
            return False
        raw = pickle.dumps(message, protocol=5)
        self._outgoing += _LENGTH.pack(len(raw)) + raw
        self.flush()
        return True

    def flush(self) -> None:
        """Send what goes through without waiting. Raises ChannelClosed."""
        while self._outgoing:
            try:
                sent = self._sock.send(self._outgoing[:_CHUNK])
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                raise ChannelClosed from error
            del self._outgoing[:sent]

    def receive(self, at_most: int = 1000) -> list[object]:
        """The messages that are there, without waiting. Raises ChannelClosed once the other end is gone."""
        closed = False
        for _ in range(_CHUNKS_A_CALL):
            try:
                chunk = self._sock.recv(_CHUNK)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                chunk = b""
            if not chunk:
                closed = True
                break
            self._incoming += chunk
        messages = self._unpack(at_most)
        if closed and not messages:
            raise ChannelClosed
        return messages

    def _unpack(self, at_most: int) -> list[object]:
        messages: list[object] = []
        position = 0
        while len(messages) < at_most and len(self._incoming) - position >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._incoming, position)
            end = position + _LENGTH.size + length
            if len(self._incoming) < end:
                break
            messages.append(pickle.loads(self._incoming[position + _LENGTH.size : end]))
            position = end
        del self._incoming[:position]
        return messages

    def wait(self, timeout_s: float | None) -> bool:
        """Wait at most `timeout_s` (None: no limit) for something to read; flushes what waits to be sent meanwhile."""
        writers = [self] if self._outgoing else []
        readable, writable = wait_for_any([self], writers, timeout_s)
        if writable:
            self.flush()
        return bool(readable)

    def wait_for_promotion(self) -> list[object] | None:
        """For a spare process: wait until it is needed, and return what it was told besides; None where it never is."""
        messages: list[object] = []
        try:
            while not messages:
                self.wait(None)
                messages = self.receive()
        except ChannelClosed:
            return None
        return messages[1:] if isinstance(messages[0], Promote) else None

    def close(self) -> None:
        """Close this end."""
        self._sock.close()
