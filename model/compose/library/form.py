"""The form of a film in stretches of a library: what looks alike sounds alike, in one key; nothing else comes again.

The cheapest path (`path`) sees one join at a time. What a listener follows over minutes lies farther apart: a look that
comes back should bring its passage along, the keys should have a home, and a passage should not turn up under another
look. So all sections of one label choose together, where the passage begins and how it is moved, label after label
with the rest as it stands, until nothing gets cheaper (iterated conditional modes, Besag 1986); it begins with the
cheapest path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.library.path import CANDIDATES, Candidates, Chooser, Chosen, fewer_a_piece
from hitpoint.model.compose.library.select.base import Costs, Span
from hitpoint.model.compose.library.transition import TRANSPOSITIONS

AWAY = 2.0
"""What a stretch costs that lies wholly outside the home key or its relative."""
STRANGER = 3.0
"""By so much a section must become cheaper to play something else than the others of its label."""
REUSED = 2.0
"""What it costs to play bars that another label plays."""
ROUNDS = 6


Noise = NDArray[np.float64] | None
"""What each piece costs besides, (P,); None: nothing."""


def formed(chooser: Chooser, spans: Sequence[Span], noise: Sequence[Noise] = ()) -> list[Chosen]:
    """One stretch for each span. noise: of each span; (): none. Sections of one label take that of their first."""
    return _Form(chooser, spans, noise or [None] * len(spans)).path()


def area_of(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The major key (0..11) of each of some keys (0..23) or that it is the relative of; -1 stays."""
    return np.where(keys < 0, -1, np.where(keys < 12, keys, keys + 3) % 12)


class _Form:
    """A film's sections, on the way to what they play."""

    def __init__(self, chooser: Chooser, spans: Sequence[Span], noise: Sequence[Noise]) -> None:
        self._chooser, self._spans = chooser, spans
        labels = [span.plan.sections[span.plan.bars[span.first_bar].section].label for span in spans]
        self._groups = [[n for n, each in enumerate(labels) if each == label] for label in dict.fromkeys(labels)]
        self._noise = [noise[labels.index(label)] for label in labels]
        self._areas = area_of(chooser.library.column("key_in").astype(np.int64))

    def path(self) -> list[Chosen]:
        """One stretch a span: those of one label settle together, round by round, until the whole costs no less."""
        sets = [self._chooser.candidates(span, noise) for span, noise in zip(self._spans, self._noise, strict=True)]
        self._home = self._home_of(self._chooser.cheapest(sets))
        sets = [self._at_home(each) for each in sets]
        chosen = self._chooser.cheapest(sets)
        states = [self._state(sets[n], each) for n, each in enumerate(chosen)]
        groups = {group[0]: self._together(group, sets) for group in self._groups}
        before = np.inf
        for _ in range(ROUNDS):
            for group in self._groups:
                self._settle(group, groups[group[0]], states)
            cost = sum(each.own + each.join for each in self._chosen(states))
            if cost > before - 1e-9:
                break
            before = cost
        for group in self._groups:
            for member in group[1:]:
                self._let_go(member, sets[member], states)
        return self._chosen(states)

    def _home_of(self, path: Sequence[Chosen]) -> int:
        """The area in which most bars of a path lie."""
        found = np.zeros(12, np.int64)
        for each in path:
            areas = self._areas[each.route]
            np.add.at(found, (areas[areas >= 0] + each.transpose) % 12, 1)
        return int(found.argmax())

    def _at_home(self, candidates: Candidates) -> Candidates:
        """With what it costs to be away from home."""
        areas = self._areas[candidates.stretches.routes]
        away = np.stack(
            [((areas >= 0) & ((areas + moved) % 12 != self._home)).mean(axis=1) for moved in TRANSPOSITIONS], axis=1
        )
        return replace(candidates, moving=candidates.moving + AWAY * away)

    def _together(self, group: Sequence[int], sets: Sequence[Candidates]) -> list[Candidates]:
        """For each section of a label the same passages, entered at the same bars: those that suit all of them best."""
        if len(group) == 1:
            return [sets[group[0]]]
        own = []
        entries: NDArray[np.int64] | None = None
        for member in group:
            stretches, costs = self._chooser.costs(self._spans[member])
            noise = self._noise[member]
            costs = costs if noise is None else costs + noise[stretches.pieces]
            at = np.full(len(self._chooser.library), -1)
            at[stretches.routes[:, 0]] = np.arange(len(stretches))
            own.append((stretches, costs, at))
            entries = np.flatnonzero(at >= 0) if entries is None else entries[at[entries] >= 0]
        assert entries is not None
        if not len(entries):
            return [sets[member] for member in group[:1]]
        total = sum(costs[at[entries]] for _, costs, at in own)
        kept = entries[fewer_a_piece(np.asarray(total), self._chooser.library.piece_of[entries])[:CANDIDATES]]
        return [
            self._at_home(Candidates(self._spans[member], stretches.some(at[kept]), costs[at[kept]]))
            for member, (stretches, costs, at) in zip(group, own, strict=True)
        ]

    @staticmethod
    def _state(candidates: Candidates, chosen: Chosen) -> tuple[Candidates, int]:
        """A section's stretch, as one candidate, and the number of its transposition."""
        same = (candidates.stretches.routes == chosen.route).all(axis=1)
        return candidates.only(int(same.argmax())), TRANSPOSITIONS.index(chosen.transpose)

    def _settle(self, group: Sequence[int], sets: Sequence[Candidates], states: list[tuple[Candidates, int]]) -> None:
        """Choose for the sections of a label, the others as they are."""
        members = group[: len(sets)]
        total = np.zeros((len(sets[0].costs), len(TRANSPOSITIONS)))
        for candidates, member in zip(sets, members, strict=True):
            total += self._around(member, candidates, states, set(members))
            if member - 1 in members:
                moves = self._chooser.moves(sets[members.index(member - 1)], candidates)
                total += np.einsum("ktkt->kt", moves)
        which, moved = divmod(int(total.argmin()), len(TRANSPOSITIONS))
        for candidates, member in zip(sets, members, strict=True):
            states[member] = candidates.only(which), moved

    def _around(
        self, member: int, candidates: Candidates, states: Sequence[tuple[Candidates, int]], leave: set[int]
    ) -> Costs:
        """(k, 12): what a section's candidates cost by themselves and beside the sections as they are. leave: sections
        whose joins do not count."""
        total = candidates.costs[:, None] + candidates.moving
        if member and member - 1 not in leave:
            last, moved = states[member - 1]
            total = total + self._chooser.moves(last, candidates)[0, moved]
        if member + 1 < len(states) and member + 1 not in leave:
            after, moved = states[member + 1]
            total = total + self._chooser.moves(candidates, after)[:, :, 0, moved]
        label = next(set(group) for group in self._groups if member in group)
        taken = [states[n][0].stretches.routes[0] for n in range(len(states)) if n not in label]
        if taken:
            share = np.isin(candidates.stretches.routes, np.concatenate(taken)).mean(axis=1)
            total = total + REUSED * share[:, None]
        return np.asarray(total)

    def _let_go(self, member: int, own: Candidates, states: list[tuple[Candidates, int]]) -> None:
        """Let a section play something else than those of its label where it is far better off so."""
        costs = self._around(member, own, states, set())
        stays, moved = states[member]
        now = float(self._around(member, stays, states, set())[0, moved])
        if float(costs.min()) < now - STRANGER:
            which, moved = divmod(int(costs.argmin()), len(TRANSPOSITIONS))
            states[member] = own.only(which), moved

    def _chosen(self, states: Sequence[tuple[Candidates, int]]) -> list[Chosen]:
        return self._chooser.chosen([each for each, _ in states], [moved for _, moved in states])
