"""An incoming MIDI clock as the playhead: start, stop, continue and song position are obeyed, the tempo is followed.

Threads and processes: owned by the clock process; rtmidi calls from a thread of its own, which only notes what came
and when. Source: MIDI 1.0 Detailed Specification 4.2, "System Real Time Messages".
"""

from __future__ import annotations

from collections import deque
from typing import Any

from hitpoint.bridge.clock.clock import finest
from hitpoint.bridge.clock.timebase import MIDI_CLOCKS_PER_BEAT, SIXTEENTHS_PER_BEAT
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import UsageError
from hitpoint.bridge.hosts.base import Companion, Host
from hitpoint.bridge.hosts.beat_lead import BeatLead
from hitpoint.bridge.midi.ports import find_api, quiet_libraries
from hitpoint.bridge.play.player import Player

FOLLOW = "midi"
CLOCK, START, CONTINUE, STOP, SONG_POSITION = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2
TEMPO_CLOCKS = MIDI_CLOCKS_PER_BEAT
"""The tempo is that of the last so many clocks."""
SILENT_S = 2.0
UNREAD_KEPT = 4096


class MidiClock(Host):
    """Any program or machine that sends MIDI clock."""

    def wanted(self, config: Config) -> bool:
        """Where it is to lead."""
        return config.follow.partition(":")[0] == FOLLOW

    def in_clock(self, config: Config) -> Companion:
        """Its clock leads."""
        return MidiClockIn(ClockPort(config.follow.partition(":")[2], config))


class ClockPort:
    """name: (part of) the name of the port to listen to, "" for one of our own, called "clock in".

    Raises UsageError where no port bears the name, MissingError where there is no MIDI system.
    """

    def __init__(self, name: str, config: Config) -> None:
        import rtmidi

        api = find_api(config.midi_api)
        self.heard: deque[tuple[float, bytes]] = deque(maxlen=UNREAD_KEPT)
        with quiet_libraries():
            self._port: Any = rtmidi.MidiIn(rtapi=api, name=config.ports_name)
            self._port.ignore_types(sysex=True, timing=False, active_sense=True)
            self._port.set_callback(self._note)
            if not name:
                self._port.open_virtual_port("clock in")
                return
            names = self._port.get_ports()
            found = next((place for place, each in enumerate(names) if name.lower() in each.lower()), None)
            if found is None:
                self._port.delete()
                raise UsageError(f"no MIDI port is called {name!r}; there are: {', '.join(names) or 'none'}")
            self._port.open_port(found, "clock in")

    def _note(self, event: tuple[list[int], float], data: object = None, now: Any = finest()) -> None:  # noqa: B008
        self.heard.append((now(), bytes(event[0])))

    def close(self) -> None:
        """Close the port."""
        self._port.close_port()
        self._port.delete()


class MidiClockIn:
    """Leads a player by what a port heard: (moment, message) pairs."""

    every_s = 0.01

    def __init__(self, port: ClockPort) -> None:
        self._port = port
        self._lead = BeatLead()
        self._moments: deque[float] = deque(maxlen=TEMPO_CLOCKS + 1)
        self._place = 0
        """The number of the next clock, from the start of the song."""
        self._rolls = True
        """A clock that runs already when it is first heard leads from where it is."""

    def feed(self, player: Player, now_s: float) -> None:
        """Obey what came since the last call."""
        while self._port.heard:
            moment_s, message = self._port.heard.popleft()
            self._obey(player, moment_s, message)
        if self._moments and now_s - self._moments[-1] > SILENT_S:
            self._moments.clear()
            self._lead.lost(player)

    def _obey(self, player: Player, moment_s: float, message: bytes) -> None:
        kind = message[0]
        if kind == CLOCK:
            self._tick(player, moment_s)
        elif kind in (START, CONTINUE):
            self._place = 0 if kind == START else self._place
            self._rolls = True
        elif kind == STOP:
            self._rolls = False
            self._lead.stopped(player, moment_s)
        elif kind == SONG_POSITION and len(message) == 3:
            self._place = (message[1] | message[2] << 7) * MIDI_CLOCKS_PER_BEAT // SIXTEENTHS_PER_BEAT

    def _tick(self, player: Player, moment_s: float) -> None:
        if self._moments and moment_s - self._moments[-1] > SILENT_S:
            self._moments.clear()
        self._moments.append(moment_s)
        player.led_bpm = bpm = self._tempo()
        if self._rolls:
            self._lead.hear(player, moment_s, self._place / MIDI_CLOCKS_PER_BEAT, bpm)
            self._place += 1

    def _tempo(self) -> float | None:
        span_s = self._moments[-1] - self._moments[0]
        if len(self._moments) <= TEMPO_CLOCKS or span_s <= 0:
            return None
        return 60.0 * (len(self._moments) - 1) / MIDI_CLOCKS_PER_BEAT / span_s

    def close(self) -> None:
        """Close the port."""
        self._port.close()
