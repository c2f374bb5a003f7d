"""A bar's grammar and leanings as tables, so that a device can write the bar without asking (`steering`).

What may come follows from a few numbers (the tick and instrument reached, the ticks owed, the loudest simu-note of the
tick, the notes owed, the lowest pitch), and so do all masks: each is worked out here for every place that the writer
may come to. Tests hold tables and `Grammar` to the same masks, place by place.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.cmt.grammar import CRASHES, PITCH_RANGE, BarTask, Grammar, row_of_locked
from hitpoint.model.compose.cmt.wishes import (
    EXACT,
    FLOATS,
    HELD,
    INTS,
    LONGEST,
    PLAYERS,
    REACHED,
    SAME,
    SHORT,
    SIZE,
    STANDING,
    TICKS,
    WANTED,
    Tables,
    Wishes,
    next_player,
)
from hitpoint.model.music.score import INSTRUMENTS, MAX_STRENGTH
from hitpoint.model.music.tokens import BAR_LINE, FIRST_TICK, MAX_SIMU_NOTE

NEVER = np.float32(-np.inf)
Made = TypeVar("Made")
KEPT = 64
"""Bars of which takes of the same plan need not work out the same again."""
_LOW, _HIGH = np.array(PITCH_RANGE).T
_ABLE = np.array(MAX_STRENGTH)
_LARGEST = np.minimum(MAX_SIMU_NOTE, np.minimum(_HIGH - _LOW + 1, _ABLE + 2))
_TICK, _PLAYER = np.arange(TICKS), np.arange(PLAYERS)
_PITCHED = np.array([name != "drums" for name in INSTRUMENTS])
_STRENGTHS = np.arange(SIZE["strength"]) - 1
_PLAYS_AFTER = np.arange(PLAYERS) > np.arange(-1, PLAYERS)[:, None]
_REACHED_TICK = np.arange(-1, TICKS)[:, None]


class BarTables(NamedTuple):
    """A bar as flat arrays in the order of FLOATS, INTS and CLASSES, what is minus infinity being not allowed.

    density: -1 where there is a choice; wishes: for its other numbers.
    """

    floats: NDArray[np.float32]
    ints: NDArray[np.int64]
    classes: NDArray[np.int16]
    density: int
    wishes: Wishes


class Teller:
    """Makes the tables of bars, and keeps what does not depend on the music so far."""

    def __init__(self) -> None:
        self._masks: OrderedDict[Hashable, tuple[Tables, int]] = OrderedDict()
        self._wishes: OrderedDict[Hashable, Wishes] = OrderedDict()

    def tables_of(self, task: BarTask) -> BarTables:
        """Raises UsageError where a leaning has no tables."""
        masks, density = _kept(self._masks, task.key, lambda: masks_of(Grammar(task)))
        keys = tuple((type(each), each.signature) for each in task.leanings if each.signature is not None)
        wishes = _kept(self._wishes, keys, lambda: _told(task)).copy()
        for leaning in task.leanings:
            if leaning.signature is None:
                leaning.tell(wishes)
        return BarTables(
            wishes.floats + masks.floats, wishes.ints + masks.ints, wishes.classes + masks.classes, density, wishes
        )


def _kept(made: OrderedDict[Hashable, Made], key: Hashable, make: Callable[[], Made]) -> Made:
    if key not in made:
        made[key] = make()
        if len(made) > KEPT:
            made.popitem(last=False)
    made.move_to_end(key)
    return made[key]


def _told(task: BarTask) -> Wishes:
    wishes = Wishes()
    for leaning in task.leanings:
        if leaning.signature is not None:
            leaning.tell(wishes)
    return wishes


def masks_of(grammar: Grammar) -> tuple[Tables, int]:
    """The masks of a bar, and its density, or -1 where there is a choice."""
    tables, masks, task = Tables(), _Masks(grammar), grammar.task
    tables.turn[:] = masks.turn()
    tables.instrument[~masks.players] = NEVER
    tables.strength[~masks.strengths()] = NEVER
    for tick in task.caps:
        tables.pitch[tick, INSTRUMENTS.index("drums"), CRASHES] = NEVER
    densities = grammar.densities()
    tables.density[~densities] = NEVER
    tables.by_tick[1:, WANTED] = masks.wanted
    tables.by_place[:] = masks.by_place(task)
    tables.flags[:] = masks.flags()
    at = dict.fromkeys(grammar.locked, 0)
    for note in task.locked:
        place = note.tick, note.instrument
        tables.locked[place][at[place]] = row_of_locked(note, 0)[-3:]
        at[place] += 1
    return tables, int(densities.argmax()) - 1 if densities.sum() == 1 else -1


class _Masks:
    """The masks of `Grammar` for every place at once.

    players (16, 6, 2, 6): on a tick, after an instrument there, SHORT of an accent or not. wanted (16,): the strength
    of the accent, 0 for none.
    """

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._standing = np.zeros((TICKS, PLAYERS), np.int64)
        must = np.zeros((TICKS, PLAYERS), bool)
        for place, notes in grammar.locked.items():
            self._standing[place] = notes
        for place in (*grammar.locked, *grammar.entries):
            must[place] = True
        self._open = np.zeros((TICKS, PLAYERS), bool)
        for tick, able in enumerate(grammar.open):
            self._open[tick, list(able)] = True
        self.wanted = np.zeros(TICKS, np.int64)
        for tick, strength in grammar.required.items():
            self.wanted[tick] = strength
        free = self._open & (self._standing == 0)
        reach = np.where(free, _ABLE, self._standing)
        self._reach = np.maximum.accumulate(reach[:, ::-1], axis=1)[:, ::-1]
        self._must = next_player(must)
        able = (free | (self._standing > 0))[:, None] & _PLAYS_AFTER & (self._must[:, :, None] >= _PLAYER)
        self.players = np.zeros(FLOATS["instrument"], bool)
        self.players[:, :, SHORT, 1:] = able & (self._reach >= self.wanted[:, None])[:, None]
        self.players[:, :, REACHED, 1:] = able

    def flags(self) -> NDArray[np.int64]:
        """(17, 6, 2): SAME and HELD."""
        table = np.zeros((TICKS + 1, PLAYERS + 1, 2), np.int64)
        table[1:] = self.players.any(axis=3) * SAME
        table[1:] += (self._must < PLAYERS)[:, :, None] * HELD
        table[1:, :, SHORT] |= HELD
        return table

    def strengths(self) -> NDArray[np.bool_]:
        """(16, 5, 2, 10): SHORT of an accent or not."""
        task, wanted = self._grammar.task, self.wanted[:, None]
        required = np.isin(_TICK, list(self._grammar.required))[:, None]
        caps = np.array([task.caps.get(tick, MAX_SIMU_NOTE) for tick in range(TICKS)])[:, None]
        most = np.minimum(_LARGEST, np.where(required, wanted, caps))
        later = np.concatenate([self._reach[:, 1:], np.zeros((TICKS, 1), np.int64)], axis=1)
        least = np.ones((TICKS, PLAYERS, 2), np.int64)
        least[..., SHORT] = np.where(required & (later < wanted), wanted, 1)
        stands = self._standing > 0
        most = np.where(stands, self._standing, most)
        least = np.where(stands[:, :, None], self._standing[:, :, None], least)
        mask: NDArray[np.bool_] = (least[..., None] <= _STRENGTHS) & (most[:, :, None, None] >= _STRENGTHS)
        return mask

    def turn(self) -> NDArray[np.float32]:
        """(17, 17, 18): later ticks and the bar line, by the tick reached and the ticks owed."""
        grammar = self._grammar
        musts, able = np.isin(_TICK, grammar.musts), np.isin(_TICK, grammar.able)
        ahead = (musts & (_TICK > _REACHED_TICK)).sum(axis=1, keepdims=True)
        first = np.where(musts & (_TICK > _REACHED_TICK), _TICK, TICKS).min(axis=1, keepdims=True)
        first = np.where(ahead > 0, first, grammar.ticks - 1)
        least = ahead - ((first == _TICK) & (ahead > 0))
        least[~(able & (_TICK > _REACHED_TICK) & (first >= _TICK))] = TICKS + 1
        most = len(grammar.able) - np.cumsum(able)
        after = np.arange(-1, TICKS)[:, None]  # owed, less the one that is chosen
        table = np.full(FLOATS["turn"], NEVER)
        fits = (least[:, None] <= after) & (after <= most) & (after >= 0)
        table[..., FIRST_TICK:][fits] = 0.0
        table[:, 0, BAR_LINE] = 0.0
        return table

    def by_place(self, task: BarTask) -> NDArray[np.int64]:
        """(16, 5, 3): notes that stand, the longest duration in ticks, and the one that a last note must have, or 0."""
        table = np.zeros(INTS["by_place"], np.int64)
        left = task.ticks_left - _TICK
        until = left.copy()
        for stop in task.stops:
            until = np.where(stop > _TICK, np.minimum(until, stop - _TICK), until)
        table[..., STANDING] = self._standing
        table[..., LONGEST] = np.where(_PITCHED, until[:, None], left[:, None])
        if task.ticks_left < TICKS * 3 // 2:
            table[..., EXACT] = np.where(_PITCHED, left[:, None], 0)
        return table
