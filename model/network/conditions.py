"""What the network is told about each bar: one table in training (from the music) and in composing (a plan).

Each bar has one row of small integers, one column for each name below; class 0 means "unknown" or "free" everywhere, so
that a missing control is nothing special. Columns about coming bars let the music prepare for them (the idea of a
boundary offset, as in EMSYNC, learnt from the music itself).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import GENRES, INSTRUMENTS, TICKS_PER_BAR, TICKS_PER_BEAT
from hitpoint.model.music.tokens import MAX_SIMU_NOTE
from hitpoint.model.plan.types import Plan

ENERGY_CLASSES = 8
MAX_BARS = 32
MAX_HIT_DISTANCE = 8
TEMPO_EDGES_BPM = (60, 70, 80, 90, 100, 110, 120, 130, 140, 160, 180)

_DENSITY = TICKS_PER_BAR + 2
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
)
NAMES = tuple(name for name, _ in _COLUMNS)
SIZES = tuple(size for _, size in _COLUMNS)
COLUMN = {name: index for index, name in enumerate(NAMES)}
REQUIRED = slice(COLUMN["required_0"], COLUMN["required_0"] + TICKS_PER_BAR)
HAS = slice(COLUMN["has_drums"], COLUMN["has_drums"] + len(INSTRUMENTS))

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
    return table[first_bar : end_bar + 1]


def _bars_to_hit(required: NDArray[np.int16]) -> NDArray[np.int16]:
    """Bars from each table row to the next bar that holds a hit, 1..8, 9 for farther; 0 when none is asked at all."""
    has_hit = required.any(axis=1)
    if not has_hit.any():
        return np.zeros(len(required) + 1, np.int16)
    hits = np.flatnonzero(has_hit)
    number = np.arange(-1, len(required))
    following = np.searchsorted(hits, number, side="right")
    distance = np.where(following < len(hits), hits[np.minimum(following, len(hits) - 1)] - number, MAX_BARS)
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


def table_of_plan(plan: Plan) -> Table:
    """The condition table of a whole plan: each bar's row names those who play in it."""
    tempo_bpm = 60.0 * plan.end_tick / TICKS_PER_BEAT / plan.duration_s
    table = build_table(controls_of_plan(plan), genre=plan.genre, instruments=plan.instruments, tempo_bpm=tempo_bpm)
    for bar in plan.bars:
        if bar.instruments is not None:
            table[bar.index + 1, HAS] = 1
            table[bar.index + 1, [HAS.start + k for k in bar.instruments]] = 2
    return table
