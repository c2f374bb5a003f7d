"""Peers: hosts that talk only to those who greet them first (Ardour), greeted until they are heard.

Threads and processes: one owner (the clock process). Pure: moments are handed in, packets leave by the function
handed in.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hitpoint.bridge.errors import InputError
from hitpoint.bridge.osc import codec
from hitpoint.bridge.session.identity import Address

GREET_EVERY_S = 2.0
SILENCE_S = 5.0
"""A peer that was silent for so long may have been started again: greet it again."""


class Peers:
    """The configuration's `peers`. Raises InputError where one of them is wrong or its host is unknown."""

    def __init__(self, items: Sequence[Any], send: Callable[[bytes, Address], None]) -> None:
        self._send = send
        self._greetings = dict(_parse(item) for item in items)
        self._next_s = dict.fromkeys(self._greetings, float("-inf"))

    def heard(self, sender: Address, now_s: float) -> None:
        """Something came from `sender`, be it a peer or not."""
        if sender in self._next_s:
            self._next_s[sender] = now_s + SILENCE_S

    def greet(self, now_s: float) -> None:
        """Send the greetings that are due; to be called a few times a second."""
        for address, due_s in self._next_s.items():
            if now_s >= due_s:
                self._next_s[address] = now_s + GREET_EVERY_S
                self._send(self._greetings[address], address)


def _parse(item: object) -> tuple[Address, bytes]:
    if not isinstance(item, Mapping) or set(item) != {"address", "send"} or not isinstance(item["send"], list):
        raise InputError(f"peers: a peer has the keys address (host:port) and send (a list), not {item!r}")
    host, _, port = str(item["address"]).rpartition(":")
    try:
        address = socket.gethostbyname(host), int(port)
        return address, codec.encode(*item["send"])
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"peers: {item!r} cannot be greeted ({error})") from error
