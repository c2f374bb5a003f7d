"""Notes as REAPER's MIDI_SetAllEvts takes them, placed by the quarter notes of its project.

Threads and processes: no state, callable from any.
A buffer is a list of messages: ticks since the message before (int32), flags (1 selected, 2 muted), length (int32),
bytes; all little-endian. The last message is "all notes off" at the item's end. Ticks count from the item's first
quarter note.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

PPQ = 960
"""Ticks a quarter note for which the buffers of new items are made."""
NOTE_OFF, NOTE_ON, CONTROL = 0x80, 0x90, 0xB0
ALL_NOTES_OFF = 123
FIRST_MODE = 120
"""Controllers from here on are orders to the whole channel."""

_HEAD = struct.Struct("<iBi")
_NEAR_TICKS = 1


@dataclass(frozen=True)
class Message:
    """One MIDI message. tick: from the item's start; flags: REAPER's, 0 for none."""

    tick: int
    data: bytes
    flags: int = 0

    @property
    def note(self) -> tuple[int, int] | None:
        """(channel, pitch) of a note's begin or end."""
        return (self.data[0] & 0x0F, self.data[1]) if len(self.data) == 3 and self.data[0] >> 4 in (8, 9) else None

    @property
    def controller(self) -> int | None:
        """The number of a controller that is set here; "all notes off" and its like are none."""
        is_control = len(self.data) == 3 and self.data[0] & 0xF0 == CONTROL and self.data[1] < FIRST_MODE
        return self.data[1] if is_control else None

    @property
    def begins(self) -> bool:
        """Whether a note begins here."""
        return self.note is not None and self.data[0] & 0xF0 == NOTE_ON and self.data[2] > 0

    @property
    def order(self) -> tuple[int, int]:
        """Messages of one tick stand so: ends of notes, others, begins of notes, the end of all."""
        if self.note is not None:
            return (self.tick, 2 if self.begins else 0)
        last = self.data[:2] == bytes((CONTROL | self.data[0] & 0x0F, ALL_NOTES_OFF)) if self.data else False
        return (self.tick, 3 if last else 1)


def pack(messages: Sequence[Message]) -> bytes:
    """The buffer of these messages, which must be in order."""
    parts, before = [], 0
    for message in messages:
        parts.append(_HEAD.pack(message.tick - before, message.flags, len(message.data)) + message.data)
        before = message.tick
    return b"".join(parts)


def unpack(buffer: bytes) -> list[Message]:
    """The messages of a buffer. Raises ValueError where it is damaged."""
    messages, place, tick = [], 0, 0
    while place < len(buffer):
        try:
            offset, flags, length = _HEAD.unpack_from(buffer, place)
        except struct.error as error:
            raise ValueError("the notes are cut off") from error
        place += _HEAD.size
        if not 0 <= length <= len(buffer) - place:
            raise ValueError("the notes are cut off")
        tick += offset
        messages.append(Message(tick, buffer[place : place + length], flags))
        place += length
    return messages


def replaced(old: Sequence[Message], first: int, last: int, new: Sequence[Message]) -> list[Message]:
    """The old messages without the notes that begin in [first, last) ticks, and the new ones, in order.

    Controllers that are set again lose their old values there; all others stay.
    """
    anew = {message.controller for message in new} - {None}
    kept: list[Message] = []
    dropped: set[tuple[int, int] | None] = set()
    for message in old:
        if message.controller in anew and first <= message.tick < last:
            continue
        if message.begins:
            inside = first - _NEAR_TICKS <= message.tick < last - _NEAR_TICKS
            (dropped.add if inside else dropped.discard)(message.note)
        if message.note is None or message.note not in dropped:
            kept.append(message)
        elif not message.begins:
            dropped.discard(message.note)
    return sorted([*kept, *new], key=lambda message: message.order)


class QuarterNotes:
    """How a project's quarter notes run, from what its host says of each stretch between two tempo markers.

    knots: (second, quarter note) at the beginning, middle and end of each stretch, the end being the next one's
    beginning. A tempo that stands, or changes linearly, gives a parabola through the three.
    """

    def __init__(self, knots: Sequence[tuple[float, float]]) -> None:
        """Raises ValueError where they are not in order or not in threes."""
        times = [time_s for time_s, _ in knots]
        if len(knots) < 3 or len(knots) % 2 == 0 or any(b <= a for a, b in pairwise(times)):
            raise ValueError("the tempo map is damaged")
        self.knots = tuple(knots)
        self._starts = times[:-1:2]

    def at(self, time_s: float) -> float:
        """The quarter note at `time_s`; before the first and after the last knot, their stretches go on."""
        index = 2 * max(0, bisect_right(self._starts, time_s) - 1)
        (start_s, begin), (_, middle), (end_s, end) = self.knots[index : index + 3]
        x = (time_s - start_s) / (end_s - start_s)
        return begin + x * (4 * middle - 3 * begin - end) + x * x * 2 * (begin + end - 2 * middle)
