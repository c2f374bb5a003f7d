"""What a changed edit's score puts into the takes that a project has of the score before it.

Threads and processes: no state, callable from any.
Bars that both scores have alike, from the start on and up to the end, are left as the user has them, edits and all;
only what lies between is taken from the new score. Alike are bars of the same notes at the same sixteenths, which begin
as far from the start, or as far from the end.
Rows of such an answer, beside those of a score (`answers.py`): stay head old_tail new_tail, seconds from the start
between which the old takes, and the new ones, are written anew; and for each take in the order of the request, notes
buffer, whose ticks are those of new items.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hitpoint.bridge.hosts.reaper import notes as file_notes
from hitpoint.bridge.hosts.reaper.answers import MidiScore, Placing, TakeNotes
from hitpoint.bridge.hosts.reaper.notes import Message
from hitpoint.bridge.hosts.reaper.rows import Field

SIXTEENTHS = 4
"""To a quarter note. A note may be played a little off its sixteenth."""
SAME_S = 0.003
LATE = 0.02
"""Of a bar: notes that the user has put this little before a bar line belong to what follows."""


@dataclass(frozen=True)
class Stay:
    """Bars [0, head) of both scores are alike, and the last `tail` of both."""

    head: int
    tail: int


def stay(old: MidiScore, new: MidiScore) -> Stay:
    """The bars that are alike at both ends."""
    before, after = _bars(old), _bars(new)
    starts = [score.bar_lines() for score in (old, new)]
    most = min(len(before), len(after))
    head = tail = 0
    while head < most and before[head] == after[head] and _near(starts[0][head + 1], starts[1][head + 1]):
        head += 1
    while tail < most - head and before[-1 - tail] == after[-1 - tail]:
        if not _near(*(lines[-1] - lines[-2 - tail] for lines in starts)):
            break
        tail += 1
    return Stay(head, tail)


def _near(one_s: float, other_s: float) -> bool:
    return abs(one_s - other_s) <= SAME_S


def _bars(score: MidiScore) -> list[frozenset[tuple[str, int, int]]]:
    """The notes of each bar: instrument, sixteenth in the bar, pitch."""
    lines = [pulse * SIXTEENTHS // score.pulses_per_quarter for pulse in score.bar_pulses()]
    bars: list[set[tuple[str, int, int]]] = [set() for _ in lines[1:]]
    for track in score.tracks:
        for note in track.notes:
            sixteenth = round(note.start * SIXTEENTHS / score.pulses_per_quarter)
            bar = min(bisect_right(lines, sixteenth), len(bars)) - 1
            bars[bar].add((track.name, sixteenth - lines[bar], note.pitch))
    return [frozenset(bar) for bar in bars]


def again_rows(old: MidiScore, new: MidiScore, takes: Sequence[TakeNotes], place: Placing) -> list[tuple[Field, ...]]:
    """The rows for the takes that are there. place: where and how the new score is put; the takes keep their shift.

    Raises ValueError where a take is damaged.
    """
    kept = stay(old, new)
    lines = old.bar_lines(), new.bar_lines()
    tails = (each[len(each) - 1 - kept.tail] for each in lines)
    rows: list[tuple[Field, ...]] = [("stay", lines[1][kept.head], *tails)]
    for take in takes:
        left, fresh = _left(old, new, take, place, kept), _fresh(new, take.name, place, kept)
        end = place.tick(new, new.end)
        notes = _apart([*left.notes, *fresh.notes], end)
        messages = [*left.others, *fresh.others, *(each for note in notes for each in note)]
        messages = sorted(messages, key=lambda message: message.order)
        channel = next((message.data[0] & 0x0F for message in messages if message.note is not None), 0)
        last = Message(end, bytes((file_notes.CONTROL | channel, file_notes.ALL_NOTES_OFF, 0)))
        rows.append(("notes", file_notes.pack([*messages, last])))
    return rows


def missing(old: MidiScore, takes: Sequence[TakeNotes]) -> frozenset[str]:
    """Instruments of the old score of which the project has no take any more: the user wants none."""
    return frozenset(track.name for track in old.tracks) - {take.name for take in takes}


@dataclass(frozen=True)
class _Part:
    """Notes as (begin, end), and all other messages."""

    notes: list[tuple[Message, Message]]
    others: list[Message]


def _part(messages: Iterable[Message]) -> _Part:
    part, sounding = _Part([], []), dict[tuple[int, int], Message]()
    for message in messages:
        if message.note is None:
            part.others.append(message)
        elif message.begins:
            sounding[message.note] = message
        elif message.note in sounding:
            part.notes.append((sounding.pop(message.note), message))
    return part


def _apart(notes: Sequence[tuple[Message, Message]], end: int) -> list[tuple[Message, Message]]:
    """The same where no note goes on into the next of its pitch, nor beyond `end`."""
    limits: dict[tuple[int, int] | None, int] = {}
    found = []
    for begin, stop in sorted(notes, key=lambda note: note[0].tick, reverse=True):
        last = min(stop.tick, limits.get(begin.note, end))
        if last > begin.tick:
            limits[begin.note] = begin.tick
            found.append((begin, replace(stop, tick=last)))
    return found


def _left(old: MidiScore, new: MidiScore, take: TakeNotes, place: Placing, kept: Stay) -> _Part:
    """What stays of the take, where the new score has it."""
    before = [take.place.tick(old, pulse) for pulse in old.bar_pulses()]
    after = [place.tick(new, pulse) for pulse in new.bar_pulses()]
    later = len(after) - len(before)

    def moved(tick: int) -> int | None:
        """Where a tick of the take is now; None where it is written anew."""
        bar = bisect_right(before, tick + LATE * (before[1] - before[0])) - 1
        bar = min(max(bar, 0), len(before) - 2)
        if kept.head <= bar < len(before) - 1 - kept.tail:
            return None
        now = bar if bar < kept.head else bar + later
        stretch = (after[now + 1] - after[now]) / (before[bar + 1] - before[bar])
        return after[now] + round((tick - before[bar]) * stretch)

    was, is_now = _part(file_notes.unpack(take.buffer)), _Part([], [])
    for begin, stop in was.notes:
        tick = moved(begin.tick)
        if tick is not None:
            is_now.notes.append((replace(begin, tick=tick), replace(stop, tick=tick + stop.tick - begin.tick)))
    for message in was.others:
        is_setting = message.controller is None and message.tick <= before[0]  # its program
        tick = after[0] if is_setting else moved(message.tick)
        if tick is not None and message.order[1] == 1:
            is_now.others.append(replace(message, tick=tick))
    return is_now


def _fresh(new: MidiScore, name: str, place: Placing, kept: Stay) -> _Part:
    """The new score's notes and controllers in the bars that have changed."""
    pulses = new.bar_pulses()
    early = new.pulses_per_quarter // SIXTEENTHS // 2
    first = pulses[kept.head] - early if kept.head else 0
    last = pulses[len(pulses) - 1 - kept.tail] - early if kept.tail else new.end + 1
    tracks = [track for track in new.tracks if track.name == name]
    return _part(message for track in tracks for message in place.messages(new, track, first, last))
