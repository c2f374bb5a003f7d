"""How busy and how thick a guess is: onsets shifted so that as many ticks are expected as are asked, in fewer notes.

Pixels are drawn one by one, each by its own chance. Pitches that exclude each other (a tune's next note is one of
three) are then now and then drawn together, and now and then none of them is: chords come out thicker than in songs,
and bars emptier. So all pitches of a tick but its likeliest cost a little more, and a bar's onsets are shifted by one
number of nats so that the expected number of ticks with an onset, the sum over ticks of 1 - prod(1 - p), is what the
plan asks. The guess keeps saying which ticks and which pitches; ticks on which much of the window sounds gain a little,
so that the bars share a rhythm as in songs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.roll import PLAYERS, ROLL_BARS
from hitpoint.model.music.score import TICKS_PER_BAR

SECOND = (2.0, 1.0)
"""Nats that each pitch but a tick's likeliest costs, of the tune and of the accompaniment: with them a simu-note has as
many notes as in songs that nothing was learnt from."""
HABIT = 2.0
"""A tick on which every bar of the window has an onset is so many nats likelier than one where none has."""
MOST_SHIFT = 5.0
ROUNDS, CLOSE = 8, 0.05


class Busy(NamedTuple):
    """What is asked of a window's bars. least, most (8,): ticks with an onset. writing (2, 8): whose onsets count, in
    the order of PLAYERS; bars in which nobody writes are left alone."""

    least: NDArray[np.int64]
    most: NDArray[np.int64]
    writing: NDArray[np.bool_]

    @classmethod
    def anyhow(cls) -> Busy:
        """Nothing is asked."""
        nothing = np.zeros(ROLL_BARS, np.int64)
        return cls(nothing, nothing + TICKS_PER_BAR, np.zeros((len(PLAYERS), ROLL_BARS), bool))


def fitted(logits: NDArray[np.float32], asked: Busy) -> NDArray[np.float32]:
    """A guess (4, 128, 88) with its onsets thinned and shifted."""
    found: NDArray[np.float32] = logits.copy()
    onsets, habit = found[::2], habit_of(logits[::2])
    for player, nats in zip(onsets, SECOND, strict=True):
        best = player.argmax(axis=1)[:, None]
        kept = np.take_along_axis(player, best, axis=1)
        player -= np.float32(nats)
        np.put_along_axis(player, best, kept + habit[:, None], axis=1)
    for bar in np.flatnonzero(asked.writing.any(axis=0)):
        ticks = slice(bar * TICKS_PER_BAR, (bar + 1) * TICKS_PER_BAR)
        own = onsets[asked.writing[:, bar], ticks]
        shift = shift_of(np.concatenate(list(own), axis=1), int(asked.least[bar]), int(asked.most[bar]))
        onsets[asked.writing[:, bar], ticks] = own + np.float32(shift)
    return found


def habit_of(onsets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Nats by which each tick of a window (128,) is the likelier for what sounds on it in all bars. onsets (2, 128,
    88): log-odds."""
    silent = np.exp(-np.logaddexp(np.float32(0.0), onsets).sum(axis=(0, 2)))
    shares = (1.0 - silent).reshape(ROLL_BARS, TICKS_PER_BAR).mean(axis=0)
    return np.tile(HABIT * (shares - shares.mean()), ROLL_BARS).astype(np.float32)


def shift_of(onsets: NDArray[np.float32], least: int, most: int) -> float:
    """Nats, -MOST_SHIFT..MOST_SHIFT, that bring the expected number of ticks with an onset to least..most, by Newton's
    method. onsets (ticks, n): log-odds."""
    shift = 0.0
    for _ in range(ROUNDS):
        moved = onsets + np.float32(shift)
        silent = np.exp(-np.logaddexp(np.float32(0.0), moved).sum(axis=1))
        expected = float((1.0 - silent).sum())
        wrong = expected - min(max(expected, least), most)
        if abs(wrong) < CLOSE:
            break
        slope = float((silent * (0.5 + 0.5 * np.tanh(moved / 2)).sum(axis=1)).sum())
        shift = min(max(shift - min(max(wrong / max(slope, 0.01), -1.0), 1.0), -MOST_SHIFT), MOST_SHIFT)
    return shift
