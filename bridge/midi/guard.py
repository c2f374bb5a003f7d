"""The guard: a second connection to where the MIDI goes, that silences it when the clock process cannot.

Threads and processes: one owner, the watchdog; never shares a port object with the clock. It also notices that a port
or a whole MIDI system goes away and comes back, and wires a clock that was started again to where its predecessor led.
Over JACK the connection is there only while there is something to silence: whoever takes part in JACK's periods makes
all others wait when it is killed or stopped, the clock with its last silence among them.
"""

from __future__ import annotations

import logging
import time

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import HitpointError
from hitpoint.bridge.ipc.supervision import PortOpened
from hitpoint.bridge.midi.base import PORT, Sink, sink_asked_for
from hitpoint.bridge.midi.jack_connections import JackPatchbay, Wiring
from hitpoint.bridge.midi.ports import (
    APIS,
    VIRTUAL,
    RtMidiSink,
    api_answers,
    find_api,
    list_ports,
    silence,
)

SILENCE_AGAIN_S = (0.01, 0.03, 0.08, 0.15)
"""JACK loses what is sent in the periods in which it still waits for a client that was killed: say it again then."""

SETTLE_S = 3.0
"""JACK lists a killed client's port for a while, beside or in place of its successor's: so long no missing connection
counts as taken away by somebody."""

log = logging.getLogger("hitpoint")


class Guard:
    """Silences what the clock's port leads to."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._asked_for = sink_asked_for(config)
        self._name = f"{config.ports_name} guard"
        self._sink: Sink | None = None
        self._opened: PortOpened | None = None
        self._patchbay: JackPatchbay | None = None
        self.wiring = Wiring()
        self._port_there = True
        self._told = False
        self._settled_s = 0.0
        self._sources: dict[str, str] = {}

    def lost(self) -> None:
        """The clock died: until its successor has a port, nothing that is missing was taken away by anybody."""
        self._settled_s = float("inf")

    def follow(self, opened: PortOpened) -> None:
        """The clock opened its port: end what its predecessor (or that of a former bridge) left sounding, and connect
        it to where that one led."""
        self._opened = opened
        if opened.api not in APIS:
            self._drop()
            return
        if opened.api == "jack" and self._patchbay is None:
            self._open_patchbay()
        if self._sink is None and self._patchbay is None:
            self._open_sink(opened.api)
        self.silence()
        self.rest()
        self._port_there = True
        self._settled_s = time.monotonic() + SETTLE_S
        self._wire()

    def silence(self) -> None:
        """End every note on every channel."""
        if self._patchbay is not None:
            self._reach()
        if self._sink is not None and (self._patchbay is None or self._patchbay.alive):
            silence(self._sink)

    def rest(self) -> None:
        """There is nothing to silence for now: JACK need not wait for this process."""
        if self._patchbay is not None and self._sink is not None:
            self._patchbay.wait_for_periods()
            self._sink.close()
            self._sink = None

    def look(self) -> str:
        """Look at the ports: why the clock should look for its port again, or an empty text."""
        if self._opened is None or self._asked_for != PORT:
            return ""
        if self._opened.api not in APIS:
            return self._look_for_system()
        if self._opened.api == "jack" and self._patchbay is not None:
            return self._look_at_jack()
        return self._look_at_named()

    def close(self) -> None:
        """Give the ports back."""
        self.rest()
        self._drop()

    def _look_for_system(self) -> str:
        """There was no MIDI: is there now? (With a named port: is it there now?)"""
        try:
            api = find_api(self._config.midi_api)
            if self._config.midi_port != VIRTUAL and not _is_there(self._config.midi_port, list_ports(api)):
                return ""
        except (HitpointError, OSError):
            return ""
        self._opened = None  # until the clock answers
        return "a MIDI system answers now"

    def _look_at_jack(self) -> str:
        assert self._patchbay is not None
        if not self._patchbay.alive:
            self._drop()
            self._opened = None
            return "JACK went away"
        self._wire()
        return ""

    def _look_at_named(self) -> str:
        """Systems whose ports are opened by name: reopen when the name comes back, tell when it goes."""
        assert self._opened is not None
        api = APIS[self._opened.api]
        if self._config.midi_port == VIRTUAL:
            if api_answers(api):
                return ""
            self._drop()
            return "the MIDI system went away"
        try:
            there = _is_there(self._config.midi_port, list_ports(api))
        except OSError:
            there = False
        if there == self._port_there:
            return ""
        self._port_there = there
        self._drop()
        return f"{self._config.midi_port} {'is back' if there else 'went away'}"

    def _open_patchbay(self) -> None:
        try:
            self._patchbay = JackPatchbay()
        except (ImportError, OSError) as error:
            if not self._told:
                log.warning("JACK's connections cannot be watched (%s): pip install JACK-Client", error)
            self._told = True

    def _open_sink(self, api: str) -> None:
        """Named ports directly; virtual ones (and JACK's) through a port of our own that `_reach` connects."""
        jack = self._patchbay is not None
        try:
            self._sink = RtMidiSink(VIRTUAL if jack else self._config.midi_port, APIS[api], self._name)
        except (HitpointError, OSError) as error:
            log.warning("the watchdog has no port of its own: %s", error)

    def _reach(self) -> None:
        """A port of our own in JACK, connected to whatever the clock's was or is connected to."""
        assert self._patchbay is not None
        wanted = self.wiring.destinations()
        for source in self._patchbay.sources(self._config.ports_name).values():
            wanted |= self._patchbay.destinations(source)
        if self._sink is not None or not wanted or not self._patchbay.alive:
            return
        self._open_sink("jack")
        for own in self._patchbay.sources(self._name).values():
            for destination in wanted:
                self._patchbay.connect(own, destination)
        self._patchbay.wait_for_periods()

    def _wire(self) -> None:
        """Keep our ports and the guard's connected as wanted."""
        if self._patchbay is None or not self._patchbay.alive:
            return
        sources, before = self._patchbay.sources(self._config.ports_name), self._sources
        self._sources = sources
        if time.monotonic() < self._settled_s or sources != before:
            self.wiring.forget_seen()
        connected = {short: self._patchbay.destinations(full) for short, full in sources.items()}
        for short, destination in self.wiring.update(connected, self._patchbay.inputs()):
            log.info("connecting %s to %s again", sources[short], destination)
            self._patchbay.connect(sources[short], destination)

    def _drop(self) -> None:
        if self._patchbay is not None:
            self._patchbay.close()
            self._patchbay = None
        if self._sink is not None:
            self._sink.close()
            self._sink = None


def _is_there(port: str, names: list[str]) -> bool:
    return any(port.lower() in name.lower() for name in names)
