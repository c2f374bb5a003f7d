"""How far a piece keeps the chords that it was asked for, measured from its notes alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hitpoint.model.music.chords import HALF_BAR_TICKS, Chord, label_chords
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BEAT, Bar
from hitpoint.model.music.symbols import parse_symbol

_DRUMS = INSTRUMENTS.index("drums")


def kept_chords(bars: Sequence[Bar], asked: Sequence[tuple[str, str] | None]) -> dict[str, float]:
    """root, mode: shares of the half bars whose label has the root asked for, and root and third; beats: share of the
    pitched notes that start on a beat and are tones of the chord asked for. asked: the symbols of each bar.

    Half bars without a sound or without a chord asked for do not count; a figure with nothing to measure is left out.
    """
    wanted = [None if pair is None else parse_symbol(symbol) for pair in asked for symbol in pair or ("N", "N")]
    labels = label_chords(bars)
    pairs = [(one, other) for one, other in zip(labels, wanted, strict=True) if one is not None and other is not None]
    inside = [
        note.pitch % 12 in chord.tones
        for bar in bars
        for note in bar.notes
        if note.instrument != _DRUMS and note.tick % TICKS_PER_BEAT == 0
        for chord in (wanted[2 * bar.index + note.tick // HALF_BAR_TICKS],)
        if chord is not None
    ]
    found = {}
    if pairs:
        found["root"] = float(np.mean([one.root == other.root for one, other in pairs]))
        found["mode"] = float(np.mean([alike(one, other) for one, other in pairs]))
    if inside:
        found["beats"] = float(np.mean(inside))
    return found


def alike(one: Chord, other: Chord) -> bool:
    """Whether two chords have one root, and no other third."""
    return one.root == other.root and (None in (one.minor, other.minor) or one.minor == other.minor)
