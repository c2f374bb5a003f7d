"""Which plan was a piece made from? Found by what a plan asks and what is measured on the notes.

Both are a vector: densities, hits and the chroma of the chords, bar by bar, each part less its mean, of length 1. The
plan's cosine with the piece is ranked among those of other plans, as Diff-BGM ranks chunks of video (Li et al. 2024):
P@K is the share of pieces whose own plan is among the first K of AMONG, K / AMONG by chance. The others are made of the
bars of all plans that were composed for, drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.chords import HALF_BAR_TICKS
from hitpoint.model.music.roll import LOWEST, roll_of
from hitpoint.model.music.score import TICKS_PER_BAR, Bar
from hitpoint.model.music.symbols import parse_symbol
from hitpoint.model.music.tokens import notes_of
from hitpoint.model.plan.types import BarPlan, Plan

AMONG = 60
KS = (1, 5, 20)

Vector = NDArray[np.float64]


def asked_vector(bars: Sequence[BarPlan]) -> Vector:
    """What a plan asks of its bars."""
    density = np.array([bar.density or bar.density_told or 0 for bar in bars], float)
    hits = np.zeros((len(bars), TICKS_PER_BAR))
    chroma = np.zeros((len(bars), 2, 12))
    for index, bar in enumerate(bars):
        for tick, strength in (*bar.required_told, *bar.required):
            hits[index, tick] = strength
        for half, symbol in enumerate(bar.chords or ()):
            chord = parse_symbol(symbol)
            if chord is not None:
                chroma[index, half, list(chord.tones)] = 1.0
    return _joined(density, hits, chroma)


def heard_vector(bars: Sequence[Bar]) -> Vector:
    """The same, measured on the notes."""
    density = np.array([bar.density for bar in bars], float)
    hits = np.zeros((len(bars), TICKS_PER_BAR))
    for index, bar in enumerate(bars):
        for tick, strength in bar.strengths().items():
            hits[index, tick] = strength
    moved = [replace(bar, index=index) for index, bar in enumerate(bars)]
    sounds = roll_of(notes_of(moved), 0, len(bars)).any(axis=0).reshape(len(bars), 2, HALF_BAR_TICKS, -1).sum(axis=2)
    chroma = np.zeros((len(bars), 2, 12))
    for row in range(sounds.shape[2]):
        chroma[..., (LOWEST + row) % 12] += sounds[..., row]
    return _joined(density, hits, chroma)


def rank_of(bars: Sequence[Bar], plan: Plan, pool: Sequence[BarPlan], seed: int = 0) -> int:
    """How many of AMONG - 1 others are nearer to the piece than its plan. pool: bars of which the others are made."""
    rng, heard = np.random.default_rng([seed, len(pool)]), heard_vector(bars)
    own = float(asked_vector(plan.bars[: len(bars)]) @ heard)
    others = (
        asked_vector([pool[number] for number in rng.integers(len(pool), size=len(bars))]) for _ in range(AMONG - 1)
    )
    return sum(float(other @ heard) >= own for other in others)


def _joined(*parts: Vector) -> Vector:
    flat = [part.ravel() - part.mean() for part in parts]
    return np.concatenate([part / max(1e-9, float(np.linalg.norm(part))) for part in flat])
