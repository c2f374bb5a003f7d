"""The piano roll: onsets, what is held after them, notes from before the window, pitches from outside of it."""

from __future__ import annotations

import numpy as np

from hitpoint.model.music.roll import LOWEST, PITCHES, pitch_row, roll_of
from hitpoint.model.music.score import Bar, Note
from hitpoint.model.music.tokens import notes_of


def test_onsets_and_what_is_held_lie_apart() -> None:
    bars = [Bar(0, (Note(2, 1, 60, 3, 80), Note(5, 1, 60, 1, 80), Note(0, 4, 72, 20, 80))), Bar(1)]
    roll = roll_of(notes_of(bars), 0, 2)
    assert np.flatnonzero(roll[2, :, 60 - LOWEST]).tolist() == [2, 5]
    assert np.flatnonzero(roll[3, :, 60 - LOWEST]).tolist() == [3, 4]
    assert roll[0].sum() == 1 and np.flatnonzero(roll[1, :, 72 - LOWEST]).tolist() == list(range(1, 20))


def test_a_note_from_before_is_held_into_the_window() -> None:
    bars = [Bar(0, (Note(12, 1, 60, 10, 80), Note(3, 2, 50, 4, 80))), Bar(1), Bar(2)]
    roll = roll_of(notes_of(bars), 1, 1)
    assert not roll[2].any() and np.flatnonzero(roll[3, :, 60 - LOWEST]).tolist() == list(range(6))
    assert roll.sum() == 6, "who is not in the roll leaves nothing in it"


def test_pitches_outside_come_in_by_octaves() -> None:
    rows = pitch_row(np.array([9, 20, 21, 108, 109, 127]))
    assert rows.min() >= 0 and rows.max() < PITCHES
    assert ((rows + LOWEST) % 12).tolist() == [9, 8, 9, 0, 1, 7]
