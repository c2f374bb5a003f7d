"""The scheduler: bars in, MIDI events out, each at the moment its place on the timeline comes round.

Threads and processes: one owner (the clock process). Pure: the clock and the sink are handed in, so that a test can
assert the exact list of events. Every event carries the moment it was due; how late it really left is kept in
`lateness`, never hidden.

A bar is compiled when the playhead reaches it and stays as it is while it sounds: what is muted, regenerated or
replaced in the meantime is heard from the next bar on. The one exception is a stand-in, which gives way at once.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from hitpoint.bridge.clock.clock import Clock
from hitpoint.bridge.clock.timebase import Timeline
from hitpoint.bridge.clock.transport import Transport
from hitpoint.bridge.play.lookahead import BarChoice
from hitpoint.model.music.score import TICKS_PER_BAR, TICKS_PER_BEAT, Note

EARLY_S = 0.00002
"""An event this close is sent now rather than waited for."""
ENTER_S = 0.02
"""A bar is compiled this long before it begins, so that its first note leaves on time."""
ON_START_S = 0.002
"""Notes this little before the place where playing begins still sound: rounding must not cost the downbeat."""
LATENESS_KEPT = 1000
NOTHING_DUE_S = float("inf")


class Sink(Protocol):
    """Where MIDI goes. `channel` 0..15; the sink knows which port a channel lives on."""

    def send(self, message: bytes) -> None:
        """Send one MIDI message now; never blocks."""


@dataclass(frozen=True)
class Voice:
    """How one instrument leaves: its channel (0..15), whether it is heard, and whether its sound is the user's own."""

    channel: int
    muted: bool = False
    own_sound: bool = False


PROGRAM, CONTROL, NOTE, BEAT = range(4)
"""What an event is, in the order in which events of one moment are sent."""


@dataclass(order=True)
class _Event:
    """Something to send at `media_s` on the host's timeline. kind: PROGRAM, CONTROL, NOTE or BEAT.

    key, value: a program and 0, a controller's number and value, a note's pitch and velocity, or the numbers of bar and
    beat. off_s: where a note ends. channel: 0..15; a beat has none.
    """

    media_s: float
    kind: int
    off_s: float = field(compare=False)
    channel: int = field(compare=False)
    key: int = field(compare=False)
    value: int = field(compare=False)


class Scheduler:
    """Sends what is due.

    choose: bar index -> what to play there (asked once for each bar entered). on_beat: called with (bar, beat, media_s)
    as each beat comes. on_choice: told what was chosen for a bar, so that a stand-in can be reported.
    """

    def __init__(
        self,
        clock: Clock,
        sink: Sink,
        choose: Callable[[int], BarChoice],
        on_beat: Callable[[int, int, float], None] | None = None,
        on_choice: Callable[[int, BarChoice], None] | None = None,
    ) -> None:
        self._clock = clock
        self._sink = sink
        self._choose = choose
        self._on_beat = on_beat
        self._on_choice = on_choice
        self.voices: dict[int, Voice] = {}
        self.timeline: Timeline | None = None
        self.lateness: deque[float] = deque(maxlen=LATENESS_KEPT)
        self.sent = 0
        self._next_bar = 0
        self._stand_in: int | None = None
        self._events: list[_Event] = []
        self._cursor = 0
        self._offs: list[tuple[float, int, int]] = []
        self._sounding: dict[tuple[int, int], float] = {}
        self._programs: dict[int, int] = {}

    @property
    def current_bar(self) -> int:
        """The bar that was entered last; -1 before the first."""
        return self._next_bar - 1

    @property
    def sounding(self) -> int:
        """How many notes sound."""
        return len(self._sounding)

    def set_sink(self, sink: Sink) -> None:
        """Send to another sink from now on."""
        self._sink = sink
        self._programs.clear()

    def start(self, media_s: float) -> None:
        """Begin (again) at `media_s`: the first bar to enter is the one there, notes before it stay silent."""
        self.end_notes()
        self._programs.clear()
        self._events, self._cursor, self._stand_in = [], 0, None
        if self.timeline is None:
            return
        self._next_bar = max(0, self.timeline.bar_at_time(media_s + ON_START_S))
        self._enter(media_s, skip_before_s=media_s - ON_START_S)

    def refresh(self, media_s: float) -> None:
        """A bar came in: where a stand-in for it is sounding, the rest of the real one takes over."""
        if self._stand_in is None or self._stand_in != self.current_bar:
            return
        choice = self._choose(self._stand_in)
        assert self.timeline is not None
        if choice.kind != "known":
            return
        starts_s = self.timeline.time_at_tick(self._stand_in)
        kept = [event for event in self._events[self._cursor :] if event.media_s < starts_s]
        if media_s >= starts_s:
            self.end_notes()
        self._next_bar = self._stand_in
        self._enter(media_s, skip_before_s=media_s - ON_START_S, choice=choice)
        self._events = sorted(kept + self._events)

    def strike(self, notes: Iterable[Note], media_s: float, off_s: float) -> None:
        """Play `notes` at `media_s` besides what stands there, and end them by `off_s`: something happened."""
        for note in notes:
            voice = self.voices.get(note.instrument)
            if voice is not None and not voice.muted:
                event = _Event(media_s, NOTE, off_s, voice.channel, note.pitch, note.velocity)
                insort(self._events, event, lo=self._cursor)

    def run(self, transport: Transport, until_s: float | None = None) -> float:
        """Send everything due by now. Returns the moment at which to call again (NOTHING_DUE_S: when told).

        until_s: media time not to run past (the loop's end).
        """
        if not transport.sounding or self.timeline is None:
            return NOTHING_DUE_S
        while True:
            media_s = self._next_media_s(transport)
            if media_s is None or (until_s is not None and media_s >= until_s):
                return NOTHING_DUE_S
            due_s = transport.moment_of(media_s)
            assert due_s is not None
            if due_s > self._clock.now() + EARLY_S:
                return due_s
            self._fire(media_s, due_s)

    def end_notes(self) -> None:
        """Note off for every note that sounds."""
        for channel, pitch in self._sounding:
            self._sink.send(bytes((0x80 | channel, pitch, 0)))
        self._sounding.clear()
        self._offs.clear()

    def _next_media_s(self, transport: Transport) -> float | None:
        """The place of the next thing to do: a note's end, a note, a beat, or the entry into the next bar."""
        candidates = []
        if self._offs:
            candidates.append(self._offs[0][0])
        if self._cursor < len(self._events):
            candidates.append(self._events[self._cursor].media_s)
        assert self.timeline is not None
        if self._next_bar < self.timeline.bars:
            candidates.append(self.timeline.time_at_tick(self._next_bar) - ENTER_S * transport.rate)
        return min(candidates) if candidates else None

    def _fire(self, media_s: float, due_s: float) -> None:
        if self._offs and self._offs[0][0] <= media_s:
            self._note_off(due_s)
        elif self._cursor < len(self._events) and self._events[self._cursor].media_s <= media_s:
            event = self._events[self._cursor]
            self._cursor += 1
            self._play(event, due_s)
        else:
            self._enter(media_s)

    def _enter(self, media_s: float, skip_before_s: float | None = None, choice: BarChoice | None = None) -> None:
        """Compile the next bar behind what is left of the one before."""
        assert self.timeline is not None
        index = self._next_bar
        self._next_bar += 1
        if not 0 <= index < self.timeline.bars:
            return
        choice = choice or self._choose(index)
        self._stand_in = index if choice.kind in ("fallback", "none") else None
        if self._on_choice is not None:
            self._on_choice(index, choice)
        events = self._compile(index, choice)
        if skip_before_s is not None:
            events = events[bisect_left(events, skip_before_s, key=lambda event: event.media_s) :]
            self._events, self._cursor = [], 0
        self._events = sorted(self._events[self._cursor :] + events)
        self._cursor = 0

    def _compile(self, index: int, choice: BarChoice) -> list[_Event]:
        """The bar's beats, controllers and notes in time order, on the host's timeline."""
        assert self.timeline is not None
        at, tempo = self.timeline.time_at_tick, self.timeline.tempo_map
        end_s = self.timeline.end_s
        step, ticks = tempo.metre.beat_ticks, tempo.ticks_of(index)
        beats = enumerate(range(0, ticks, step))
        events = [_Event(at(index, tick), BEAT, 0.0, -1, index, beat) for beat, tick in beats]
        events = [event for event in events if event.media_s < end_s]
        heard = {instrument: voice.channel for instrument, voice in self.voices.items() if not voice.muted}
        for instrument, program in choice.bar.programs:
            if instrument in heard and not self.voices[instrument].own_sound:
                events.append(_Event(at(index), PROGRAM, 0.0, heard[instrument], program, 0))
        for each in choice.bar.controllers:
            if each.instrument in heard and not ticks <= each.tick < TICKS_PER_BAR:
                channel = heard[each.instrument]
                events.append(_Event(at(index, each.tick), CONTROL, 0.0, channel, each.number, each.value))
        for note in choice.bar.notes:
            if note.instrument in heard and note.tick < ticks:  # a bar that stands in for this one may be longer
                on_s, off_s = self._span_s(index, note)
                events.append(_Event(on_s, NOTE, min(off_s, end_s), heard[note.instrument], note.pitch, note.velocity))
        events.sort()
        return events

    def _span_s(self, bar: int, note: Note) -> tuple[float, float]:
        """When a note of a bar begins and ends, on the host's timeline."""
        assert self.timeline is not None
        written, at = self.timeline.tempo_map.written_tick, self.timeline.time_at_beat
        begin = written(bar, note.tick) + note.shift_ticks
        end = written(bar, note.tick + note.duration_ticks) + note.shift_ticks + note.release_ticks
        return at(begin / TICKS_PER_BEAT), at(end / TICKS_PER_BEAT)

    def _play(self, event: _Event, due_s: float) -> None:
        if event.kind == BEAT:
            if self._on_beat is not None:
                self._on_beat(event.key, event.value, event.media_s)
            return
        if event.kind == PROGRAM:
            if self._programs.get(event.channel) != event.key:
                self._programs[event.channel] = event.key
                self._sink.send(bytes((0xC0 | event.channel, event.key)))
            return
        if event.kind == CONTROL:
            self._sink.send(bytes((0xB0 | event.channel, event.key, event.value)))
            return
        key = (event.channel, event.key)
        if key in self._sounding:
            self._sink.send(bytes((0x80 | event.channel, event.key, 0)))
        self._sink.send(bytes((0x90 | event.channel, event.key, event.value)))
        self._sounding[key] = event.off_s
        heapq.heappush(self._offs, (event.off_s, event.channel, event.key))
        self._count(due_s)

    def _note_off(self, due_s: float) -> None:
        off_s, channel, pitch = heapq.heappop(self._offs)
        if self._sounding.get((channel, pitch)) == off_s:
            del self._sounding[channel, pitch]
            self._sink.send(bytes((0x80 | channel, pitch, 0)))
            self._count(due_s)

    def _count(self, due_s: float) -> None:
        self.sent += 1
        self.lateness.append(self._clock.now() - due_s)
