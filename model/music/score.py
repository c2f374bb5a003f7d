"""The words of the music: note, bar, tempo map, score. Frozen; standard library only."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from hitpoint.model.music.meter import FOUR_FOUR, METERS, Meter

TICKS_PER_BEAT = 4
BEATS_PER_BAR = 4
TICKS_PER_BAR = TICKS_PER_BEAT * BEATS_PER_BAR

INSTRUMENTS = ("drums", "piano", "guitar", "bass", "strings")
GENRES = ("country", "dance", "electronic", "metal", "pop", "rock", "orchestral")
KIT_GENRES = GENRES[:-1]
"""Those whose music has a drum kit in it."""
SHIPPED_GENRES = GENRES
"""Those that the weights in the package know, and so what is offered; the others need weights trained on them."""

DRUM_KINDS = {
    "kick": (35, 36), "snare": (37, 38, 39, 40), "closed hat": (42, 44), "open hat": (46,),
    "crash": (49, 52, 55, 57), "ride": (51, 53, 59), "tom": (41, 43, 45, 47, 48, 50),
}  # fmt: skip
"""General MIDI keys of the kit, by what an ear takes them for."""

MAX_STRENGTH = (4, 6, 6, 1, 4)
"""The most notes a planned accent may ask of one instrument at once, in the order of INSTRUMENTS."""


@dataclass(frozen=True, order=True)
class Note:
    """One note of one instrument.

    tick: onset within its bar, 0..15. instrument: index into INSTRUMENTS. pitch: MIDI, 0..127 (drums: General
    MIDI percussion keys). duration_ticks: 1 or more; may reach over the bar line. velocity: 1..127. shift_ticks: how
    far off its tick it is played, begin and end alike, -1/3..1/3; 0 = on the grid. release_ticks: how much later (or
    earlier, below 0) than that it ends.
    """

    tick: int
    instrument: int
    pitch: int
    duration_ticks: int
    velocity: int
    shift_ticks: float = 0.0
    release_ticks: float = 0.0

    @property
    def onset_ticks(self) -> float:
        """Where it begins to sound, in ticks from the bar line."""
        return self.tick + self.shift_ticks

    @property
    def end_ticks(self) -> float:
        """Where it ends, in ticks from the bar line."""
        return self.tick + self.duration_ticks + self.shift_ticks + self.release_ticks


@dataclass(frozen=True, order=True)
class Controller:
    """A MIDI controller of one instrument takes a value.

    tick: within its bar, 0..16 and between ticks. instrument: index into INSTRUMENTS. number, value: 0..127.
    """

    tick: float
    instrument: int
    number: int
    value: int


@dataclass(frozen=True)
class Bar:
    """A bar of 16 ticks; `notes` sorted by (tick, instrument, pitch), `controllers` by tick.

    A bar that uses a controller sets it at tick 0, so that playing may begin with any bar. programs: (instrument,
    General MIDI program) from its bar line on, for those whose sound is not the genre's throughout.
    """

    index: int
    notes: tuple[Note, ...] = ()
    controllers: tuple[Controller, ...] = ()
    programs: tuple[tuple[int, int], ...] = ()

    @property
    def density(self) -> int:
        """Ticks with at least one onset, over all instruments: 0..16 (Di et al. 2021, eq. 8)."""
        return len({note.tick for note in self.notes})

    def strengths(self) -> dict[int, int]:
        """Tick -> notes of the largest simu-note that starts there (eq. 9, taken over the instruments)."""
        strengths: dict[int, int] = {}
        for (tick, _), count in Counter((note.tick, note.instrument) for note in self.notes).items():
            strengths[tick] = max(strengths.get(tick, 0), count)
        return strengths


@dataclass(frozen=True)
class TempoPoint:
    """From `beat` on (at `time_s`) the tempo is `bpm` quarter notes a minute, until the next point."""

    time_s: float
    beat: float
    bpm: float


@dataclass(frozen=True)
class TempoMap:
    """Piecewise constant tempo, and how long the bars are. The first point is at beat 0, time 0; points rise in beat
    and time.

    meter: one of METERS, which most bars have. odd_bars: (bar, ticks) of those that are shorter or longer, up to 16
    ticks, rising. The last is among them only where it is longer than a bar of the metre.
    """

    points: tuple[TempoPoint, ...]
    meter: str = FOUR_FOUR
    odd_bars: tuple[tuple[int, int], ...] = ()

    def time_at_beat(self, beat: float) -> float:
        """Seconds from the start at which `beat` (quarter notes from the start, any real) falls."""
        index = max(0, bisect_right([point.beat for point in self.points], beat) - 1)
        point = self.points[index]
        return point.time_s + (beat - point.beat) * 60.0 / point.bpm

    def beat_at_time(self, time_s: float) -> float:
        """The inverse of `time_at_beat`."""
        index = max(0, bisect_right([point.time_s for point in self.points], time_s) - 1)
        point = self.points[index]
        return point.beat + (time_s - point.time_s) * point.bpm / 60.0

    def time_at_tick(self, bar: int, tick: float = 0.0) -> float:
        """Seconds at which `tick` (0..16) of bar `bar` falls."""
        return self.time_at_beat(self.written_tick(bar, tick) / TICKS_PER_BEAT)

    @property
    def metre(self) -> Meter:
        """What `meter` names."""
        return METERS[self.meter]

    @property
    def is_plain(self) -> bool:
        """Whether all bars have 16 ticks, so that the grid is what is written."""
        return self.meter == FOUR_FOUR and not self.odd_bars

    def ticks_of(self, bar: int) -> int:
        """Sixteenths of bar `bar`, which ends early where they are fewer than 16."""
        return self._odd.get(bar, self.metre.ticks)

    def written_tick(self, bar: int, tick: float = 0.0) -> float:
        """Sixteenths from the start of the piece to `tick` of bar `bar`.

        tick: of the grid, counted on over the bar line (16 = the next bar's first), so (0, bar * 16 + tick) is the same
        place; what lies behind a short bar's end falls on it. A little before a bar line (below 0) is as much there.
        """
        if self.is_plain:
            return bar * TICKS_PER_BAR + tick
        over, within = divmod(tick, TICKS_PER_BAR) if tick >= 0 else (0, tick)
        bar += int(over)
        return self.first_tick(bar) + min(within, self.ticks_of(bar))

    def first_tick(self, bar: int) -> int:
        """Sixteenths from the start of the piece to bar line `bar`."""
        more = bisect_right(self._odd_bars, bar - 1)
        return bar * self.metre.ticks + self._odd_more[more]

    def place_of(self, written: float) -> tuple[int, float]:
        """(bar, tick) of a place `written` sixteenths from the start; the inverse of `written_tick`. Before the start
        are bars below 0."""
        usual = self.metre.ticks
        bar = int(written // usual)
        if self.odd_bars and written >= 0:
            low, high = 0, int(written) + 1  # no bar is shorter than a tick
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if self.first_tick(middle) <= written else (low, middle)
            bar = low
        return bar, written - self.first_tick(bar)

    @cached_property
    def _odd(self) -> dict[int, int]:
        return dict(self.odd_bars)

    @cached_property
    def _odd_bars(self) -> list[int]:
        return [bar for bar, _ in self.odd_bars]

    @cached_property
    def _odd_more(self) -> list[int]:
        """Ticks that the first so many odd bars have more than usual ones."""
        more = [0]
        for _, ticks in self.odd_bars:
            more.append(more[-1] + ticks - self.metre.ticks)
        return more


MARKER_KINDS = ("section", "cut", "fade", "beat")
_SECTION, _HIT = "Section ", "Hit: "


@dataclass(frozen=True)
class Marker:
    """A named moment: a hit point or the start of a section. kind: one of MARKER_KINDS, or "" for somebody else's."""

    time_s: float
    text: str
    kind: str = ""

    @staticmethod
    def section(time_s: float, label: str) -> Marker:
        """The start of a section."""
        return Marker(time_s, f"{_SECTION}{label}", "section")

    @staticmethod
    def hit(time_s: float, kind: str) -> Marker:
        """A hit point. kind: "cut", "fade" or "beat"."""
        return Marker(time_s, f"{_HIT}{kind}", kind)


def section_label(text: str) -> str:
    """The label of a section's marker that a file keeps as text."""
    return text.removeprefix(_SECTION)


def marker_kind(text: str) -> str:
    """The kind of a marker of ours that a file keeps as text alone (MIDI does), "" where it is none of ours."""
    if text.startswith(_SECTION):
        return "section"
    kind = text.removeprefix(_HIT)
    return kind if text != kind and kind in MARKER_KINDS else ""


@dataclass(frozen=True)
class Score:
    """A finished take: `bars[i].index == i`; the piece ends `last_bar_ticks` after its last bar line.

    instruments: indices into INSTRUMENTS that may sound. about: free key -> value text that the MIDI file carries
    (seed, model hash, version), so that any score can be made again. chords: (tick from the start, symbol) where the
    planned harmony changes.
    """

    bars: tuple[Bar, ...]
    tempo_map: TempoMap
    genre: str
    instruments: tuple[int, ...]
    seed: int
    markers: tuple[Marker, ...] = ()
    about: dict[str, str] = field(default_factory=dict)
    last_bar_ticks: int = TICKS_PER_BAR
    chords: tuple[tuple[int, str], ...] = ()

    @property
    def end_tick(self) -> int:
        """The grid's ticks, 16 a bar, from the first bar line to the end."""
        return max(0, len(self.bars) - 1) * TICKS_PER_BAR + (self.last_bar_ticks if self.bars else 0)

    @property
    def written_ticks(self) -> int:
        """Sixteenths from the first bar line to the end."""
        return round(self.tempo_map.written_tick(0, self.end_tick))

    @property
    def duration_s(self) -> float:
        """Seconds from the first bar line to the end."""
        return self.tempo_map.time_at_tick(0, self.end_tick)


def beat_places(score: Score) -> list[int]:
    """Where on the grid, 16 ticks a bar, the piece's beats are; those of quarter notes in every metre but 6/8."""
    tempo = score.tempo_map
    return [bar.index * TICKS_PER_BAR + tick for bar in score.bars
            for tick in range(0, tempo.ticks_of(bar.index), tempo.metre.beat_ticks)]  # fmt: skip
