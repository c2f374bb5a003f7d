"""Notes to REAPER's virtual MIDI keyboard over OSC, for systems without virtual MIDI ports.

Threads and processes: one owner, the clock process; sending never blocks.
REAPER listens where its OSC surface says ("local listen port", 8000 by default) and must use a pattern file with the
VKB_MIDI lines, such as Hitpoint.ReaperOSC. Addresses: /vkb_midi/CHANNEL/note/PITCH velocity (0 ends the note),
/vkb_midi/CHANNEL/cc/CONTROLLER value and /vkb_midi/CHANNEL/program number; channels count from 0.
"""

from __future__ import annotations

import contextlib
import socket

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import UsageError
from hitpoint.bridge.midi.base import Sink
from hitpoint.bridge.midi.ports import ALL_NOTES_OFF, ALL_SOUND_OFF
from hitpoint.bridge.osc import codec

NAME = "vkb"
DEFAULT_ADDRESS = ("127.0.0.1", 8000)

_NOTE_OFF, _NOTE_ON, _CONTROL, _PROGRAM = 0x80, 0x90, 0xB0, 0xC0


class VkbSink(Sink):
    """A sink that speaks to REAPER. It remembers what sounds, because REAPER's keyboard knows no "all notes off"."""

    name = api = NAME

    @classmethod
    def open(cls, config: Config, argument: str) -> VkbSink:
        """argument: HOST:PORT, empty for REAPER's usual ones."""
        return cls(f"{NAME}:{argument}" if argument else NAME)

    def __init__(self, port: str = NAME) -> None:
        """Raises UsageError where `port` is not `vkb` or `vkb:HOST:PORT`."""
        self._address = _address(port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._sounding: set[tuple[int, int]] = set()

    def send(self, message: bytes) -> None:
        """One MIDI message: notes, controllers and programs; what ends all notes ends those that sound, one by one."""
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if kind in (_NOTE_ON, _NOTE_OFF):
            velocity = message[2] if kind == _NOTE_ON else 0
            self._note(channel, message[1], velocity)
        elif kind == _CONTROL and message[1] in (ALL_NOTES_OFF, ALL_SOUND_OFF):
            for held, pitch in sorted(self._sounding):
                if held == channel:
                    self._note(channel, pitch, 0)
        elif kind == _CONTROL:
            self._tell(f"/vkb_midi/{channel}/cc/{message[1]}", message[2])
        elif kind == _PROGRAM:
            self._tell(f"/vkb_midi/{channel}/program", message[1])

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def _note(self, channel: int, pitch: int, velocity: int) -> None:
        (self._sounding.add if velocity else self._sounding.discard)((channel, pitch))
        self._tell(f"/vkb_midi/{channel}/note/{pitch}", velocity)

    def _tell(self, address: str, value: int) -> None:
        with contextlib.suppress(OSError):  # REAPER is gone or its buffer full: the picture does not wait
            self._socket.sendto(codec.encode_typed(address, "i", (value,)), self._address)


def _address(port: str) -> tuple[str, int]:
    if port == NAME:
        return DEFAULT_ADDRESS
    host, _, number = port.removeprefix(NAME + ":").rpartition(":")
    if not host or not number.isdigit() or not 0 < int(number) < 65536:
        raise UsageError(f"the MIDI port {port!r} must be vkb or vkb:HOST:PORT, such as vkb:127.0.0.1:8000")
    return host, int(number)
