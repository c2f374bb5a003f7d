"""Windows of eight bars over a piece, four of them known: which pixels stand, and how long the notes last."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.diffusion.sampler import Logits
from hitpoint.model.music.roll import CHANNELS, LOWEST, PITCHES, PLAYERS, ROLL_BARS, ROLL_TICKS, Roll, roll_of
from hitpoint.model.music.score import TICKS_PER_BAR, Bar
from hitpoint.model.music.tokens import DURATIONS, notes_of

HOP_BARS = 4
LONGEST_TICKS = DURATIONS[-1]
ACCOMPANIMENT = PLAYERS[1]
SURE = 3.0
"""Log-odds of one tick count so much at most: one that is off in the midst of a long note does not end it."""
LEAN = 1.5
"""Added to them: pixels that are drawn one by one break notes off, which then were shorter than in songs."""
LEAST_ALIKE = 0.6
"""Share of the half bars that must have the same chord."""


@dataclass(frozen=True)
class Window:
    """Bars first_bar..first_bar+7 are looked at, `new` of them written."""

    first_bar: int
    new: range

    def ticks(self, bar: int) -> slice:
        """A bar's ticks in the roll."""
        return slice((bar - self.first_bar) * TICKS_PER_BAR, (bar - self.first_bar + 1) * TICKS_PER_BAR)


def windows(bars: int) -> Iterator[Window]:
    """Those of a whole piece: eight bars, then four after four known ones; the last is moved back to end with it."""
    yield Window(0, range(min(bars, ROLL_BARS)))
    for at in range(ROLL_BARS, bars, HOP_BARS):
        end = min(at + HOP_BARS, bars)
        yield Window(end - ROLL_BARS, range(at, end))


def passage_windows(passage: range, bars: int) -> Iterator[Window]:
    """Those of a passage in the midst of a piece, with what stands on either side in view."""
    for at in range(passage.start, passage.stop, HOP_BARS):
        end = min(at + HOP_BARS, passage.stop)
        first = at - (ROLL_BARS - (end - at)) // 2
        yield Window(max(0, min(first, bars - ROLL_BARS)), range(at, end))


def known_pixels(
    window: Window, standing: Mapping[int, Bar], players: Mapping[int, frozenset[int]]
) -> tuple[Roll, Roll]:
    """What stands already, and where something does, both (4, 128, 88).

    standing: bars by index; those of `new` hold what is not to be written. players: who of PLAYERS is to be written in
    each bar of `new`; of the others the bar is what stands. That the accompaniment is silent stands nowhere: in songs
    it hardly ever is (57 of 12,010 bars of POP909), and a network that is shown it ends the tune as well. One is drawn
    there that nobody plays.
    """
    near = range(window.first_bar, window.first_bar + ROLL_BARS)
    notes = notes_of([standing.get(index, Bar(index)) for index in range(max(0, near[0] - HOP_BARS), near.stop)])
    notes = notes._replace(bar=notes.bar + np.int32(max(0, near[0] - HOP_BARS)))
    fixed = np.zeros((CHANNELS, ROLL_TICKS, PITCHES), bool)
    for bar in near:
        for number, player in enumerate(PLAYERS):
            stands = bar in standing and (bar not in window.new or player not in players[bar])
            if player == ACCOMPANIMENT and stands:
                stands = any(note.instrument == player for note in standing[bar].notes)
            fixed[2 * number : 2 * number + 2, window.ticks(bar)] = stands
    return roll_of(notes, window.first_bar), fixed


def model_of(
    window: Window, semantic: NDArray[np.int64], standing: Mapping[int, Bar], players: Collection[int]
) -> int | None:
    """The first of the earlier bars that the new ones are a variation of: those with most of their chords, the latest
    of equals; None where no earlier bars have LEAST_ALIKE of them. semantic (half bars, 7): of the piece. players: who
    writes in the new bars; where one of them is silent there is nothing to vary."""
    count, best, found = len(window.new), LEAST_ALIKE, None
    wanted = semantic[2 * window.new.start : 2 * window.new.stop, :2]
    for first in range(window.new.start % HOP_BARS, window.new.start - count + 1, HOP_BARS):
        alike = float((semantic[2 * first : 2 * (first + count), :2] == wanted).all(axis=1).mean())
        if alike >= best and all(index in standing for index in range(first, first + count)):
            heard = {note.instrument for index in range(first, first + count) for note in standing[index].notes}
            if heard >= set(players):
                best, found = alike, first
    return found


def lengths(logits: Logits, onsets: Roll, places: Sequence[tuple[int, int, int]]) -> list[int]:
    """How many ticks each note most likely lasts within its window, up to the next one of its pitch.

    onsets (2, 128, 88): where notes start, of both players. places: (player's number, tick, pitch).
    """
    return [1 + goes_on(logits, onsets, number, tick + 1, pitch) for number, tick, pitch in places]


def goes_on(logits: Logits, onsets: Roll, number: int, tick: int, pitch: int) -> int:
    """For how many ticks from `tick` on a note is held that sounds just before it: as many as are the most likely, that
    is for which the log-odds of being held add up to most."""
    ahead, row = slice(tick, min(tick + LONGEST_TICKS - 1, ROLL_TICKS)), pitch - LOWEST
    again = onsets[number, ahead, row]
    free = int(again.argmax()) if again.any() else len(again)
    held = (np.clip(logits[2 * number + 1, ahead, row][:free], -SURE, SURE) + LEAN).cumsum()
    return int(held.argmax()) + 1 if free and held.max() > 0 else 0
