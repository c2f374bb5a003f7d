"""What the film changes: twelve traits of a piece, and the share of their variance that film and genre explain."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.chords import label_chords
from hitpoint.model.music.harmony import key_fit, key_of
from hitpoint.model.music.score import INSTRUMENTS, Score
from hitpoint.model.training.heard.arrangement import one_chord
from hitpoint.model.training.heard.grid import DRUMS, STRINGS, playing, table_of

TRAITS = (
    "minor", "chord_rate", "onsets", "notes", "velocity", "voices", "lead_notes", "one_chord", "length", "instruments",
    "key_clarity", "offbeats",
)  # fmt: skip


def traits(score: Score) -> dict[str, float]:
    """minor: 1 or 0. chord_rate: changes a bar. onsets, notes, lead_notes (strings): a bar. velocity: mean. voices:
    notes of a simu-note. one_chord: as in `arrangement`. length: mean ticks a note. instruments: playing, a bar.
    key_clarity: correlation with the best key. offbeats: share of onsets off the beats.
    """
    table, bars = table_of(score), max(1, len(score.bars))
    pitched = table.where(table.instrument != DRUMS)
    labels = label_chords(score.bars)
    changes = sum(one != other for one, other in pairwise(labels))
    key = key_of(score.bars)
    ticks = np.unique(table.tick)
    together = len(np.unique(table.tick * len(INSTRUMENTS) + table.instrument))
    return {
        "minor": float(key is not None and key.minor),
        "chord_rate": changes / bars,
        "onsets": len(ticks) / bars,
        "notes": len(table.tick) / bars,
        "velocity": _mean(table.velocity),
        "voices": len(table.tick) / max(1, together),
        "lead_notes": float((table.instrument == STRINGS).sum()) / bars,
        "one_chord": one_chord(labels) or 0.0,
        "length": _mean(pitched.duration),
        "instruments": float(playing(score).sum(axis=1).mean()) if score.bars else 0.0,
        "key_clarity": key_fit(score.bars),
        "offbeats": _mean(ticks % 4 != 0),
    }


def _mean(values: NDArray[np.int64] | NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def omega_squared(values: Sequence[float], films: Sequence[str], genres: Sequence[str]) -> tuple[float, float]:
    """The share of the variance that the film explains at a fixed genre, and the genre's share of all variance.

    One value a piece. Two-way analysis of variance without interaction (its error holds seeds and interaction, for a
    balanced layout): omega^2 = (SS - df MS_error) / (SS_total + MS_error), Hays 1963; for the film, the genre's part is
    taken out of the total. Below 0 is chance. (nan, nan) where nothing varies or no error is left to compare with.
    """
    data = np.asarray(values, float)
    total = float(((data - data.mean()) ** 2).sum())
    sums, freedoms = [], []
    for names in (films, genres):
        groups = [data[[name == each for name in names]] for each in sorted(set(names))]
        sums.append(float(sum(len(group) * (group.mean() - data.mean()) ** 2 for group in groups)))
        freedoms.append(len(groups) - 1)
    left = len(data) - 1 - sum(freedoms)
    if left < 1 or total <= 1e-12:
        return float("nan"), float("nan")
    error = max(0.0, total - sum(sums)) / left
    film = (sums[0] - freedoms[0] * error) / (total - sums[1] + error) if total - sums[1] > 1e-12 else float("nan")
    return film, (sums[1] - freedoms[1] * error) / (total + error)
