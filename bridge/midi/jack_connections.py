"""The patchbay: which ports a MIDI system connects our own to, remembered so that they can be connected again.

Threads and processes: one owner, the watchdog. JACK calls back into a thread of its own; that only sets a flag. The
client is never activated, and so has no place in JACK's graph: one that is killed or stopped in the middle of a period
keeps all the others, and what they still have to say, waiting for JACK's patience (half a second, where nobody chose
another).
"""

from __future__ import annotations

import contextlib
import re
import time
from typing import Any

from hitpoint.bridge.midi.ports import quiet_libraries

WATCH_NAME = "Hitpoint watch"
PERIODS = 3
"""In the first of them JACK may still use the connections it had, and may be at the end of the second already."""
LOOK_S = 0.001


class JackPatchbay:
    """JACK's connections, seen through a client that plays nothing (needs the package JACK-Client).

    Raises ImportError or OSError where the package or libjack is missing, ConnectionError where no server runs.
    """

    def __init__(self) -> None:
        with quiet_libraries():
            import jack

            self._errors: tuple[type[Exception], ...] = (jack.JackError, jack.JackErrorCode)
            jack.set_error_function(lambda text: None)
            jack.set_info_function(lambda text: None)
            try:
                self._client: Any = jack.Client(WATCH_NAME, no_start_server=True)
            except jack.JackOpenError as error:
                raise ConnectionError("no JACK server runs") from error
        self.alive = True
        self._client.set_shutdown_callback(self._died)

    def _died(self, status: object, reason: str) -> None:
        self.alive = False

    def sources(self, client_name: str) -> dict[str, str]:
        """Short name -> full name of the MIDI outputs of a client (JACK numbers those of one name: NAME-01)."""
        pattern = f"^{re.escape(client_name)}(-[0-9]+)?:"
        ports = self._try(lambda: self._client.get_ports(pattern, is_midi=True, is_output=True)) or []
        return {port.shortname: port.name for port in ports}

    def destinations(self, source: str) -> set[str]:
        """The full names of the ports that `source` is connected to."""
        ports = self._try(lambda: self._client.get_all_connections(self._client.get_port_by_name(source))) or []
        return {port.name for port in ports}

    def inputs(self) -> set[str]:
        """The full names of all ports that MIDI can be sent to."""
        return {port.name for port in self._try(lambda: self._client.get_ports(is_midi=True, is_input=True)) or []}

    def connect(self, source: str, destination: str) -> None:
        """Connect two ports; nothing where they are connected already or one is gone."""
        self._try(lambda: self._client.connect(source, destination))

    def wait_for_periods(self, within_s: float = 0.5) -> None:
        """Wait until JACK knows the latest connections, and what was sent before has gone through them."""
        until_s = time.monotonic() + within_s
        first = self._try(lambda: self._client.last_frame_time)
        while first is not None and time.monotonic() < until_s:
            now = self._try(lambda: self._client.last_frame_time)
            if now is None or now - first >= PERIODS * self._client.blocksize:
                return
            time.sleep(LOOK_S)

    def _try(self, ask: Any) -> Any:
        """The answer; None where the ports or the server went away meanwhile."""
        if not self.alive:
            return None
        try:
            return ask()
        except self._errors:
            return None

    def close(self) -> None:
        """Leave the server."""
        with contextlib.suppress(*self._errors), quiet_libraries():
            self._client.close()
        self.alive = False


class Wiring:
    """What our ports should be connected to. Pure: it is told what is there, and says what to connect.

    A connection that somebody makes is remembered; one that goes because its other end went is kept for when that
    comes back; one that somebody takes away is forgotten, once it is missing twice in a row: JACK takes those of a
    client that was killed away before its port.
    """

    def __init__(self) -> None:
        self.wanted: set[tuple[str, str]] = set()
        self._seen: set[tuple[str, str]] = set()
        self._gone: set[tuple[str, str]] = set()

    def update(self, connected: dict[str, set[str]], inputs: set[str]) -> list[tuple[str, str]]:
        """connected: our port's short name -> destinations now; inputs: all destinations there are.

        Returns the (short name, destination) pairs that are to be connected (again).
        """
        now = {(port, destination) for port, there in connected.items() for destination in there}
        gone = {pair for pair in self._seen - now if pair[0] in connected and pair[1] in inputs}
        self.wanted -= gone & self._gone
        self.wanted |= now
        self._seen, self._gone = now | gone, gone
        missing = {pair for pair in self.wanted - now - gone if pair[0] in connected and pair[1] in inputs}
        return sorted(missing)

    def forget_seen(self) -> None:
        """Our ports are new (their process died): what is not connected now was not taken away by anybody."""
        self._seen, self._gone = set(), set()

    def destinations(self) -> set[str]:
        """Every destination that is wanted."""
        return {destination for _, destination in self.wanted}
