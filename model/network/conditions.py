"""What the network is told about each bar: one table in training (from the music) and in composing (a plan).

Each bar has one row of small integers, one column for each name below; class 0 means "unknown" or "free" everywhere, so
that a missing control is nothing special. Columns about coming bars let the music prepare for them (the idea of a
boundary offset, as in EMSYNC, learnt from the music itself).

New columns are appended, and new classes of a column too: a checkpoint names the columns that it was trained with, and
what it lacks is filled up with zeros, which changes nothing in what it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.chords import QUALITIES, Chord
from hitpoint.model.music.score import GENRES, INSTRUMENTS, TICKS_PER_BAR
from hitpoint.model.music.symbols import parse_key, parse_symbol
from hitpoint.model.music.tokens import MAX_SIMU_NOTE
from hitpoint.model.plan.types import Affect, Plan

ENERGY_CLASSES = 8
AFFECT_CLASSES = 8
MAX_BARS = 32
MAX_HIT_DISTANCE = 8
NO_CHORD = 1
FIRST_ROOT = FIRST_QUALITY = 2
MAJOR, MINOR = 1, 2
TEMPO_EDGES_BPM = (60, 70, 80, 90, 100, 110, 120, 130, 140, 160, 180)

_DENSITY = TICKS_PER_BAR + 2
_CHORD = (("root", FIRST_ROOT + 12), ("quality", FIRST_QUALITY + len(QUALITIES)))
_COLUMNS = (
    ("genre", len(GENRES) + 1),
    *((f"has_{name}", 3) for name in INSTRUMENTS),
    ("tempo", len(TEMPO_EDGES_BPM) + 2),
    ("energy", ENERGY_CLASSES + 1),
    ("energy_next", ENERGY_CLASSES + 1),
    ("density_next", _DENSITY),
    ("density_next2", _DENSITY),
    ("bars_from_start", MAX_BARS + 2),
    ("bars_left", MAX_BARS + 2),
    ("bars_to_hit", MAX_HIT_DISTANCE + 2),
    *((f"required_{tick}", MAX_SIMU_NOTE + 1) for tick in range(TICKS_PER_BAR)),
    *((f"{part}_{half}", classes) for half in ("0", "1", "next") for part, classes in _CHORD),
    ("mode", 3),
    *((name, AFFECT_CLASSES + 1) for name in ("valence", "arousal", "tension")),
    ("bars_to_change", MAX_HIT_DISTANCE + 2),
)
NAMES = tuple(name for name, _ in _COLUMNS)
SIZES = tuple(size for _, size in _COLUMNS)
COLUMN = {name: index for index, name in enumerate(NAMES)}
REQUIRED = slice(COLUMN["required_0"], COLUMN["required_0"] + TICKS_PER_BAR)
HAS = slice(COLUMN["has_drums"], COLUMN["has_drums"] + len(INSTRUMENTS))
CHORDS = slice(COLUMN["root_0"], COLUMN["quality_1"] + 1)
NEXT_CHORD = slice(COLUMN["root_next"], COLUMN["quality_next"] + 1)
AFFECT = slice(COLUMN["valence"], COLUMN["tension"] + 1)

Table = NDArray[np.int16]
"""(bars + 1, len(NAMES)): row 0 stands before the first bar and knows only what is coming; row b + 1 is bar b."""


@dataclass(frozen=True)
class Controls:
    """Per bar what may be asked of it, from bar 0 of the piece. -1 (or 0 in `required`) where nothing is asked.

    density (n,): 0..16. energy (n,): 0..1, NaN unknown. required (n, 16): strength at the tick, 0 free.
    """

    density: NDArray[np.int16]
    energy: NDArray[np.float32]
    required: NDArray[np.int16]


@dataclass(frozen=True)
class Labels:
    """What is known of harmony, mood and form, as classes; 0 where nothing is.

    chords (n, 4): root and quality of the first half bar, then of the second. mode (n,): MAJOR or MINOR. affect (n, 3):
    valence, arousal, tension, 1..8. starts (n,): whether a section starts there; None where the form is not known.
    players (n, 5): who plays in the bar's phrase; None where it is said of the whole piece alone.
    """

    chords: NDArray[np.int16]
    mode: NDArray[np.int16]
    affect: NDArray[np.int16]
    starts: NDArray[np.bool_] | None = None
    players: NDArray[np.bool_] | None = None

    @staticmethod
    def unknown(bars: int) -> Labels:
        """Nothing is known of so many bars."""
        return Labels(np.zeros((bars, 4), np.int16), np.zeros(bars, np.int16), np.zeros((bars, 3), np.int16))


def chord_classes(chord: Chord | None) -> tuple[int, int]:
    """Classes of root and quality; None stands for no chord."""
    if chord is None:
        return NO_CHORD, NO_CHORD
    return FIRST_ROOT + chord.root, FIRST_QUALITY + list(QUALITIES).index(chord.quality)


def affect_classes(affect: Affect) -> tuple[int, int, int]:
    """Classes 1..8 of valence, arousal and tension: eight equal steps of each one's range."""
    shares = ((affect.valence + 1.0) / 2.0, (affect.arousal + 1.0) / 2.0, affect.tension)
    valence, arousal, tension = (1 + min(AFFECT_CLASSES - 1, max(0, int(AFFECT_CLASSES * each))) for each in shares)
    return valence, arousal, tension


def tempo_class(tempo_bpm: float) -> int:
    """1..12."""
    return 1 + int(np.searchsorted(TEMPO_EDGES_BPM, tempo_bpm, side="right"))


def energy_class(energy: NDArray[np.float32]) -> NDArray[np.int16]:
    """Energies 0..1 (n,) -> 1..8; NaN -> 0."""
    known = ~np.isnan(energy)
    classes = np.clip((np.nan_to_num(energy) * ENERGY_CLASSES).astype(np.int16) + 1, 1, ENERGY_CLASSES)
    return np.where(known, classes, 0).astype(np.int16)


def build_table(
    controls: Controls,
    *,
    genre: str | None,
    instruments: Sequence[int] | None,
    tempo_bpm: float | None,
    labels: Labels | None = None,
    first_bar: int = 0,
    end_bar: int | None = None,
) -> Table:
    """The table for bars first_bar..end_bar-1 of a piece of len(controls.density) bars; None means unknown."""
    bars = len(controls.density)
    end_bar = bars if end_bar is None else end_bar
    table = np.zeros((bars + 1, len(NAMES)), np.int16)
    table[:, COLUMN["genre"]] = 0 if genre is None else 1 + GENRES.index(genre)
    if instruments is not None:
        table[:, HAS] = 1
        table[:, [HAS.start + k for k in instruments]] = 2
    table[:, COLUMN["tempo"]] = 0 if tempo_bpm is None else tempo_class(tempo_bpm)
    energy = energy_class(controls.energy)
    density = (controls.density + 1).astype(np.int16)
    table[1:, COLUMN["energy"]] = energy
    table[:-1, COLUMN["energy_next"]] = energy
    table[:-1, COLUMN["density_next"]] = density
    table[:-2, COLUMN["density_next2"]] = density[1:]
    number = np.arange(-1, bars)
    table[:, COLUMN["bars_from_start"]] = 1 + np.clip(number + 1, 0, MAX_BARS)
    table[:, COLUMN["bars_left"]] = 1 + np.clip(bars - 1 - number, 0, MAX_BARS)
    table[:, COLUMN["bars_to_hit"]] = _bars_to_hit(controls.required)
    table[1:, REQUIRED] = np.minimum(controls.required, MAX_SIMU_NOTE)
    if labels is not None:
        _write_labels(table, labels)
    return table[first_bar : end_bar + 1]


def _write_labels(table: Table, labels: Labels) -> None:
    table[1:, CHORDS] = labels.chords
    table[:-1, NEXT_CHORD] = labels.chords[:, :2]
    table[1:, COLUMN["mode"]] = labels.mode
    table[:1, COLUMN["mode"]] = labels.mode[:1]
    table[1:, AFFECT] = labels.affect
    if labels.players is not None:
        table[1:, HAS] = 1 + labels.players
    if labels.starts is not None and labels.starts.any():
        table[:, COLUMN["bars_to_change"]] = _bars_to(np.flatnonzero(labels.starts), len(labels.mode))


def _bars_to_hit(required: NDArray[np.int16]) -> NDArray[np.int16]:
    """Bars from each table row to the next bar that holds a hit, 1..8, 9 for farther; 0 when none is asked at all."""
    has_hit = required.any(axis=1)
    if not has_hit.any():
        return np.zeros(len(required) + 1, np.int16)
    return _bars_to(np.flatnonzero(has_hit), len(required))


def _bars_to(marked: NDArray[np.int64], bars: int) -> NDArray[np.int16]:
    """From the row before the first bar and from each bar (bars + 1,) to the next marked bar after it, 1..8, 9 farther.

    marked: bars, rising, at least one.
    """
    number = np.arange(-1, bars)
    following = np.searchsorted(marked, number, side="right")
    distance = np.where(following < len(marked), marked[np.minimum(following, len(marked) - 1)] - number, MAX_BARS)
    return np.clip(distance, 1, MAX_HIT_DISTANCE + 1).astype(np.int16)


def controls_of_plan(plan: Plan) -> Controls:
    """What the network is told of a plan: all that the picture asks for, whether it binds or not."""
    required = np.zeros((len(plan.bars), TICKS_PER_BAR), np.int16)
    for bar in plan.bars:
        for tick, strength in (*bar.required_told, *bar.required):
            required[bar.index, tick] = strength
    told = [bar.density if bar.density_told is None else bar.density_told for bar in plan.bars]
    density = np.array([-1 if each is None else each for each in told], np.int16)
    return Controls(density, np.array([bar.energy for bar in plan.bars], np.float32), required)


def labels_of_plan(plan: Plan) -> Labels:
    """What the plan says of harmony, mood and form."""
    labels = Labels.unknown(len(plan.bars))
    for bar in plan.bars:
        if bar.chords is not None:
            labels.chords[bar.index] = [each for text in bar.chords for each in chord_classes(parse_symbol(text))]
        if bar.key is not None:
            labels.mode[bar.index] = MINOR if parse_key(bar.key).minor else MAJOR
        if bar.affect is not None:
            labels.affect[bar.index] = affect_classes(bar.affect)
    starts = np.zeros(len(plan.bars), bool)
    starts[[section.first_bar for section in plan.sections if section.first_bar < len(starts)]] = True
    return replace(labels, starts=starts)


def table_of_plan(plan: Plan) -> Table:
    """The condition table of a whole plan: each bar's row names those who play in it.

    Raises ValueError where a bar names a chord or a key that there is none of.
    """
    tempo_bpm = plan.mean_bpm
    table = build_table(
        controls_of_plan(plan), genre=plan.genre, instruments=plan.instruments, tempo_bpm=tempo_bpm,
        labels=labels_of_plan(plan),
    )  # fmt: skip
    for bar in plan.bars:
        if bar.instruments is not None:
            table[bar.index + 1, HAS] = 1
            table[bar.index + 1, [HAS.start + k for k in bar.instruments]] = 2
    return table
