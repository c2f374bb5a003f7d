"""What is known of each bar of a library: key, pitch, rhythm, chords, feeling; from its notes alone.

A library is told by its content, so nothing is taken from file names or from what people say of a piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.data.build import PieceInfo, Shard
from hitpoint.model.data.labels import Scale, bars_of, bright_of, key_fits, pitch_classes
from hitpoint.model.data.windows import controls_of, piece_notes
from hitpoint.model.music.chords import CHORDS, label_chords
from hitpoint.model.music.tokens import Notes

KEY_BARS = 8
"""The key at a bar is that of so many bars, up to it or from it on."""
FIGURES = ("key_in", "key_out", "pitch", "chord_in", "chord_out", "density", "velocity", "valence")
STATES = len(CHORDS) + 1
"""No chord, then the chords in the order of their numbers."""


def figures_of(notes: Notes, bars: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The figures of a piece's bars (bars, 8), in the order of FIGURES, and the strength of each tick (bars, 16).

    key_in, key_out: 0..11 major, 12..23 minor, of the KEY_BARS bars from this one on and up to this one, -1 without
    pitches. pitch: mean MIDI pitch, NaN without. chord_in, chord_out: numbers of the first and last half bar's chords.
    density: ticks with an onset. velocity: mean, NaN where there is none or where it is the same throughout. valence:
    -1..1 over 4 bars (`data.labels.bright_of`).
    """
    held = bars_of(notes, bars)
    chords = np.array([0 if chord is None else chord.number for chord in label_chords(held)]).reshape(bars, 2)
    weights = pitch_classes(notes, bars)
    controls = controls_of(notes, bars)
    pitched = notes.where(notes.instrument > 0)
    counts = np.bincount(pitched.bar, minlength=bars)
    sums = np.bincount(pitched.bar, weights=pitched.pitch, minlength=bars)
    rows = np.full((bars, len(FIGURES)), np.nan, np.float32)
    rows[:, 0], rows[:, 1] = _keys(weights)
    rows[:, 2] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    rows[:, 3:5] = chords
    rows[:, 5] = controls.density
    if len(notes.velocity) and np.ptp(notes.velocity) > 0:
        heard = np.bincount(notes.bar, minlength=bars)
        loud = np.bincount(notes.bar, weights=notes.velocity, minlength=bars)
        rows[:, 6] = np.where(heard > 0, loud / np.maximum(heard, 1), np.nan)
    rows[:, 7] = np.nan_to_num(bright_of(chords.ravel(), weights))
    return rows, controls.required.astype(np.uint8)


def _keys(weights: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The key of the bars from each bar on and up to it. weights (bars, 12): sounding ticks of pitch classes."""
    bars = len(weights)
    summed = np.concatenate([np.zeros((1, 12)), weights.cumsum(axis=0)])
    at = np.arange(bars)
    spans = (
        summed[np.minimum(at + KEY_BARS, bars)] - summed[at],
        summed[at + 1] - summed[np.maximum(at + 1 - KEY_BARS, 0)],
    )
    return keys_of(spans[0]), keys_of(spans[1])


def keys_of(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """The key that fits pitch classes (n, 12) best: 0..11 major, 12..23 minor, -1 where there are none."""
    return np.where(weights.any(axis=1), key_fits(weights).reshape(-1, 24).argmax(axis=1), -1)


@dataclass(frozen=True)
class Library:
    """Every bar of every piece, pieces one after another.

    shard: notes and pieces. figures (B, 8), strength (B, 16): as `figures_of`. first (P + 1,): the row of each piece's
    first bar, then B. sha256: of the content. left_out: (file, reason) of what cannot be used.
    """

    shard: Shard
    figures: NDArray[np.float32]
    strength: NDArray[np.uint8]
    first: NDArray[np.int64]
    sha256: str
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def pieces(self) -> tuple[PieceInfo, ...]:
        """The pieces."""
        return self.shard.pieces

    def __len__(self) -> int:
        """Bars in all."""
        return len(self.figures)

    def column(self, name: str) -> NDArray[np.float32]:
        """One of FIGURES, (B,)."""
        return np.asarray(self.figures[:, FIGURES.index(name)])

    @cached_property
    def piece_of(self) -> NDArray[np.int64]:
        """The piece of each bar, (B,)."""
        return np.repeat(np.arange(len(self.pieces)), np.diff(self.first))

    @cached_property
    def tempo_bpm(self) -> NDArray[np.float64]:
        """Of each piece, (P,)."""
        return np.array([piece.tempo_bpm for piece in self.pieces])

    @cached_property
    def onsets(self) -> NDArray[np.bool_]:
        """Ticks with an onset, (B, 16)."""
        return np.asarray(self.strength > 0)

    @cached_property
    def valence(self) -> NDArray[np.float64]:
        """-1..1, (B,)."""
        return self.column("valence").astype(np.float64)

    @cached_property
    def arousal(self) -> NDArray[np.float64]:
        """-1..1, (B,): mean of the ranks, within the library, of density, tempo and velocity."""
        tempo = self.tempo_bpm[self.piece_of].astype(np.float32)
        ranks = np.stack(
            [Scale([each]).rank(each) for each in (self.column("density"), tempo, self.column("velocity"))]
        )
        known = ~np.isnan(ranks)
        return np.asarray(2.0 * np.nan_to_num(ranks).sum(axis=0) / known.sum(axis=0) - 1.0)

    def notes_of(self, piece: int) -> Notes:
        """The notes of piece number `piece`."""
        return piece_notes(self.shard, self.pieces[piece])
