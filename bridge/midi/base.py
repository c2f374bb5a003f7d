"""MIDI sinks: where the music goes, by one base and one registry.

Threads and processes: no state; `open_sink` is called in the clock process, which owns what it opens.

A new sink is one file with a subclass of Sink, and a line in SINKS; another package adds one by the entry point group
`hitpoint.sinks`. The setting `midi_port` chooses it: NAME, or NAME:ARGUMENT with what the sink makes of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import MissingError, UsageError
from hitpoint.model.registry import Registry

SYNTH, PORT = "synth", "virtual"


class Sink(ABC):
    """Where MIDI goes. name: what clients and the screen are told; api: the MIDI system's name, as in `midi_api`, or
    the sink's own where it is none of those."""

    name: str
    api: str

    @classmethod
    @abstractmethod
    def open(cls, config: Config, argument: str) -> Sink:
        """A sink that plays. argument: what stood behind the sink's name in `midi_port`, "" for nothing.

        Raises UsageError for an argument that it cannot use, MissingError where this machine lacks what it needs.
        """

    @abstractmethod
    def send(self, message: bytes) -> None:
        """Send one MIDI message now. Must not block, and must not raise."""

    def close(self) -> None:  # noqa: B027  (many have nothing to give back)
        """Give back what it holds."""


SINKS: Registry[Sink] = Registry(
    "MIDI sink",
    {
        PORT: "hitpoint.bridge.midi.ports:RtMidiSink",
        "none": "hitpoint.bridge.midi.ports:NullSink",
        "vkb": "hitpoint.bridge.midi.reaper_keyboard:VkbSink",
        SYNTH: "hitpoint.bridge.midi.synth:SynthSink",
    },
    "hitpoint.sinks",
)


def sink_asked_for(config: Config) -> str:
    """The sink that `midi_port` names; PORT where it is the name of a MIDI port."""
    name = config.midi_port.partition(":")[0]
    try:
        SINKS.check(name)
    except UsageError:
        return PORT
    return name


def open_sink(config: Config) -> Sink:
    """The sink of the configuration; the built-in synth where there is no MIDI system and `synth` is on.

    Raises UsageError where no port bears the name, MissingError where neither a MIDI system nor the synth is there.
    """
    name = sink_asked_for(config)
    argument = config.midi_port.partition(":")[2] if name != PORT else config.midi_port
    try:
        return SINKS.load(name).open(config, argument)
    except MissingError:
        if name != PORT or not config.synth:
            raise
        return SINKS.load(SYNTH).open(config, config.synth_file)
