"""Who may speak: the shared token, and addresses that prove that they hear what is sent to them.

Threads and processes: one owner (the clock process). Pure: moments are handed in.

UDP senders can be forged. So an address beyond this machine is told at most as many bytes as it was heard to say,
until it says back the word that `/hitpoint/challenge` brought it (RFC 9000, section 8, does likewise). Addresses of
this machine need not: their packets cannot come from elsewhere.

Wrong tokens cost time: after FREE_TRIES from one address it waits, each time twice as long; after FREE_TRIES in all,
strangers' tokens are checked one at a time, in a random order of the addresses that ask, so that a guesser does not
keep others out. Who was let in is not touched by either.
"""

from __future__ import annotations

import hmac
import ipaddress
import random
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeVar

Address = tuple[str, int]
Value = TypeVar("Value")

FREE_TRIES = 5
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
IN_ALL_WAIT_S = 2.0
"""Between two checks of strangers' tokens while somebody guesses."""
CALM_AFTER_S = 300.0
"""Wrong tokens are forgotten after so long without another one."""
CHALLENGE_EVERY_S = 10.0
ADDRESSES_KEPT = 1024
QUEUED = 256


@dataclass
class _Tries:
    """Wrong tokens of one address, or of all. until_s: no further one is checked before."""

    wrong: int = 0
    until_s: float = float("-inf")
    last_s: float = float("-inf")

    def count(self, now_s: float, longest_s: float) -> None:
        if now_s - self.last_s > CALM_AFTER_S:
            self.wrong = 0
        self.wrong, self.last_s = self.wrong + 1, now_s
        if self.wrong >= FREE_TRIES:
            self.until_s = now_s + min(longest_s, FIRST_WAIT_S * 2 ** min(self.wrong - FREE_TRIES, 30))


class Door:
    """Checks tokens. token: the right one; empty where none is needed."""

    def __init__(self, token: str, dice: random.Random | None = None) -> None:
        self._token = token.encode()
        self._dice = dice or random.Random(secrets.randbits(64))
        self._tries: OrderedDict[object, _Tries] = OrderedDict()
        self._in_all = _Tries()
        self._queue: OrderedDict[Address, tuple[str, object]] = OrderedDict()
        self.checked = 0
        """How many tokens were compared so far."""

    def ask(self, address: Address, token: str, known: bool, now_s: float, request: object = None) -> str:
        """ "in", "wrong", "wait" (this address guessed wrong too often), or "queued" (it is answered by `due` later).

        known: it was let in before. request: what `due` is to give back.
        """
        if not self._token:
            return "in"
        tries = self._tries.get(_who(address))
        if tries is not None and now_s < tries.until_s:
            return "wait"
        if not known and now_s < self._in_all.until_s:
            if len(self._queue) >= QUEUED and address not in self._queue:
                del self._queue[self._dice.choice(list(self._queue))]
            self._queue[address] = token, request
            return "queued"
        return self._check(address, token, now_s)

    def due(self, now_s: float) -> tuple[Address, str, object] | None:
        """The next one who was queued, "in" or "wrong", and its request; None where it is not time, or nobody waits."""
        if not self._queue or now_s < self._in_all.until_s:
            return None
        hosts = sorted({address[0] for address in self._queue})
        host = self._dice.choice(hosts)
        address = self._dice.choice([each for each in self._queue if each[0] == host])
        token, request = self._queue.pop(address)
        return address, self._check(address, token, now_s), request

    def _check(self, address: Address, token: str, now_s: float) -> str:
        self.checked += 1
        if hmac.compare_digest(token.encode("utf-8", "replace"), self._token):
            self._tries.pop(_who(address), None)
            return "in"
        tries = self._tries.setdefault(_who(address), _Tries())
        self._tries.move_to_end(_who(address))
        while len(self._tries) > ADDRESSES_KEPT:
            self._tries.popitem(last=False)
        tries.count(now_s, LONGEST_WAIT_S)
        self._in_all.count(now_s, IN_ALL_WAIT_S)
        return "wrong"


class Proof:
    """Which addresses have shown that they hear us, and what the others may be told."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(16)
        self._credit: OrderedDict[Address, float] = OrderedDict()
        self._proven: OrderedDict[Address, None] = OrderedDict()  # apart: forged addresses must not push these out
        self._challenged_s: OrderedDict[Address, float] = OrderedDict()

    def challenge(self, address: Address, now_s: float) -> str:
        """The word to send there; empty where that was done a moment ago: an older client, which does not know what
        to do with it, needs its credit for the answers that it does know."""
        if self.proven(address) or now_s - self._challenged_s.get(address, float("-inf")) < CHALLENGE_EVERY_S:
            return ""
        _keep(self._challenged_s, address, now_s)
        return self.word(address)

    def word(self, address: Address) -> str:
        """What this address has to say back."""
        text = f"{address[0]} {address[1]}".encode()
        return hmac.digest(self._secret, text, "sha256").hex()[:11]

    def say(self, address: Address, word: str) -> bool:
        """The address says a word back; whether it is the right one."""
        right = hmac.compare_digest(word.encode("utf-8", "replace"), self.word(address).encode())
        if right:
            self._credit.pop(address, None)
            _keep(self._proven, address, None)
        return right

    def proven(self, address: Address) -> bool:
        """Whether it may be told anything."""
        return is_own(address) or address in self._proven

    def heard(self, address: Address, size: int) -> None:
        """So many bytes came from there."""
        if address in self._proven:
            self._proven.move_to_end(address)
        elif not is_own(address):
            _keep(self._credit, address, self._credit.get(address, 0.0) + size)

    def may_tell(self, address: Address, size: int) -> bool:
        """Whether so many bytes may go there; they count as sent."""
        if self.proven(address):
            return True
        credit = self._credit.get(address, 0.0)
        if size > credit:
            return False
        self._credit[address] = credit - size
        return True


def _keep(store: OrderedDict[Address, Value], address: Address, value: Value) -> None:
    """Note it as the newest; the oldest gives way."""
    store[address] = value
    store.move_to_end(address)
    while len(store) > ADDRESSES_KEPT:
        store.popitem(last=False)


def is_own(address: Address) -> bool:
    """Whether it is an address of this machine, which nobody else can send from."""
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return False


def _who(address: Address) -> object:
    """On this machine each port is somebody; beyond, each machine."""
    return address if is_own(address) else address[0]
