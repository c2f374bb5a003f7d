"""The clients: who said hello, who asked for which job, and what they are told.

Threads and processes: one owner (the clock process). Pure: packets leave by the function handed in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from hitpoint.bridge.ipc.messages import LiveState
from hitpoint.bridge.osc import protocol
from hitpoint.bridge.osc.protocol import ProtocolError

Address = tuple[str, int]

CLIENT_SILENCE_S = 60.0
MAX_CLIENTS = 64
MAX_OWNERS = 64
ERRORS_A_SECOND = 20


@dataclass
class Client:
    """One who said hello."""

    name: str
    heard_s: float


class Clients:
    """All of them, by address. send: (packet, address) -> None, never blocks."""

    def __init__(self, send: Callable[[bytes, Address], None]) -> None:
        self._send = send
        self._known: dict[Address, Client] = {}
        self._owners: dict[str, Address] = {}
        self._error_moments: deque[float] = deque(maxlen=ERRORS_A_SECOND)

    def __contains__(self, address: Address) -> bool:
        return address in self._known

    @property
    def names(self) -> tuple[str, ...]:
        """What they call themselves."""
        return tuple(client.name for client in self._known.values())

    def add(self, address: Address, name: str, now_s: float) -> None:
        """A client said hello. Raises ProtocolError where there are too many."""
        if address not in self._known and len(self._known) >= MAX_CLIENTS:
            raise ProtocolError("busy", f"{MAX_CLIENTS} clients are connected already")
        self._known[address] = Client(name[:40], now_s)

    def heard(self, address: Address, now_s: float) -> None:
        """Something came from there."""
        if address in self._known:
            self._known[address].heard_s = now_s

    def drop(self, address: Address) -> None:
        """A client says good-bye."""
        self._known.pop(address, None)

    def drop_silent(self, now_s: float) -> list[str]:
        """Forget those not heard of for CLIENT_SILENCE_S; returns their names."""
        silent = [a for a, client in self._known.items() if now_s - client.heard_s > CLIENT_SILENCE_S]
        return [self._known.pop(address).name for address in silent]

    def own(self, job: str, address: Address) -> None:
        """What is to be said of this job goes to `address` from now on."""
        while len(self._owners) >= MAX_OWNERS and job not in self._owners:
            del self._owners[next(iter(self._owners))]
        self._owners[job] = address

    def tell(self, address: Address, *message: protocol.TextOrNumber) -> None:
        """Send one message of the table to one client."""
        self._send(protocol.encode(str(message[0]), *message[1:]), address)

    def tell_owner(self, job: str, *message: protocol.TextOrNumber) -> None:
        """Send a message to the client that asked for the job, if it is known."""
        owner = self._owners.get(job)
        if owner is not None:
            self.tell(owner, *message)

    def tell_all(self, *message: protocol.TextOrNumber) -> None:
        """Send a message to everybody who said hello."""
        packet = protocol.encode(str(message[0]), *message[1:])
        for address in self._known:
            self._send(packet, address)

    def refuse(self, address: Address, now_s: float, code: str, text: str, job: str) -> bool:
        """Answer an error, at most ERRORS_A_SECOND of them: a flood of nonsense must not become two."""
        moments = self._error_moments
        if len(moments) == moments.maxlen and now_s - moments[0] < 1.0:
            return False
        moments.append(now_s)
        self.tell(address, "/hitpoint/error", code, text[: protocol.MAX_TEXT], job)
        return True

    def restore(self, live: LiveState, now_s: float) -> None:
        """Take over from a clock process that died; those heard since are newer."""
        self._known = {address: Client(name, now_s) for name, address in live.clients} | self._known
        self._owners = dict(live.owners) | self._owners

    @property
    def known(self) -> tuple[tuple[str, Address], ...]:
        """(name, address) of each, for a successor."""
        return tuple((client.name, address) for address, client in self._known.items())

    @property
    def owners(self) -> tuple[tuple[str, Address], ...]:
        """(job, address) of each job's owner, for a successor."""
        return tuple(self._owners.items())
