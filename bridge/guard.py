"""The guard: a second connection to the MIDI port, that silences it when the clock process cannot.

Threads and processes: one owner, the watchdog; never shares a port object with the clock.
"""

from __future__ import annotations

from hitpoint.bridge.config import Config
from hitpoint.bridge.errors import HitpointError
from hitpoint.bridge.messages import PortOpened
from hitpoint.bridge.midi_out import APIS, CLIENT_NAME, NO_PORT, VIRTUAL, Closable, RtMidiSink, silence

GUARD_NAME = f"{CLIENT_NAME} guard"


class Guard:
    """Silences what the clock's port leads to."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._sink: Closable | None = None
        self._opened: PortOpened | None = None

    def follow(self, opened: PortOpened) -> None:
        """The clock opened its port: connect to the same place."""
        self._opened = opened
        if self._sink is not None or opened.api not in APIS or opened.name == NO_PORT:
            return
        if self._config.midi_port != VIRTUAL:
            try:
                self._sink = RtMidiSink(self._config.midi_port, APIS[opened.api], GUARD_NAME)
            except (HitpointError, OSError):
                self._sink = None

    def silence(self) -> None:
        """End every note on every channel."""
        if self._sink is not None:
            silence(self._sink)

    def look(self) -> str:
        """Look at the ports: the reason for which the clock should look for its port anew, or an empty text."""
        return ""

    def close(self) -> None:
        """Give the port back."""
        if self._sink is not None:
            self._sink.close()
            self._sink = None
