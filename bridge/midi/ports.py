"""MIDI ports: finding them, opening them, sending, and making sure that nothing hangs.

Threads and processes: each sink has one owner. The clock process owns the one that plays; the watchdog owns a second
connection (a Guard) that only silences.

Two traps of python-rtmidi: its errors are OSErrors of its own name, and over JACK a dead server makes `send_message`
spin forever once 16 KB are waiting, so that only another process can notice.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

import rtmidi

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import MissingError, UsageError
from hitpoint.bridge.midi.base import Sink
from hitpoint.model.music.score import INSTRUMENTS

CHANNELS = 16
APIS: dict[str, int] = {
    "alsa": rtmidi.API_LINUX_ALSA,
    "jack": rtmidi.API_UNIX_JACK,
    "coremidi": rtmidi.API_MACOSX_CORE,
    "winmm": rtmidi.API_WINDOWS_MM,
}
"""The MIDI systems by name, in the order in which they are tried."""

CLIENT_NAME = "Hitpoint"
VIRTUAL = "virtual"
NO_PORT = "none"

BANK_SELECT, VOLUME, SUSTAIN, ALL_SOUND_OFF, ALL_NOTES_OFF = 0, 7, 64, 120, 123


def silence_messages() -> list[bytes]:
    """What ends every note on every channel: sustain up first (held notes ignore CC123), then CC123 and CC120."""
    return [
        bytes((0xB0 | channel, controller, 0))
        for channel in range(CHANNELS)
        for controller in (SUSTAIN, ALL_NOTES_OFF, ALL_SOUND_OFF)
    ]


def silence(sink: Sink) -> None:
    """End every note on every channel of `sink`."""
    for message in silence_messages():
        sink.send(message)


class NullSink(Sink):
    """Where notes go when there is no MIDI at all."""

    name = api = NO_PORT

    @classmethod
    def open(cls, config: Config, argument: str) -> NullSink:
        """Nowhere."""
        return cls()

    def send(self, message: bytes) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class RtMidiSink(Sink):
    """One rtmidi port, or one for each instrument (then a channel's messages go to its instrument's port).

    port: VIRTUAL, or (part of) the name of an existing port. Raises MissingError where there is no MIDI system,
    UsageError where no port bears that name.
    """

    def __init__(
        self, port: str, api: int, client_name: str = CLIENT_NAME, channels: Sequence[int] | None = None
    ) -> None:
        self.api = api_name(api)
        self._ports: list[rtmidi.MidiOut] = []
        self._by_channel: dict[int, rtmidi.MidiOut] = {}
        names = ["out"] if channels is None else list(INSTRUMENTS)
        try:
            for index, name in enumerate(names):
                midi_out = open_port(port, api, client_name, name)
                self._ports.append(midi_out)
                if channels is not None:
                    self._by_channel[channels[index]] = midi_out
        except BaseException:
            self.close()
            raise
        self._first = self._ports[0]
        self.name = f"{client_name}:out" if port == VIRTUAL else port
        if port == VIRTUAL and channels is not None:
            self.name = f"{client_name}:" + ",".join(names)

    @classmethod
    def open(cls, config: Config, argument: str) -> RtMidiSink:
        """The port called `argument`, or one of our own."""
        channels = config.channel_numbers() if config.midi_ports == "five" else None
        return cls(argument or VIRTUAL, find_api(config.midi_api), config.ports_name, channels)

    def send(self, message: bytes) -> None:
        """Send one MIDI message now; a system message (clock, time code) goes to the first port."""
        if self._by_channel and message[0] < 0xF0:
            self._by_channel.get(message[0] & 0x0F, self._first).send_message(message)
        else:
            self._first.send_message(message)

    def close(self) -> None:
        """Close the ports."""
        for midi_out in self._ports:
            midi_out.close_port()
            midi_out.delete()
        self._ports.clear()


def open_port(port: str, api: int, client_name: str, port_name: str) -> rtmidi.MidiOut:
    """An open rtmidi output: a virtual one called `port_name`, or the existing one whose name holds `port`."""
    with quiet_libraries():
        midi_out = rtmidi.MidiOut(rtapi=api, name=client_name)
        try:
            if port == VIRTUAL:
                midi_out.open_virtual_port(port_name)
                return midi_out
            names = midi_out.get_ports()
            matches = [i for i, name in enumerate(names) if name == port] or [
                i for i, name in enumerate(names) if port.lower() in name.lower()
            ]
            if not matches:
                there = ", ".join(names) or "none"
                raise UsageError(f"no MIDI port is called {port!r}; there are: {there}")
            midi_out.open_port(matches[0], port_name)
            return midi_out
        except NotImplementedError:
            midi_out.delete()
            raise MissingError(
                "this system has no virtual MIDI ports: make one with loopMIDI (or Windows MIDI Services) and name it"
                " with --midi-port"
            ) from None
        except BaseException:
            midi_out.delete()
            raise


def find_api(wish: str = "auto") -> int:
    """The MIDI system to use: the one named, else the first that answers. Raises MissingError where none does."""
    compiled = rtmidi.get_compiled_api()
    if wish != "auto":
        if wish not in APIS or APIS[wish] not in compiled:
            raise UsageError(f"python-rtmidi has no {wish!r} here; choose from auto, {', '.join(api_names())}")
        if not api_answers(APIS[wish]):
            raise MissingError(f"the MIDI system {wish} does not answer; is it running?")
        return APIS[wish]
    for api in APIS.values():
        if api in compiled and api_answers(api):
            return api
    raise MissingError("no MIDI system answers: load the ALSA sequencer (modprobe snd-seq), or start JACK or PipeWire")


def api_names() -> list[str]:
    """The MIDI systems that this python-rtmidi was built for."""
    compiled = rtmidi.get_compiled_api()
    return [name for name, api in APIS.items() if api in compiled]


def api_name(api: int) -> str:
    """The name of an rtmidi API."""
    return next(name for name, known in APIS.items() if known == api)


def api_answers(api: int) -> bool:
    """Whether the MIDI system is there and running."""
    try:
        list_ports(api)
    except OSError:
        return False
    return True


def list_ports(api: int) -> list[str]:
    """The names of the ports that can be played to. Raises OSError where the system does not answer."""
    with quiet_libraries():
        midi_out = rtmidi.MidiOut(rtapi=api, name=f"{CLIENT_NAME} look")
        try:
            return list(midi_out.get_ports())
        finally:
            midi_out.delete()


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep what the C libraries of ALSA and JACK print on standard error from the user's terminal, if there is one."""
    try:
        kept = os.dup(2)
    except OSError:  # a program without a console (pythonw, a service)
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
