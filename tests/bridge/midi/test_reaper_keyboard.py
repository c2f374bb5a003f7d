"""Notes to REAPER's virtual MIDI keyboard, as REAPER hears them on its OSC port."""

import socket

import pytest

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import UsageError
from hitpoint.bridge.midi.base import open_sink, sink_asked_for
from hitpoint.bridge.midi.ports import silence
from hitpoint.bridge.midi.reaper_keyboard import VkbSink
from hitpoint.bridge.osc import codec


@pytest.fixture
def reaper():
    """REAPER's local listen port."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(2.0)
    yield made
    made.close()


def heard(reaper: socket.socket, count: int) -> list[tuple[str, tuple[object, ...]]]:
    messages = [message for _ in range(count) for message in codec.decode(reaper.recv(2000))]
    return [(message.address, message.arguments) for message in messages]


def test_notes_controllers_programs_and_silence(reaper):
    sink = open_sink(Config(midi_port=f"vkb:127.0.0.1:{reaper.getsockname()[1]}"))
    assert isinstance(sink, VkbSink) and sink.api == "vkb"
    sink.send(bytes((0x99, 36, 100)))
    sink.send(bytes((0x90, 60, 80)))
    sink.send(bytes((0x80, 60, 0)))
    sink.send(bytes((0xB0, 7, 90)))
    sink.send(bytes((0xC0, 5)))
    assert heard(reaper, 5) == [
        ("/vkb_midi/9/note/36", (100,)),
        ("/vkb_midi/0/note/60", (80,)),
        ("/vkb_midi/0/note/60", (0,)),
        ("/vkb_midi/0/cc/7", (90,)),
        ("/vkb_midi/0/program", (5,)),
    ]
    silence(sink)
    found = heard(reaper, 17)  # the pedal of 16 channels, and the one note that still sounds
    assert ("/vkb_midi/9/note/36", (0,)) in found and len([a for a, _ in found if "/note/" in a]) == 1
    sink.close()


def test_ports_that_are_none():
    asked = {port: sink_asked_for(Config(midi_port=port)) for port in ("vkb", "vkb:host:1", "vkbd", "FLUID:0", "none")}
    assert asked == {"vkb": "vkb", "vkb:host:1": "vkb", "vkbd": "virtual", "FLUID:0": "virtual", "none": "none"}
    for port in ("vkb:", "vkb:8000", "vkb:host:", "vkb:host:0", "vkb:host:70000", "vkb::1"):
        with pytest.raises(UsageError, match="vkb:HOST:PORT"):
            VkbSink(port)
