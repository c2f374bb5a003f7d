"""Between a page's WebSocket and the bridge's UDP port: the messages of the OSC table as JSON lists, and back.

Threads and processes: one event loop, the page's. No message is known here: what is asked and answered is the bridge's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from hitpoint.bridge.osc import codec
from hitpoint.model.music.codec import plain_json

QUEUED = 4096
"""Answers that wait for a slow page; the oldest give way."""
AWAY = json.dumps(["/page/away"])
"""Told where nobody listens on the bridge's port."""


class Relay(asyncio.DatagramProtocol):
    """One page's own address at the bridge. on_files: told of the paths of every result."""

    def __init__(self, token: str, on_files: Callable[[list[Path]], None]) -> None:
        self._token, self._on_files = token, on_files
        self._answers: asyncio.Queue[str] = asyncio.Queue(QUEUED)
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        """The socket is there."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """The bridge says something."""
        with suppress(codec.OscError):
            for message in codec.decode(data):
                if message.address == "/hitpoint/result":
                    self._on_files([Path(str(path)) for path in message.arguments[1:4] if path])
                self._answer(json.dumps([message.address, *message.arguments], default=str))

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there."""
        self._answer(AWAY)

    def _answer(self, text: str) -> None:
        if self._answers.full():
            self._answers.get_nowait()
        self._answers.put_nowait(text)

    async def run(self, page: WebSocket) -> None:
        """Carry messages until the page goes."""
        telling = asyncio.create_task(self._tell(page))
        try:
            while True:
                self._ask(packet(plain_json(await page.receive_text()), self._token))
        except WebSocketDisconnect:
            pass
        except (ValueError, TypeError):
            with suppress(RuntimeError):
                await page.close(1003, "not a message of the table")
        finally:
            telling.cancel()
            self._ask(codec.encode("/hitpoint/bye"))
            if self._transport is not None:
                self._transport.close()

    def _ask(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(data)

    async def _tell(self, page: WebSocket) -> None:
        with suppress(RuntimeError, WebSocketDisconnect):
            while True:
                await page.send_text(await self._answers.get())


def packet(message: Any, token: str = "") -> bytes:
    """`[address, values…]` as an OSC packet. token: goes with hello. Raises ValueError for anything else."""
    if not isinstance(message, list) or not message or not all(isinstance(each, str | int | float) for each in message):
        raise ValueError("a message is a list of an address, texts and numbers")
    address, *values = message
    if not isinstance(address, str) or not address.startswith("/hitpoint/"):
        raise ValueError("no address of the bridge's")
    if address == "/hitpoint/hello" and token:
        values = [*values[:3], token]
    tags = "".join(map(_tag, values))
    data = codec.encode_typed(address, tags, tuple(values))
    if len(data) > codec.MAX_PACKET_BYTES:
        raise ValueError("the message is too long")
    return data


def _tag(value: str | int | float) -> str:
    if isinstance(value, str):
        return "s"
    return "i" if isinstance(value, int) and abs(value) < 2**31 else "d"


async def carry(page: WebSocket, bridge: tuple[str, int], token: str, on_files: Callable[[list[Path]], None]) -> None:
    """A page came: give it an address of its own at the bridge for as long as it stays."""
    loop = asyncio.get_running_loop()
    await page.accept()
    _, relay = await loop.create_datagram_endpoint(lambda: Relay(token, on_files), remote_addr=bridge)
    await relay.run(page)
