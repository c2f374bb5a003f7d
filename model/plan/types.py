"""The plan: what the music has promised to the picture. Frozen; standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field

from hitpoint.model.music.score import Note, TempoMap

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
class BarPlan:
    """What one bar must be.

    density: ticks with an onset, 1..16, or None where C left it free. required: (tick, strength) pairs, ticks rising.
    energy: 0..1, how loud. section: index into Plan.sections. instruments: who plays here, None = all of the plan's.
    closed: (tick, instrument) pairs on which none of its notes may start. entries: (tick, instrument) pairs that must
    sound. stops: ticks at which held notes end. scored: notes that stand in the plan already (fills, cymbals), louder
    or softer only by the performance. changes: ticks at which the harmony moves on. caps: (tick, most) pairs, the
    largest simu-note allowed there. lead: how the bar prepares what follows ("" = not). dynamics: (gain, lift) a tick,
    by which the performance moves velocities; empty = by the energy alone.
    """

    index: int
    density: int | None
    required: tuple[tuple[int, int], ...] = ()
    energy: float = 0.5
    section: int = 0
    instruments: tuple[int, ...] | None = None
    closed: tuple[tuple[int, int], ...] = ()
    entries: tuple[tuple[int, int], ...] = ()
    stops: tuple[int, ...] = ()
    scored: tuple[Note, ...] = ()
    changes: tuple[int, ...] = ()
    caps: tuple[tuple[int, int], ...] = ()
    lead: str = ""
    dynamics: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Section:
    """Bars [first_bar, end_bar) that belong together; equal `label`s look alike and may share material."""

    label: str
    first_bar: int
    end_bar: int


@dataclass(frozen=True)
class Plan:
    """The contract between picture and music. The last bar line lies exactly at `duration_s`.

    instruments: indices into INSTRUMENTS. control: C, 0..1. changes: sentences on what the planner had to bend
    (a density raised to hold its hits, a tempo range left), for the report. ending: "chord" (held to the end), "fade",
    or "" where none was planned.
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


@dataclass(frozen=True)
class Wishes:
    """What the user asks for; every default works untouched.

    genre: one of GENRES. instruments: indices into INSTRUMENTS. tempo_bpm: None = auto, else (lo, hi), equal for a
    fixed tempo. control: C, 0..1. max_deviation: how far the tempo map may bend, as a share of the base tempo.
    energy: added to each bar's energy, -0.5..0.5. density: added to each bar's density, -8..8. accents: how far hits
    stand out, 0..2; 0 leaves them as bare notes.
    """

    genre: str = "pop"
    instruments: tuple[int, ...] = (0, 1, 2, 3, 4)
    tempo_bpm: tuple[float, float] | None = None
    control: float = 0.7
    seed: int = 0
    max_deviation: float = 0.05
    energy: float = 0.0
    density: int = 0
    accents: float = 1.0
