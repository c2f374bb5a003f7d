"""JACK's transport as the playhead.

Threads and processes: owned by the clock process, which asks it every 20 ms; nothing of it blocks.
"""

from __future__ import annotations

from typing import Any

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import MissingError
from hitpoint.bridge.hosts.base import Companion, Host
from hitpoint.bridge.midi.ports import quiet_libraries
from hitpoint.bridge.play.player import Player


class Jack(Host):
    """Any program that rolls with JACK."""

    def wanted(self, config: Config) -> bool:
        """Where it is switched on."""
        return config.jack_transport

    def in_clock(self, config: Config) -> Companion:
        """JACK's transport leads."""
        return JackTransport()


class JackTransport:
    """Feeds a player. Raises MissingError where JACK or the package JACK-Client is missing."""

    every_s = 0.02

    def __init__(self, name: str = "Hitpoint transport") -> None:
        with quiet_libraries():
            try:
                import jack

                self._jack = jack
                self._client: Any = jack.Client(name, no_start_server=True)
            except (ImportError, OSError) as error:
                raise MissingError("following JACK's transport needs the package JACK-Client and libjack") from error
            except jack.JackOpenError:
                raise MissingError("following JACK's transport needs a running JACK server") from None
        self.alive = True
        self._client.set_shutdown_callback(self._died)  # never activated: it asks, and has no place in JACK's periods

    def _died(self, status: object, reason: str) -> None:
        self.alive = False

    def feed(self, player: Player, now_s: float) -> None:
        """Tell the player where JACK is. The position is stamped by JACK's clock, steady but not the monotonic one."""
        if not self.alive:
            return
        state, position = self._client.transport_query_struct()
        rolling = state == self._jack.ROLLING
        stamp_s = position.usecs * 1e-6 if rolling else None
        player.hear_playhead(now_s, position.frame / position.frame_rate, rolling, 1.0, stamp_s)

    def close(self) -> None:
        """Leave the server."""
        if self.alive:
            self._client.close()
            self.alive = False
