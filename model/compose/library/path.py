"""Which stretch of a library each section gets: the cheapest path through the film.

Viterbi over the candidates of each section and their transpositions; and, to be measured against or where there is no
time, the same section by section, and at random.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.library.bars import Library
from hitpoint.model.compose.library.select.base import Costs, Selector, Span, Stretches
from hitpoint.model.compose.library.transition import STEPS, TRANSPOSITIONS, Bars, Transitions, entry_bars, last_bars

CANDIDATES, A_PIECE = 64, 4
"""Stretches that a section may choose from, and of them at most so many of one piece."""
TRANSPOSE_WEIGHT = 0.1
"""What a transposition by six semitones costs."""
LOOP_BARS = 4
"""A piece that comes round again plays at least so many bars before it does, if it has them."""
LOOP_SEARCH = 64
"""So many bars at a piece's begin and at its end are looked at for the place."""
MOST_KEPT = 20_000_000
"""Bars of stretches that are kept ready."""

_STEP = np.subtract.outer(np.array(TRANSPOSITIONS), np.array(TRANSPOSITIONS)).T - STEPS[0]
"""(from, to): which of STEPS leads from one of TRANSPOSITIONS to another."""
TRANSPOSING = TRANSPOSE_WEIGHT * np.abs(np.array(TRANSPOSITIONS)) / 6.0


class Chosen(NamedTuple):
    """What a span plays. route (bars,): rows of the library. transpose: semitones. own: what the stretch costs by
    itself, its transposition included; join: what the transition to it costs, 0 for the first."""

    span: Span
    route: NDArray[np.int64]
    transpose: int
    own: float
    join: float


class Standing(NamedTuple):
    """A bar (1,) that stands already, before what is chosen: as the library has it, and the semitones by which it was
    moved; 0 for one that is in no library."""

    bar: Bars
    transpose: int = 0


@dataclass(frozen=True)
class Candidates:
    """The stretches that a span may choose from, the best first, and what each costs by itself.

    moving (12,) or (k, 12): what it costs to move them by each of TRANSPOSITIONS.
    """

    span: Span
    stretches: Stretches
    costs: Costs
    moving: Costs = field(default_factory=lambda: TRANSPOSING)

    @property
    def entries(self) -> Bars:
        """The first bar of each."""
        return entry_bars(self.stretches.library, self.stretches.routes[:, 0])

    @property
    def lasts(self) -> Bars:
        """The last bar of each."""
        return last_bars(self.stretches.library, self.stretches.routes[:, -1])

    @property
    def own(self) -> Costs:
        """What each costs by itself in each transposition, (k, 12)."""
        return self.costs[:, None] + self.moving

    def only(self, which: int) -> Candidates:
        """One of them."""
        one = np.array([which])
        moving = self.moving[one] if self.moving.ndim == 2 else self.moving
        return Candidates(self.span, self.stretches.some(one), self.costs[one], moving)


class Loops(NamedTuple):
    """Where each piece comes round again: after bar `end` (counted in the piece) comes bar `start`; what it costs."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    cost: Costs


def best_loops(library: Library, transitions: Transitions) -> Loops:
    """The cheapest way back within each piece, at least LOOP_BARS long where the piece has so many."""
    found = []
    for first, after in itertools.pairwise(library.first.tolist()):
        bars = after - first
        shortest = max(min(LOOP_BARS, bars), bars // 2)
        places = np.arange(min(bars, LOOP_SEARCH)), np.arange(max(0, bars - LOOP_SEARCH), bars)
        start, end = np.meshgrid(*places, indexing="ij")
        start, end = (each[end - start + 1 >= shortest] for each in (start, end))
        costs = transitions.between(last_bars(library, first + end), entry_bars(library, first + start))
        best = int(costs.argmin())
        found.append((start[best], end[best], costs[best]))
    starts, ends, cost = zip(*found, strict=True)
    return Loops(np.array(starts), np.array(ends), np.array(cost))


def stretches_of(library: Library, loops: Loops, bars: int) -> Stretches:
    """Every stretch of `bars` bars: of pieces that are long enough, and of those that are not from each bar up to where
    they come round again."""
    piece = library.piece_of
    at = np.arange(len(library)) - library.first[piece]
    length = np.diff(library.first)[piece]
    straight = np.flatnonzero(at + bars <= length)
    routes = [straight[:, None] + np.arange(bars)]
    turns = [np.zeros(len(straight), np.int64)]
    short = np.flatnonzero((length < bars) & (at <= loops.end[piece]))
    if len(short):
        own = piece[short]
        start, end = loops.start[own], loops.end[own]
        on = at[short][:, None] + np.arange(bars)
        period = (end - start + 1)[:, None]
        beyond = on - end[:, None] - 1
        inside = np.where(beyond < 0, on, start[:, None] + beyond % period)
        routes.append(library.first[own][:, None] + inside)
        turns.append(np.where(beyond[:, -1] < 0, 0, 1 + beyond[:, -1] // period[:, 0]))
    return Stretches(library, np.concatenate(routes), np.concatenate(turns))


class Chooser:
    """Chooses for one library with one selector. sets of stretches are kept for each length of a section."""

    def __init__(self, library: Library, selector: Selector) -> None:
        self.library, self.selector = library, selector
        self.transitions = Transitions(library)
        self.loops = best_loops(library, self.transitions)
        self._stretches: dict[int, Stretches] = {}

    def candidates(self, span: Span, noise: NDArray[np.float64] | None = None, most: int = CANDIDATES) -> Candidates:
        """The stretches that suit a span best. noise (P,): added to the costs, a value a piece."""
        stretches, costs = self.costs(span)
        if noise is not None:
            costs = costs + noise[stretches.pieces]
        kept = fewer_a_piece(costs, stretches.pieces)[:most]
        return Candidates(span, stretches.some(kept), costs[kept])

    def costs(self, span: Span) -> tuple[Stretches, Costs]:
        """Every stretch as long as the span, and what each costs by itself, untransposed."""
        if len(span) not in self._stretches:
            self._stretches[len(span)] = stretches_of(self.library, self.loops, len(span))
            while len(self._stretches) > 1 and sum(each.routes.size for each in self._stretches.values()) > MOST_KEPT:
                del self._stretches[next(iter(self._stretches))]
        stretches = self._stretches[len(span)]
        looping = stretches.loops * self.loops.cost[stretches.pieces]
        return stretches, self.selector.costs(span, stretches) + looping

    def cheapest(
        self, sets: Sequence[Candidates], before: Standing | None = None, after: Bars | None = None
    ) -> list[Chosen]:
        """The path of least cost through the spans, one stretch each. before, after: a bar that stands at its begin and
        one (1,) at its end, untransposed."""
        total = sets[0].own + self._from(before, sets[0])
        origins: list[NDArray[np.int64]] = []
        for last, here in itertools.pairwise(sets):
            moves = self.moves(last, here)
            reached = (total[:, :, None, None] + moves).reshape(total.size, *moves.shape[2:])
            origins.append(reached.argmin(axis=0))
            total = reached.min(axis=0) + here.own
        total = total + self._to(sets[-1], after)
        state = int(total.argmin())
        states = [state]
        for origin in reversed(origins):
            state = int(origin.ravel()[state])
            states.append(state)
        return self._chosen(sets, states[::-1], before)

    def greedy(self, sets: Sequence[Candidates], before: Standing | None = None) -> list[Chosen]:
        """Each span takes what is cheapest after the one before."""
        states: list[int] = []
        for number, here in enumerate(sets):
            costs = here.own
            if number:
                costs = costs + self.moves(sets[number - 1], here).reshape(-1, *costs.shape)[states[-1]]
            else:
                costs = costs + self._from(before, here)
            states.append(int(costs.argmin()))
        return self._chosen(sets, states, before)

    def at_random(self, sets: Sequence[Candidates], rng: np.random.Generator) -> list[Chosen]:
        """Any candidate of each span, anyhow transposed."""
        states = [int(rng.integers(len(here.costs) * len(TRANSPOSITIONS))) for here in sets]
        return self._chosen(sets, states, None)

    def moves(self, last: Candidates, here: Candidates) -> Costs:
        """From each candidate and transposition to each: (n, 12, k, 12)."""
        table = self.transitions.table(last.lasts, here.entries)
        moves = table[_STEP].transpose(2, 0, 3, 1)
        added = self.selector.joins(last.span, last.stretches, here.span, here.stretches)
        return np.asarray(moves if added is None else moves + added[:, None, :, None])

    def _from(self, before: Standing | None, here: Candidates) -> Costs:
        """From a bar that stands to each candidate and transposition: (k, 12)."""
        if before is None:
            return np.zeros((len(here.costs), len(TRANSPOSITIONS)))
        steps = np.array(TRANSPOSITIONS) - before.transpose - STEPS[0]
        return np.asarray(self.transitions.table(before.bar, here.entries)[steps, 0].T)

    def _to(self, last: Candidates, after: Bars | None) -> Costs:
        if after is None:
            return np.zeros((len(last.costs), len(TRANSPOSITIONS)))
        return np.asarray(self.transitions.table(last.lasts, after)[-np.array(TRANSPOSITIONS) - STEPS[0], :, 0].T)

    def _chosen(self, sets: Sequence[Candidates], states: Sequence[int], before: Standing | None) -> list[Chosen]:
        places = [divmod(state, len(TRANSPOSITIONS)) for state in states]
        one = [here.only(which) for here, (which, _) in zip(sets, places, strict=True)]
        return self.chosen(one, [moved for _, moved in places], before)

    def chosen(
        self, stretches: Sequence[Candidates], moved: Sequence[int], before: Standing | None = None
    ) -> list[Chosen]:  # fmt: skip
        """One stretch a span, each moved by one of TRANSPOSITIONS, as a path."""
        found: list[Chosen] = []
        for number, (here, at) in enumerate(zip(stretches, moved, strict=True)):
            if number:
                join = self.moves(stretches[number - 1], here)[0, moved[number - 1], 0, at]
            else:
                join = self._from(before, here)[0, at]
            route, own = here.stretches.routes[0], np.broadcast_to(here.own, (1, len(TRANSPOSITIONS)))[0, at]
            found.append(Chosen(here.span, route, TRANSPOSITIONS[at], float(own), float(join)))
        return found


def fewer_a_piece(costs: Costs, pieces: NDArray[np.int64]) -> NDArray[np.int64]:
    """The cheapest first, at most A_PIECE of each piece: their numbers."""
    order = np.argsort(costs, kind="stable")
    grouped = np.argsort(pieces[order], kind="stable")
    begins = np.concatenate([[0], np.flatnonzero(np.diff(pieces[order][grouped])) + 1])
    place = np.empty(len(order), np.int64)
    place[grouped] = np.arange(len(order)) - np.repeat(begins, np.diff([*begins, len(order)]))
    return order[place < A_PIECE]


def cost_of(path: Sequence[Chosen]) -> float:
    """What a path costs in all."""
    return sum(each.own + each.join for each in path)
