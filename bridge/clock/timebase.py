"""Beats, seconds, frames and ticks. Pure; standard library only.

Threads and processes: immutable values, callable from any.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

from hitpoint.model.music.score import TICKS_PER_BAR, TICKS_PER_BEAT, TempoMap
from hitpoint.model.video.smpte import fields_of

MIDI_CLOCKS_PER_BEAT = 24
SIXTEENTHS_PER_BEAT = 4
MAX_SONG_POSITION = 2**14 - 1
"""The Song Position Pointer counts sixteenths in 14 bits: 1,024 bars of 4/4."""

MTC_RATES = {24.0: 0, 25.0: 1, 29.97: 2, 30.0: 3}
"""Frames a second that MIDI time code knows -> its two-bit code (29.97 is drop frame)."""


class Timeline:
    """A tempo map laid on the host's timeline, `origin_s` seconds from its zero, for `bars` bars up to `end_tick`.

    As TempoMap, but in the host's seconds and with the look-up tables kept: the clock process asks 100 times a bar.
    """

    def __init__(self, tempo_map: TempoMap, bars: int, origin_s: float = 0.0, end_tick: int | None = None) -> None:
        """end_tick: the grid's ticks to the end, where the last bar is not a whole one; None: all bars are whole."""
        self.bars, self.tempo_map = bars, tempo_map
        self._end_beat = (
            tempo_map.written_tick(0, bars * TICKS_PER_BAR if end_tick is None else end_tick) / TICKS_PER_BEAT
        )
        self.origin_s = origin_s
        self._points = tempo_map.points
        self._beats = [point.beat for point in tempo_map.points]
        self._times = [point.time_s for point in tempo_map.points]

    def time_at_beat(self, beat: float) -> float:
        """Host seconds at which `beat` (quarter notes from the first bar line) falls."""
        point = self._points[max(0, bisect_right(self._beats, beat) - 1)]
        return self.origin_s + point.time_s + (beat - point.beat) * 60.0 / point.bpm

    def beat_at_time(self, time_s: float) -> float:
        """The beat (quarter notes from the first bar line, negative before it) at the host's `time_s`."""
        own_s = time_s - self.origin_s
        point = self._points[max(0, bisect_right(self._times, own_s) - 1)]
        return point.beat + (own_s - point.time_s) * point.bpm / 60.0

    def bpm_at_time(self, time_s: float) -> float:
        """Quarter notes a minute at the host's `time_s`."""
        return self._points[max(0, bisect_right(self._times, time_s - self.origin_s) - 1)].bpm

    def time_at_tick(self, bar: int, tick: float = 0.0) -> float:
        """Host seconds at which `tick` of bar `bar` falls."""
        return self.time_at_beat(self.tempo_map.written_tick(bar, tick) / TICKS_PER_BEAT)

    def bar_at_time(self, time_s: float) -> int:
        """The bar that holds the host's `time_s`; negative before the first, `bars` or more after the end."""
        beat = self.beat_at_time(time_s)
        bar, _ = self.tempo_map.place_of(beat * TICKS_PER_BEAT)
        return max(self.bars, bar) if beat >= self._end_beat else min(self.bars - 1, bar)

    @property
    def end_s(self) -> float:
        """Host seconds of the end of the last bar."""
        return self.time_at_beat(self._end_beat)


@dataclass(frozen=True)
class Timecode:
    """Hours (0..23), minutes, seconds and frames, of `rate` (one of MTC_RATES)."""

    hours: int
    minutes: int
    seconds: int
    frames: int
    rate: float


def mtc_rate(fps: float) -> float:
    """The rate of MTC_RATES that comes nearest to `fps` frames a second (23.976 -> 24, 50 -> 25, 60 -> 30)."""
    while fps > 32:
        fps /= 2
    return min(MTC_RATES, key=lambda rate: abs(rate - fps))


def exact_rate(rate: float) -> Fraction:
    """A rate of MTC_RATES as real frames a second: 29.97 is 30000/1001."""
    return Fraction(30000, 1001) if rate == 29.97 else Fraction(round(rate))


def timecode(frame: int, rate: float) -> Timecode:
    """Frame number -> time code; 29.97 drops frames 0 and 1 of each minute but every tenth (SMPTE 12M)."""
    hours, minutes, seconds, frames = fields_of(max(0, frame), round(exact_rate(rate)), drop=rate == 29.97)
    return Timecode(hours % 24, minutes, seconds, frames, rate)
