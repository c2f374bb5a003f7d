"""A guess gets as many ticks as are asked for, chords no thicker than it says, and a rhythm that its bars share."""

from __future__ import annotations

import numpy as np
import pytest

from hitpoint.model.compose.diffusion.busy import Busy, fitted, habit_of, shift_of
from hitpoint.model.music.roll import PITCHES, ROLL_BARS, ROLL_TICKS
from hitpoint.model.music.score import TICKS_PER_BAR


def guess(seed: int = 0) -> np.ndarray:
    """Some pitches of each tick possible, none certain."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-9.0, 1.0, (4, ROLL_TICKS, PITCHES)).astype(np.float32)
    for channel in (0, 2):
        for tick in range(ROLL_TICKS):
            logits[channel, tick, rng.integers(PITCHES, size=6)] = rng.normal(-2.0, 1.0, 6)
    return logits


def expected(logits: np.ndarray, players: list[int]) -> np.ndarray:
    """Ticks of each bar with an onset, in the mean."""
    silent = np.prod(1 - 1 / (1 + np.exp(-logits[::2][players])), axis=(0, 2))
    return (1 - silent).reshape(ROLL_BARS, TICKS_PER_BAR).sum(axis=1)


@pytest.mark.parametrize("players", [[0, 1], [0]])
def test_as_many_ticks_are_expected_as_are_asked(players: list[int]) -> None:
    asked = np.array([1, 3, 5, 7, 9, 11, 13, 2])
    writing = np.zeros((2, ROLL_BARS), bool)
    writing[players] = True
    busy = Busy(asked, asked, writing)
    np.testing.assert_allclose(expected(fitted(guess(), busy), players), asked, atol=0.15)


def test_what_lies_within_what_is_asked_is_left_alone() -> None:
    logits = guess()[0, :TICKS_PER_BAR]
    assert shift_of(logits, 1, TICKS_PER_BAR) == 0.0
    assert shift_of(logits, 0, 2) < 0 < shift_of(logits, 15, 16)
    anyhow = fitted(guess(), Busy.anyhow())
    assert np.array_equal(anyhow[1::2], guess()[1::2])


def test_only_the_likeliest_pitch_of_a_tick_costs_nothing() -> None:
    logits = np.full((4, ROLL_TICKS, PITCHES), -9.0, np.float32)
    logits[2, :, 40], logits[2, :, 44] = 3.0, 2.0
    found = fitted(logits, Busy.anyhow())
    assert (found[2, :, 40] == 3.0).all() and (found[2, :, 44] < 2.0).all()


def test_ticks_on_which_the_window_sounds_gain() -> None:
    onsets = np.full((2, ROLL_TICKS, PITCHES), -9.0, np.float32)
    onsets[1, ::8, 40] = 9.0
    habit = habit_of(onsets).reshape(ROLL_BARS, TICKS_PER_BAR)
    assert (habit == habit[0]).all() and set(np.flatnonzero(habit[0] > 0)) == {0, 8}
