"""What the chord planner is told of each half bar: one table in training (from songs) and in planning (from a plan).

Class 0 means "unknown" in every column, so that a missing one is nothing special.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.mood.types import MOODS

AFFECT_CLASSES = 8
CHORD_GENRES = ("country", "dance", "electronic", "metal", "pop", "rock")
"""Genres that songs with chords were set in."""
QUALITIES_OF: dict[str, tuple[str, ...]] = {
    "exciting": ("maj", "sus4", "7"),
    "fearful": ("dim", "min7", "dim7", "hdim7"),
    "tense": ("dim", "sus4", "min7", "7"),
    "sad": ("min7", "min", "sus2"),
    "relaxing": ("maj", "maj6", "maj7"),
    "neutral": (),
}
"""Emotion -> the qualities that suit it (Kang, Poria & Herremans 2024); () = all."""
TEMPO_EDGES_BPM = (70, 85, 100, 115, 130, 150)
PHRASE_HALVES = 8
FAR_HALVES = 32
"""Distances to ends are told up to so many half bars."""

COLUMNS = (
    ("valence", AFFECT_CLASSES + 1),
    ("arousal", AFFECT_CLASSES + 1),
    ("tension", AFFECT_CLASSES + 1),
    ("emotion", len(MOODS) + 1),
    ("again", 3),
    ("to_section_end", FAR_HALVES + 2),
    ("to_end", FAR_HALVES + 2),
    ("in_phrase", PHRASE_HALVES + 1),
    ("mode", 3),
    ("tempo", len(TEMPO_EDGES_BPM) + 2),
    ("genre", len(CHORD_GENRES) + 1),
    ("half", 3),
)
NAMES = tuple(name for name, _ in COLUMNS)
SIZES = tuple(size for _, size in COLUMNS)
COLUMN = {name: index for index, name in enumerate(NAMES)}

Table = NDArray[np.int64]
"""(half bars, len(NAMES))."""


@dataclass(frozen=True)
class Span:
    """A section in half bars: [first, end), and whether one of its label was there before."""

    first: int
    end: int
    again: bool


def table(
    halves: int, spans: Sequence[Span], *, minor: bool | None, tempo_bpm: float | None = None, genre: str | None = None
) -> Table:
    """The columns that do not come from mood; every half bar lies in one span."""
    rows = np.zeros((halves, len(NAMES)), np.int64)
    place = np.arange(halves)
    rows[:, COLUMN["half"]] = 1 + place % 2
    rows[:, COLUMN["to_end"]] = 1 + np.minimum(halves - 1 - place, FAR_HALVES)
    rows[:, COLUMN["mode"]] = 0 if minor is None else 1 + minor
    rows[:, COLUMN["genre"]] = 0 if genre is None else 1 + CHORD_GENRES.index(genre)
    rows[:, COLUMN["tempo"]] = 0 if tempo_bpm is None else 1 + np.searchsorted(TEMPO_EDGES_BPM, tempo_bpm, "right")
    for span in spans:
        inside = np.arange(span.first, span.end)
        rows[inside, COLUMN["again"]] = 1 + span.again
        rows[inside, COLUMN["to_section_end"]] = 1 + np.minimum(span.end - 1 - inside, FAR_HALVES)
        rows[inside, COLUMN["in_phrase"]] = 1 + (inside - span.first) % PHRASE_HALVES
    return rows


def affect_class(share: NDArray[np.float64]) -> NDArray[np.int64]:
    """Shares 0..1 of a scale -> 1..8; NaN -> 0, unknown."""
    known = ~np.isnan(share)
    classes = np.clip((np.nan_to_num(share) * AFFECT_CLASSES).astype(np.int64) + 1, 1, AFFECT_CLASSES)
    return np.where(known, classes, 0)
