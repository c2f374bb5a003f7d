"""The clients: who said hello, whose jobs are whose, and what they are told.

Threads and processes: one owner (the clock process). Pure: packets leave by the function handed in.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from hitpoint.bridge.ipc.supervision import Parties
from hitpoint.bridge.osc import protocol
from hitpoint.bridge.osc.protocol import ProtocolError
from hitpoint.bridge.session.identity import ADDRESSES_KEPT, Address, Proof

MAX_CLIENTS = 64
FRESH_S = 5.0
"""One who has said no more than hello gives way to a newcomer after this, where there are MAX_CLIENTS."""
MAX_OWNERS = 512
OWNER_S = 20.0
"""A job belongs to who began it, as long as that client was heard within this; plugins say something every 15 s."""
ERRORS_A_SECOND, ERRORS_TO_CLIENTS_A_SECOND = 20, 2000
"""Told to strangers, and to those who said hello: each of their requests is to have its answer, also the 500th of a
burst, while a flood of nonsense must not become two."""
_SPOKEN = range(protocol.OLDEST, protocol.PROTOCOL + 1)


@dataclass
class Client:
    """One who said hello. active: it has said something else as well; speaks: its protocol."""

    name: str
    heard_s: float
    active: bool = False
    speaks: int = protocol.OLDEST


class Clients:
    """All of them, by address. send: (packet, address) -> None, never blocks. silence_s: forgotten after so long."""

    def __init__(self, send: Callable[[bytes, Address], None], silence_s: float = 60.0) -> None:
        self._send_packet, self._silence_s = send, silence_s
        self.proof = Proof()
        self._known: dict[Address, Client] = {}
        self._owners: OrderedDict[str, Address] = OrderedDict()
        self._heard_s: OrderedDict[Address, float] = OrderedDict()
        self._stranger_errors: deque[float] = deque(maxlen=ERRORS_A_SECOND)
        self._client_errors: deque[float] = deque(maxlen=ERRORS_TO_CLIENTS_A_SECOND)
        self.changed = False

    def __contains__(self, address: Address) -> bool:
        return address in self._known

    @property
    def names(self) -> tuple[str, ...]:
        """What they call themselves."""
        return tuple(client.name for client in self._known.values())

    def add(self, address: Address, name: str, now_s: float, speaks: int = protocol.OLDEST) -> None:
        """A client said hello. Raises ProtocolError where there are too many."""
        before = self._known.get(address)
        if before is None and len(self._known) >= MAX_CLIENTS:
            self._make_room(now_s)
        self._known[address] = Client(name[:40], now_s, before is not None and before.active, speaks)
        self._note(address, now_s)
        self.changed = True

    def _make_room(self, now_s: float) -> None:
        idle = [(client.heard_s, address) for address, client in self._known.items() if not client.active]
        heard_s, address = min(idle, default=(now_s, ("", 0)))
        if now_s - heard_s < FRESH_S:
            raise ProtocolError("busy", f"{MAX_CLIENTS} clients are connected already; try again in a while")
        del self._known[address]

    def heard(self, address: Address, now_s: float, active: bool = True) -> None:
        """Something came from there. active: something other than a hello."""
        client = self._known.get(address)
        if client is not None:
            client.heard_s, client.active = now_s, client.active or active
        if client is not None or address in self._heard_s:
            self._note(address, now_s)

    def _note(self, address: Address, now_s: float) -> None:
        self._heard_s[address] = now_s
        self._heard_s.move_to_end(address)
        while len(self._heard_s) > ADDRESSES_KEPT:
            self._heard_s.popitem(last=False)

    def drop(self, address: Address) -> None:
        """A client says good-bye; its jobs are anybody's who asks for them."""
        self._known.pop(address, None)
        self._heard_s.pop(address, None)
        self.changed = True

    def drop_silent(self, now_s: float) -> list[str]:
        """Forget those not heard of for `silence_s`; returns their names."""
        silent = [a for a, client in self._known.items() if now_s - client.heard_s > self._silence_s]
        self.changed = self.changed or bool(silent)
        return [self._known.pop(address).name for address in silent]

    # Jobs.

    def check_owner(self, job: str, address: Address, now_s: float) -> None:
        """Raise ProtocolError where the job is another's who is still there."""
        owner = self._owners.get(job)
        if owner is None or owner == address:
            return
        if now_s - self._heard_s.get(owner, float("-inf")) < OWNER_S:
            name = self._known[owner].name if owner in self._known else f"{owner[0]}:{owner[1]}"
            raise ProtocolError("owner", f"{job} belongs to {name}, which is connected; have it handed over from there")

    def own(self, job: str, address: Address, now_s: float, busy: set[str]) -> bool:
        """What is to be said of this job goes to `address` from now on; whether it went elsewhere before.

        busy: the jobs that are worked on, whose owners are not forgotten. Raises ProtocolError where there are too
        many of those.
        """
        self._note(address, now_s)
        if self._owners.get(job) == address:
            return False
        if job not in self._owners and len(self._owners) >= MAX_OWNERS:
            idle = next((each for each in self._owners if each not in busy), None)
            if idle is None:
                raise ProtocolError("busy", f"{job}: too many jobs are under way; try again when some are done")
            del self._owners[idle]
        self._owners[job] = address
        self._owners.move_to_end(job)
        return True

    def hand_over(self, job: str, owner: Address, name: str) -> Address:
        """The owner gives the job to the client called `name`. Raises ProtocolError where that cannot be."""
        if self._owners.get(job) != owner:
            raise ProtocolError("owner", f"{job} is not yours to hand over")
        found = [address for address, client in self._known.items() if client.name == name]
        if len(found) != 1:
            raise ProtocolError("arguments", f"{len(found)} clients are called {name!r}; there must be exactly one")
        self._owners[job] = found[0]
        return found[0]

    # Telling.

    def speaks(self, address: Address) -> int:
        """The protocol of who is there; the oldest where it did not say."""
        client = self._known.get(address)
        return protocol.OLDEST if client is None else client.speaks

    def tell(self, address: Address, *message: protocol.TextOrNumber) -> None:
        """Send one message of the table to one client, as its protocol has it."""
        self._send(protocol.encode(str(message[0]), *message[1:], speaks=self.speaks(address)), address)

    def tell_owner(self, job: str, *message: protocol.TextOrNumber) -> None:
        """Send a message to the client that asked for the job, if it is known."""
        owner = self._owners.get(job)
        if owner is not None:
            self.tell(owner, *message)

    def tell_all(self, *message: protocol.TextOrNumber) -> None:
        """Send a message to everybody who said hello."""
        packets = {speaks: protocol.encode(str(message[0]), *message[1:], speaks=speaks) for speaks in _SPOKEN}
        for address, client in self._known.items():
            self._send(packets[client.speaks], address)

    def _send(self, packet: bytes, address: Address) -> None:
        if self.proof.may_tell(address, len(packet)):
            self._send_packet(packet, address)

    def refuse(self, address: Address, now_s: float, code: str, text: str, job: str, request: int = 0) -> bool:
        """Answer an error, unless too many were answered this second."""
        moments = self._client_errors if address in self._known else self._stranger_errors
        if len(moments) == moments.maxlen and now_s - moments[0] < 1.0:
            return False
        moments.append(now_s)
        self.tell(address, "/hitpoint/error", code, text[: protocol.MAX_TEXT], job, request)
        return True

    # For a successor.

    def restore(self, parties: Parties, now_s: float) -> None:
        """Take over from a clock process that died; those heard since are newer."""
        told = {address: Client(name, now_s, True, speaks) for name, address, speaks in parties.clients}
        self._known = told | self._known
        self._owners = OrderedDict({**dict(parties.owners), **self._owners})
        for address in [*self._known, *self._owners.values()]:
            self._heard_s.setdefault(address, now_s)

    @property
    def known(self) -> tuple[tuple[str, Address, int], ...]:
        """(name, address, protocol) of each."""
        return tuple((client.name, address, client.speaks) for address, client in self._known.items())

    @property
    def owners(self) -> tuple[tuple[str, Address], ...]:
        """(job, address) of each job's owner."""
        return tuple(self._owners.items())
