"""What ears heard, in memory that two processes can share: MIDI with its frames, a channel of sound, periods lost."""

from __future__ import annotations

import array
import struct
from multiprocessing.sharedctypes import RawArray

RATE = 48_000
EVENT = struct.Struct("<qB23s")
"""Frame, length, message; a longer message is cut off."""
EVENTS = 1 << 17
XRUNS = 1 << 12
RECORDING, SOUND_FROM, FILLED, HEARD, TAKEN, LOST, PASSED = range(7)


class Heard:
    """One writes (`put`, `put_sound`, `put_xrun`), one reads (the rest); neither ever waits for the other."""

    def __init__(self, sound_s=0.0, memory=None):
        self.memory = memory or (
            RawArray("q", 7),
            RawArray("B", EVENT.size * EVENTS),
            RawArray("f", int(sound_s * RATE)),
            RawArray("q", XRUNS),
        )
        self._numbers, self._events, self._sound, self._xruns = self.memory
        self._samples = memoryview(self._sound).cast("B")

    @property
    def passed(self):
        """Frames that came here, lost periods left out."""
        return self._numbers[PASSED]

    def put_period(self, frames):
        self._numbers[PASSED] += frames

    def put(self, frame, message):
        EVENT.pack_into(self._events, EVENT.size * (self._numbers[HEARD] % EVENTS), frame, len(message), message)
        self._numbers[HEARD] += 1

    def put_sound(self, frame, samples):
        """By its frame: after a lost period there is a gap, not a shift."""
        if not self._numbers[FILLED]:
            self._numbers[SOUND_FROM] = frame
        first = 4 * (frame - self._numbers[SOUND_FROM])
        if first + len(samples) <= len(self._samples):
            self._samples[first : first + len(samples)] = samples
            self._numbers[FILLED] = first + len(samples)

    def put_xrun(self, frame):
        if self._numbers[LOST] < XRUNS:
            self._xruns[self._numbers[LOST]] = frame
        self._numbers[LOST] += 1

    @property
    def recording(self):
        return bool(self._numbers[RECORDING])

    @recording.setter
    def recording(self, on):
        self._numbers[RECORDING] = on

    @property
    def filled(self):
        """Bytes of sound recorded."""
        return self._numbers[FILLED]

    @property
    def sound_from(self):
        """The frame of the first sample."""
        return self._numbers[SOUND_FROM] if self.filled else None

    @property
    def sound(self):
        """A copy of the sound; silence where nothing is recorded yet."""
        return array.array("f", bytes(self._samples))

    @property
    def xruns(self):
        return self._numbers[LOST]

    @property
    def xrun_frames(self):
        """When JACK told of each; the first XRUNS."""
        return self._xruns[: self.xruns]

    @xruns.setter
    def xruns(self, count):
        self._numbers[LOST] = count

    def take(self):
        """Every (frame, message) heard since the last call."""
        until, first = self._numbers[HEARD], self._numbers[TAKEN]
        assert until - first <= EVENTS, "more was heard than there is room for: take it sooner"
        self._numbers[TAKEN] = until
        found = (EVENT.unpack_from(self._events, EVENT.size * (number % EVENTS)) for number in range(first, until))
        return [(frame, data[:length]) for frame, length, data in found]
