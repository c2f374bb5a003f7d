"""What all clients are told of the music: its state on every change and once a second, and its lateness.

Threads and processes: one owner (the clock process). Pure.
"""

from __future__ import annotations

from hitpoint.bridge.play.player import Player
from hitpoint.bridge.session.clients import Clients

STATE_EVERY_S = 1.0


class Status:
    """Tells `clients`."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._told: tuple[object, ...] = ()
        self._told_s = self._late_s = float("-inf")
        self._sent = 0

    def changed(self) -> None:
        """Tell it again at the next `tell`: somebody has not heard it."""
        self._told = ()

    def tell(self, state: str, player: Player, now_s: float) -> None:
        """To be called a few times a second."""
        planned = player.planned
        job, take, bars = (planned.job, planned.take, len(planned.plan.bars)) if planned else ("", 0, 0)
        if now_s - self._late_s >= STATE_EVERY_S and player.sent != self._sent:
            p50, p99, _ = player.lateness_ms()
            self._clients.tell_all("/hitpoint/late", p50, p99)
            self._sent, self._late_s = player.sent, now_s
        tail = (player.bar, len(player.known_bars), bars, player.underruns, player.sink.name)
        head = (state, job, take)
        if (head, tail) == self._told and now_s - self._told_s < STATE_EVERY_S:
            return
        self._told, self._told_s = (head, tail), now_s
        self._clients.tell_all("/hitpoint/state", *head, player.position(), *tail)
