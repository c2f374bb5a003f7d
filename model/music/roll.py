"""The piano roll of a tune and its accompaniment: what diffusion works on, from notes and back to them.

Four channels, (4, ticks, 88): onsets of the melody, what is held of it after its onsets, and the same of the
accompaniment. The melody is the strings, the accompaniment the piano, as in the music that the network learnt from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR
from hitpoint.model.music.tokens import Notes

ROLL_BARS = 8
"""Bars that the network sees at once."""
ROLL_TICKS = ROLL_BARS * TICKS_PER_BAR
LOWEST, PITCHES = 21, 88
CHANNELS = 4
PLAYERS = (INSTRUMENTS.index("strings"), INSTRUMENTS.index("piano"))
"""Who plays the melody (channels 0 and 1) and the accompaniment (2 and 3)."""

Roll = NDArray[np.bool_]


def pitch_row(pitch: NDArray[np.int64]) -> NDArray[np.int64]:
    """MIDI pitches -> rows 0..87 of the roll; what lies outside comes in by octaves."""
    row = np.asarray(pitch, np.int64) - LOWEST
    row = np.where(row < 0, row % 12, row)
    return np.asarray(np.where(row >= PITCHES, (row - PITCHES) % 12 + PITCHES - 12, row))


def roll_of(notes: Notes, first_bar: int, bars: int = ROLL_BARS) -> Roll:
    """Bars first_bar..first_bar+bars-1 of PLAYERS' notes, (4, bars * 16, 88); notes held into them are there too."""
    ticks = bars * TICKS_PER_BAR
    start = (notes.bar.astype(np.int64) - first_bar) * TICKS_PER_BAR + notes.tick
    end = start + notes.duration
    roll = np.zeros((CHANNELS, ticks, PITCHES), bool)
    for stream, player in enumerate(PLAYERS):
        mine = (notes.instrument == player) & (end > 0) & (start < ticks)
        row = pitch_row(notes.pitch[mine].astype(np.int64))
        onset, last = start[mine], np.minimum(end[mine], ticks)
        changes = np.zeros((ticks + 1, PITCHES), np.int32)
        np.add.at(changes, (np.maximum(onset, 0), row), 1)
        np.add.at(changes, (last, row), -1)
        inside = onset >= 0
        roll[2 * stream, onset[inside], row[inside]] = True
        roll[2 * stream + 1] = (changes.cumsum(axis=0)[:-1] > 0) & ~roll[2 * stream]
    return roll
