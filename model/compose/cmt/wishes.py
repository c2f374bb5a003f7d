"""What the leanings of a bar say, as tables: nats for every place that the bar's writer can come to.

A device that draws by itself cannot ask a leaning, so each leaning writes down beforehand what it would say. What it
says depends on the place, which the tables are indexed by, and on what the writer has chosen so far, which the device
remembers in a few numbers: see `steering`. 16 ticks, 5 instruments; 17 and 6 where "none yet" counts, as the first.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music import tokens
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR
from hitpoint.model.music.tokens import MAX_SIMU_NOTE

TICKS, PLAYERS = TICKS_PER_BAR, len(INSTRUMENTS)
SIZE = dict(zip(tokens.FIELDS, tokens.SIZES, strict=True))
Shapes = Mapping[str, tuple[int, ...]]
FLOATS: Shapes = {
    "beat": (TICKS + 1, PLAYERS + 1, 3, SIZE["beat"]),
    "turn": (TICKS + 1, TICKS + 1, SIZE["beat"]),
    "instrument": (TICKS, PLAYERS + 1, 2, SIZE["instrument"]),
    "strength": (TICKS, PLAYERS, 2, SIZE["strength"]),
    "pitch": (TICKS, PLAYERS, SIZE["pitch"]),
    "lead": (2 * TICKS + 1, SIZE["pitch"]),
    "first": (TICKS, PLAYERS),
    "density": (SIZE["density"],),
    "nats": (5,),
}
"""Nats; classes come last, as in `tokens`.

beat: behind a tick and an instrument, with FEWER, AS_MANY or MORE ticks owed than AHEAD says. turn: the same, by the
ticks owed. instrument: on a tick, after an instrument on it, SHORT of the tick's accent or having REACHED it. strength:
on a tick, of an instrument, likewise. pitch: on a tick, of an instrument. lead: besides, for the leader, by tick, for
the top of a chord in the second half; the last row is everybody else's. first: besides, for the pitch class ROOT, in an
instrument's lowest note; in the bass, in its first one under a chord. density. nats: AGAIN .. MOVE.
"""
FEWER, AS_MANY, MORE = range(3)
SHORT, REACHED = range(2)
AGAIN, SAME_LENGTH, LEAD_LENGTH, OVER, MOVE = range(5)
"""For the pitch `following`; for the duration `length`; for the leader's LENGTH; for what lasts into a chord to which
it does not belong; for the tune's MOVES."""
INTS: Shapes = {"by_tick": (TICKS + 1, 9), "by_place": (TICKS, PLAYERS, 3), "flags": (TICKS + 1, PLAYERS + 1, 2)}
AHEAD, ROOT, STEP_BIT, NEXT_TONES, OVER_FROM, LENGTH, MOVES, GIVEN, WANTED = range(9)
"""Columns of by_tick: ticks of an earlier bar that lie ahead; the chord's root; the chord, as a bit; the next chord's
pitch classes, as bits; the first class of durations that last into it; the class of the tune's duration; the semitones
that the tune moves by again, or NO_MOVE; 1 where its pitch is left alone; the strength of an accent."""
STANDING, LONGEST, EXACT = range(3)
"""Columns of by_place: notes that stand already; ticks that a note may last; those that the last must last, or 0."""
SAME, HELD = 1, 2
"""Bits of flags: the same tick may go on; it must, since something is still due on it."""
CLASSES: Shapes = {
    "following": (TICKS, PLAYERS, SIZE["pitch"]),
    "length": (TICKS, PLAYERS, SIZE["pitch"]),
    "locked": (TICKS, PLAYERS, MAX_SIMU_NOTE, 3),
}
"""following: the class of the pitch to come, by the lowest pitch that may come. length: that of the duration, by the
pitch chosen. locked: pitch, duration and velocity of the notes that stand already. 0 is none."""
NO_MOVE = 1000
PITCH_CLASSES = (np.arange(SIZE["pitch"]) - 1) % 12
PITCH_CLASSES[0] = -1
_REACHED = np.arange(-1, TICKS)[:, None]
LATER = (np.arange(TICKS) > _REACHED).astype(np.float32)
AT_ONCE = (np.arange(TICKS) == _REACHED).astype(np.float32)
"""(17, 16): whether a tick comes after the one reached, or is just that."""
Nats = NDArray[np.float32]


def numbers(shapes: Shapes) -> int:
    """How many numbers tables hold."""
    return sum(map(prod, shapes.values()))


class Tables:
    """The tables of one bar, all zero at first, as flat arrays in the order of FLOATS, INTS and CLASSES."""

    def __init__(self) -> None:
        self.floats = np.zeros(numbers(FLOATS), np.float32)
        self.ints = np.zeros(numbers(INTS), np.int64)
        self.classes = np.zeros(numbers(CLASSES), np.int16)
        self._name()

    def _name(self) -> None:
        for flat, shapes in ((self.floats, FLOATS), (self.ints, INTS), (self.classes, CLASSES)):
            begin = 0
            for name, shape in shapes.items():
                setattr(self, name, flat[begin : begin + prod(shape)].reshape(shape))
                begin += prod(shape)

    beat: Nats
    turn: Nats
    instrument: Nats
    strength: Nats
    pitch: Nats
    lead: Nats
    first: Nats
    density: Nats
    nats: Nats
    by_tick: NDArray[np.int64]
    by_place: NDArray[np.int64]
    flags: NDArray[np.int64]
    following: NDArray[np.int16]
    length: NDArray[np.int16]
    locked: NDArray[np.int16]


class Wishes(Tables):
    """What leanings add up to. leader: whom `lead` is for. tune: who sings by steps, from pitch before (-1: none yet).
    Both are -1 for nobody. lagging: bits of the classes of those who are wanted where they lag behind; -1 where that
    does not count."""

    def __init__(self) -> None:
        super().__init__()
        self.leader = self.tune = self.before = self.lagging = -1
        self.by_tick[:, STEP_BIT] = 1
        self.by_tick[:, [ROOT, OVER_FROM, MOVES]] = -1, SIZE["duration"], NO_MOVE

    def copy(self) -> Wishes:
        """Another one that begins with the same."""
        other = copy.copy(self)
        other.floats, other.ints, other.classes = self.floats.copy(), self.ints.copy(), self.classes.copy()
        other._name()
        return other


def spread(nats: Mapping[int, float], classes: int) -> Nats:
    """Nats by class as a row (classes,)."""
    row = np.zeros(classes, np.float32)
    row[list(nats)] = list(nats.values())
    return row


def bits(numbers: Iterable[int]) -> int:
    """A set of small numbers as one."""
    return sum(1 << number for number in set(numbers))


def pitches_of(classes: Collection[int]) -> NDArray[np.bool_]:
    """(129,): the classes of the pitches with these pitch classes."""
    return np.isin(PITCH_CLASSES, list(classes))


def next_player(there: NDArray[np.bool_]) -> NDArray[np.int64]:
    """there (16, 5) -> (16, 6): the first instrument there after another, PLAYERS if none."""
    after = np.arange(PLAYERS) > np.arange(-1, PLAYERS)[:, None]
    found: NDArray[np.int64] = np.where(there[:, None] & after, np.arange(PLAYERS), PLAYERS).min(axis=2)
    return found
