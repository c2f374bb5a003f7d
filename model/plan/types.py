"""The plan: what the music has promised to the picture. Frozen; standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from hitpoint.model.mood.types import Affect as Affect  # part of a plan, and so of this module
from hitpoint.model.mood.types import MoodPoint as MoodPoint
from hitpoint.model.music.meter import FOUR_FOUR
from hitpoint.model.music.score import TICKS_PER_BAR, TICKS_PER_BEAT, Note, TempoMap
from hitpoint.model.plan.tune.motif import Motif

PHRASE_BARS = 4
"""What is played in one breath: returns, fills and players are counted in phrases from a section's first bar."""

ACCENT_KINDS = ("crash", "chord", "swell", "stress")


@dataclass(frozen=True)
class Accent:
    """How a hit point is made heard.

    kind: "crash" (kick and crash with all who play), "chord" (low strings and piano, no drums), "swell" (a crescendo
    into a change of colour) or "stress" (a little louder than its neighbours). size: 0..2, 1 = in full.
    breath_ticks: before it nothing starts for so long.
    """

    kind: str
    size: float
    breath_ticks: int = 0


@dataclass(frozen=True)
class HitPoint:
    """A cut or visual beat that the plan promises to hit.

    time_s: the picture's own moment. kind: "cut", "fade" or "beat". saliency: 0..1. bar, tick: where the note falls.
    strength: notes of the largest simu-note asked there, 1 or more; None where C left it free.
    accent: how it is made heard; None where it is no more than a note in its place.
    """

    time_s: float
    kind: str
    saliency: float
    bar: int
    tick: int
    strength: int | None
    accent: Accent | None = None


@dataclass(frozen=True)
class Playing:
    """How a bar is played, once it is composed.

    humanise: how far it is played as people play, 0..1; 0: as it is written. swing: 0..1, 1: the later of two comes a
    third of a tick late. genre: whose players. bpm: the bar's tempo. learned: loudness within the bar as people have
    it, else as it was composed. is_last: the piece ends with this bar.
    """

    humanise: float
    swing: float
    genre: str
    bpm: float
    learned: bool = True
    is_last: bool = False


@dataclass(frozen=True)
class BarPlan:
    """What one bar must be, and what it is told to be: C loosens what binds, never what the network hears of the film.

    density: ticks with an onset, 1..16, that bind; None where C left it free. density_told: the density that the
    picture asks for, bound or not; None: the same as `density`. required: (tick, strength) pairs that bind, ticks
    rising. required_told: those that do not bind, to the same form. energy: 0..1, how loud on the whole. swell: energy
    at the bar's first tick and at its end, straight between them; beyond 0..1 where a wish asks for more than the
    scale holds; None: `energy` throughout. section: index into Plan.sections.
    instruments: who plays here, None = all of the plan's. closed: (tick, instrument) pairs on which none of its notes
    may start. entries: (tick, instrument) pairs that must sound. stops: ticks at which held notes end. scored: notes
    that stand in the plan already (fills, cymbals), louder or softer only by the performance. changes: ticks at which
    the harmony moves on. caps: (tick, most) pairs, the largest simu-note allowed there, and no crash. lead: how the
    bar prepares what follows ("" = not). dynamics: (level, accent) a tick, velocities that the performance adds;
    empty = by the energy alone. chords: symbols of both half bars ("Am7"). affect: what the picture feels like here.
    key: "A minor". Each of these three is None where nothing is known or asked. leader: who
    has the tune; line: the notes that it leans to. playing: how it is played; None: as it is written. spoken:
    the share of the bar, 0..1, in which somebody speaks. colours: (instrument, General MIDI program). ticks: sixteenths
    of the bar; what lies behind them is closed. fullness: how much larger chords are than its energy asks for, in the
    unit of that: what a wish for density adds.
    """

    index: int
    density: int | None
    required: tuple[tuple[int, int], ...] = ()
    energy: float = 0.5
    section: int = 0
    density_told: int | None = None
    required_told: tuple[tuple[int, int], ...] = ()
    swell: tuple[float, float] | None = None
    instruments: tuple[int, ...] | None = None
    closed: tuple[tuple[int, int], ...] = ()
    entries: tuple[tuple[int, int], ...] = ()
    stops: tuple[int, ...] = ()
    scored: tuple[Note, ...] = ()
    changes: tuple[int, ...] = ()
    caps: tuple[tuple[int, int], ...] = ()
    lead: str = ""
    dynamics: tuple[tuple[float, float], ...] = ()
    chords: tuple[str, str] | None = None
    affect: Affect | None = None
    key: str | None = None
    leader: int | None = None
    line: tuple[Note, ...] = ()
    playing: Playing | None = None
    spoken: float = 0.0
    colours: tuple[tuple[int, int], ...] = ()
    ticks: int = TICKS_PER_BAR
    fullness: float = 0.0

    def energy_at(self, tick: float) -> float:
        """Energy on `tick` (0..16, beyond it as at the end), for the loudness of what starts there."""
        if self.swell is None:
            return self.energy
        start, end = self.swell
        return start + (end - start) * min(1.0, tick / self.ticks)


@dataclass(frozen=True)
class Section:
    """Bars [first_bar, end_bar) that belong together; equal `label`s look alike and may share material.

    pull: how much gladder and livelier (valence, arousal) than its colours in the mean what stands out of its picture
    makes it. look: its eight figures (`hitpoint.model.mood.looks`), () where they are not known.
    """

    label: str
    first_bar: int
    end_bar: int
    pull: tuple[float, float] = (0.0, 0.0)
    look: tuple[float, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The contract between picture and music. The last bar ends exactly at `duration_s`.

    last_bar_ticks: those of the metre, or what is left where a tempo that must not bend does not fill whole bars
    (1..20).
    instruments: indices into INSTRUMENTS. control: C, 0..1. changes: sentences on what the planner had to bend (a
    density raised to hold its hits, a cut left out), for the report. ending: "chord" (held to
    the end), "fade", or "" where none was planned. harmony: how far the bars' chords hold: "leaned" (the composer
    leans to them, harmony_strength, 0..2, times as much as usual), "bound" (chord tones alone on the beats), or ""
    where none are planned. scene_bar: from this bar on somebody said live what the picture feels like; 0 = nowhere.
    """

    duration_s: float
    tempo_map: TempoMap
    bars: tuple[BarPlan, ...]
    hits: tuple[HitPoint, ...]
    sections: tuple[Section, ...]
    genre: str
    instruments: tuple[int, ...]
    control: float
    seed: int
    changes: tuple[str, ...] = field(default=())
    ending: str = ""
    last_bar_ticks: int = TICKS_PER_BAR
    harmony: str = ""
    harmony_strength: float = 1.0
    scene_bar: int = 0

    @property
    def end_tick(self) -> int:
        """The grid's ticks, 16 a bar, from the first bar line to the end."""
        return (len(self.bars) - 1) * TICKS_PER_BAR + self.last_bar_ticks

    @property
    def mean_bpm(self) -> float:
        """Quarter notes a minute over the whole piece."""
        return 60.0 * self.tempo_map.written_tick(0, self.end_tick) / TICKS_PER_BEAT / self.duration_s


class ChordAt(NamedTuple):
    """A chord of a progression that the user gave. bar: from 0. half: 0 or 1. symbol: such as "Am7"."""

    bar: int
    half: int
    symbol: str


@dataclass(frozen=True)
class Wishes:
    """What the user asks for; every default works untouched.

    genre: one of GENRES. instruments: indices into INSTRUMENTS. tempo_bpm: None = auto, else (lo, hi), equal for a
    fixed tempo. control: C, 0..1: the chance of a bar's density and of a visual beat to bind. cut_control: that of a
    cut or fade; None: all bind while C is .5 or more, below that 2 C of them. max_deviation: how far the tempo may
    bend within two bars and from the base tempo, as a share. energy: louder and busier, or softer and sparser, by a
    share of the scale, -0.5..0.5. density: added to each bar's density, -8..8. accents: how far hits stand
    out, 0..2; 0 leaves them as bare notes. hits: moments that the editor wants hit, seconds from the in point, and
    whether above all; unhits: cuts and beats of the picture that are not to be. mood: "auto" (the picture's), "off", or
    one of MOODS. mood_line: valence and tension as they were drawn, instead of the picture's. valence, arousal,
    tension: added to the mood's, -1..1. describe: the film in the user's words; genre "auto" and these words ask for a
    suggestion, which is to be followed before a plan is made. keep_sound: the film's
    own sound stays, and the music makes room for what is said in it; duck_db: how far it goes down there, 0 or less.
    key: "A minor"; None = auto. harmony: "auto" (chords are planned and leaned to), "bound" (and kept on the beats),
    "off", or a progression that is kept as it is. harmony_strength: 0..2. lead: who has the tune, None = auto.
    motif: the user's own. humanise: how far it is played as people play, 0..1; swing: 0..1. dynamics: loudness within a
    bar "learned" from people, or by "rule", as it was composed. colours: programs by "section", or "off". repitch:
    after composing, pitches are searched that are as tense as the picture asks. meter: one of METERS, or "auto".
    odd_bars: a bar may be shorter (or, in 3/4, longer) than the others, so that a cut falls on the next bar's first
    beat.
    """

    genre: str = "pop"
    instruments: tuple[int, ...] = (0, 1, 2, 3, 4)
    tempo_bpm: tuple[float, float] | None = None
    control: float = 0.7
    seed: int = 0
    max_deviation: float = 0.03
    energy: float = 0.0
    density: int = 0
    accents: float = 1.0
    cut_control: float | None = None
    hits: tuple[tuple[float, bool], ...] = ()
    unhits: tuple[float, ...] = ()
    mood: str = "auto"
    valence: float = 0.0
    arousal: float = 0.0
    tension: float = 0.0
    mood_line: tuple[MoodPoint, ...] = ()
    describe: str = ""
    keep_sound: bool = True
    duck_db: float = -9.0
    key: str | None = None
    harmony: str | tuple[ChordAt, ...] = "auto"
    harmony_strength: float = 1.0
    lead: str | None = None
    motif: Motif | None = None
    humanise: float = 1.0
    swing: float = 0.0
    dynamics: str = "learned"
    colours: str = "section"
    repitch: bool = False
    meter: str = FOUR_FOUR
    odd_bars: bool = False
