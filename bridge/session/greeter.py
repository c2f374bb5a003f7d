"""Hello: who is let in, and how.

Threads and processes: one owner (the clock process). Pure: moments are handed in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NoReturn

from hitpoint.bridge.osc import protocol
from hitpoint.bridge.osc.protocol import ProtocolError, Request
from hitpoint.bridge.session.clients import Clients
from hitpoint.bridge.session.identity import Address, Door


class Greeter:
    """Answers hello. token: as in the configuration; welcome: says welcome to an address; log: (level, text).

    Each request raises ProtocolError for what is wrong with it.
    """

    def __init__(
        self,
        clients: Clients,
        token: str,
        welcome: Callable[[Address], None],
        log: Callable[[int, str], None],
    ) -> None:
        self._clients, self._welcome, self._log = clients, welcome, log
        self._door = Door(token)
        self.needs_token = bool(token)
        self.asks: Address = ("", 0)
        """The stranger that `hear_queued` heard last."""

    def check(self, address: str, sender: Address) -> None:
        """Refuse what a stranger may not ask."""
        if self.needs_token and sender not in self._clients and address not in ("/hitpoint/hello", "/hitpoint/prove"):
            raise ProtocolError("token", "say /hitpoint/hello with the shared token first")

    def hello(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/hello`."""
        if not protocol.OLDEST <= request.whole("protocol") <= protocol.PROTOCOL:
            wants, speaks = request.whole("protocol"), protocol.PROTOCOL
            older = "bridge" if wants > speaks else "client"
            raise ProtocolError(
                "protocol", f"the client speaks protocol {wants}, this bridge {speaks}: bring the {older} up to date"
            )
        verdict = self._door.ask(sender, request.text("token"), sender in self._clients, now_s, request)
        if verdict == "in":
            self._let_in(request, sender, now_s)
        elif verdict != "queued":
            self._keep_out(verdict, sender)

    def _keep_out(self, verdict: str, sender: Address) -> NoReturn:
        if verdict == "wait":
            raise ProtocolError("token", "too many wrong tokens came from here: wait a minute, then use the right one")
        self._log(logging.WARNING, f"a wrong token from {sender[0]}:{sender[1]}")
        raise ProtocolError("token", "the token is missing or wrong: use the one in the bridge's configuration")

    def hear_queued(self, now_s: float) -> None:
        """One of the strangers whose tokens could not be checked at once. Raises as hello, `sender` being `asks`."""
        due = self._door.due(now_s)
        if due is None:
            return
        self.asks, verdict, request = due
        if verdict != "in":
            self._keep_out(verdict, self.asks)
        assert isinstance(request, Request)
        self._let_in(request, self.asks, now_s)

    def prove(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/prove`: the address hears us."""
        if self._clients.proof.say(sender, request.text("word")):
            self._welcome(sender)

    def _let_in(self, request: Request, sender: Address, now_s: float) -> None:
        new = sender not in self._clients
        self._clients.add(sender, request.text("client"), now_s, request.whole("protocol"))
        if new:
            self._log(logging.INFO, f"client {request.text('client')[:40]!r} at {sender[0]}:{sender[1]}")
        word = self._clients.proof.challenge(sender, now_s)
        if word:
            self._clients.tell(sender, "/hitpoint/challenge", word)
        self._welcome(sender)
