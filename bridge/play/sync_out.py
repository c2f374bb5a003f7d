"""Sync for those who follow the bridge: MIDI clock with song position, and MIDI time code.

Threads and processes: one owner (the clock process). Pure: clock and sink are handed in.
Sources: MIDI 1.0 Detailed Specification 4.2, "System Common/Real Time Messages" and "MIDI Time Code".
"""

from __future__ import annotations

import math

from hitpoint.bridge.clock.clock import Clock
from hitpoint.bridge.clock.timebase import (
    MAX_SONG_POSITION,
    MIDI_CLOCKS_PER_BEAT,
    MTC_RATES,
    SIXTEENTHS_PER_BEAT,
    Timecode,
    Timeline,
    exact_rate,
    mtc_rate,
    timecode,
)
from hitpoint.bridge.clock.transport import Transport
from hitpoint.bridge.play.scheduler import EARLY_S, NOTHING_DUE_S, Sink

CLOCK, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"
SONG_POSITION, QUARTER_FRAME = 0xF2, 0xF1
QUARTER_FRAMES_PER_TIMECODE = 8
TIMECODE_RATES = (0.5, 2.0)
"""Quarter frames flow while the picture runs at a speed between these; beyond, only full frames at each jump."""
ROUNDING = 1e-6
MOVED_EVERY_S = 0.05
"""Jumps are told no more often than this, the last one always: followers cannot go 60 places a second, nor a cable
carry it."""


class SyncOut:
    """Sends clock and time code as the transport moves. midi_clock, mtc: what is switched on."""

    def __init__(self, clock: Clock, sink: Sink, midi_clock: bool, mtc: bool) -> None:
        self._clock, self._sink = clock, sink
        self._midi_clock, self._mtc = midi_clock, mtc
        self.timeline: Timeline | None = None
        self.fps = 24.0
        self._rolling = False
        self._next_clock = 0
        self._next_quarter = 0
        self._moved_s = float("-inf")
        self._held = False

    @property
    def on(self) -> bool:
        """Whether anything is sent at all."""
        return self._midi_clock or self._mtc

    def set_sink(self, sink: Sink) -> None:
        """Send to another sink from now on."""
        self._sink = sink

    def moved(self, transport: Transport, media_s: float) -> None:
        """The transport started, stopped or jumped; it is at `media_s` now."""
        now_s = self._clock.now()
        self._held = self.on and now_s - self._moved_s < MOVED_EVERY_S
        if self._midi_clock and self._rolling and not (self._held and transport.sounding):
            self._sink.send(STOP)
            self._rolling = False
        if self._held:
            return
        self._rolling, self._moved_s = False, now_s
        if self._midi_clock and self.timeline is not None:
            self._place_clock(transport, media_s)
        if self._mtc:
            self._sink.send(full_frame(self._code_at(media_s)))
            exact = float(exact_rate(mtc_rate(self.fps)))
            group = math.ceil(max(media_s, 0.0) * exact * 4 / QUARTER_FRAMES_PER_TIMECODE - ROUNDING)
            self._next_quarter = group * QUARTER_FRAMES_PER_TIMECODE

    def catch_up(self, transport: Transport, media_s: float) -> float:
        """Tell of a jump that came too soon after another one. Returns the moment at which that is due."""
        if not self._held:
            return NOTHING_DUE_S
        if self._clock.now() >= self._moved_s + MOVED_EVERY_S:
            self.moved(transport, media_s)
            return NOTHING_DUE_S
        return self._moved_s + MOVED_EVERY_S

    def _place_clock(self, transport: Transport, media_s: float) -> None:
        """Song position at the next sixteenth, then start or continue: the follower goes with the next clock."""
        assert self.timeline is not None
        beat = max(0.0, self.timeline.beat_at_time(media_s))
        sixteenth = min(math.ceil(beat * SIXTEENTHS_PER_BEAT - ROUNDING), MAX_SONG_POSITION)
        self._next_clock = sixteenth * (MIDI_CLOCKS_PER_BEAT // SIXTEENTHS_PER_BEAT)
        self._sink.send(bytes((SONG_POSITION, sixteenth & 0x7F, sixteenth >> 7)))
        if transport.sounding:
            self._sink.send(START if sixteenth == 0 else CONTINUE)
            self._rolling = True

    def run(self, transport: Transport, until_s: float | None = None) -> float:
        """Send what is due by now. Returns the moment at which to call again (NOTHING_DUE_S: when told)."""
        if not transport.sounding or not self.on or self._held:
            return NOTHING_DUE_S
        while True:
            media_s, message = self._next(transport)
            if until_s is not None and media_s >= until_s:
                return NOTHING_DUE_S
            due_s = transport.moment_of(media_s)
            if due_s is None or not message:
                return NOTHING_DUE_S
            if due_s > self._clock.now() + EARLY_S:
                return due_s
            self._sink.send(message)
            if message == CLOCK:
                self._next_clock += 1
            else:
                self._next_quarter += 1

    def _next(self, transport: Transport) -> tuple[float, bytes]:
        """(place, message) of the next thing to send; the message is empty where there is none."""
        media_s, message = NOTHING_DUE_S, b""
        if self._midi_clock and self._rolling and self.timeline is not None:
            media_s, message = self.timeline.time_at_beat(self._next_clock / MIDI_CLOCKS_PER_BEAT), CLOCK
        low, high = TIMECODE_RATES
        if self._mtc and low <= transport.rate <= high:
            rate = mtc_rate(self.fps)
            quarter_s = self._next_quarter / (4.0 * float(exact_rate(rate)))
            if quarter_s < media_s:
                piece = self._next_quarter % QUARTER_FRAMES_PER_TIMECODE
                frame = 2 * (self._next_quarter // QUARTER_FRAMES_PER_TIMECODE)
                media_s, message = quarter_s, quarter_frame(timecode(frame, rate), piece)
        return media_s, message

    def _code_at(self, media_s: float) -> Timecode:
        rate = mtc_rate(self.fps)
        return timecode(math.floor(max(media_s, 0.0) * float(exact_rate(rate)) + ROUNDING), rate)


def quarter_frame(code: Timecode, piece: int) -> bytes:
    """One of the eight messages that carry a time code: piece 0 holds the low four bits of the frames."""
    hours = code.hours | MTC_RATES[code.rate] << 5
    nibbles = [value >> shift & 0x0F for value in (code.frames, code.seconds, code.minutes, hours) for shift in (0, 4)]
    return bytes((QUARTER_FRAME, piece << 4 | nibbles[piece]))


def full_frame(code: Timecode) -> bytes:
    """The whole time code in one system exclusive message, for jumps."""
    hours = code.hours | MTC_RATES[code.rate] << 5
    return bytes((0xF0, 0x7F, 0x7F, 0x01, 0x01, hours, code.minutes, code.seconds, code.frames, 0xF7))
