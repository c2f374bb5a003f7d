"""The groove of a piece: on which ticks of the bar something starts. A bar that is busier adds ticks to those of a
calmer one, in an order that is the piece's own, so that all its bars are of one kind.

Any two bars of a held-out human piece agree about .89 of their ticks; where every bar draws its ticks anew, about .61.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cache

import numpy as np

from hitpoint.model.compose.cmt.idiom_table import IDIOMS
from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place
from hitpoint.model.compose.cmt.wishes import LATER, Wishes
from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.music.tokens import FIRST_TICK
from hitpoint.model.plan.types import BarPlan, Plan

WEIGHTS = {8: 3.0, 4: 2.0, 2: 1.0, 1: 0.0}
"""How early a tick of this grid (half bars, beats, eighths, sixteenths) is taken."""
HALF_BAR_CHANCE, CHANCE = 0.2, 0.1
"""How much chance says beside that: of both half bars alike, and of each tick."""
GENRE = 0.025
"""And the genre, for each tenth of a nat of its idiom."""
NEXT_NATS, BESIDE_NATS = 1.5, -6.0
"""For the next tick of the groove, and against all others."""


class Groove(Leaning):
    """Leans to the first ticks of the piece's order, as many as the bar has onsets."""

    leans_on = ("beat",)

    @classmethod
    def of(cls, here: Here) -> Groove | None:
        """Where the picture says how busy the bar is."""
        ticks = groove_ticks(here.plan, here.asked, here.players)
        return cls(ticks) if ticks else None

    def __init__(self, ticks: tuple[int, ...]) -> None:
        """ticks: of the bar, rising."""
        self._ticks = ticks

    def lean(self, attribute: str, place: Place) -> Mapping[int, float]:
        """Nats by class."""
        return _nats(self._ticks, place.tick) if attribute == "beat" else {}

    @property
    def signature(self) -> Hashable:
        """All that it is made of."""
        return self._ticks

    def tell(self, wishes: Wishes) -> None:
        """By the tick reached."""
        nats = np.zeros_like(LATER)
        for reached in range(-1, TICKS_PER_BAR):
            for onset, each in _nats(self._ticks, reached).items():
                nats[reached + 1, onset - FIRST_TICK] = each
        wishes.beat[..., FIRST_TICK:] += nats[:, None, None]


@cache
def _nats(ticks: tuple[int, ...], reached: int) -> Mapping[int, float]:
    later = range(reached + 1, TICKS_PER_BAR)
    following = next((tick for tick in ticks if tick > reached), None)
    return {FIRST_TICK + tick: NEXT_NATS if tick == following else BESIDE_NATS for tick in later}


def groove_ticks(plan: Plan, asked: BarPlan, players: tuple[int, ...]) -> tuple[int, ...]:
    """The ticks of a bar on which something starts, rising: what is promised, then what comes first in the order. ()
    where nothing says how many.
    """
    count = asked.density if asked.density is not None else asked.density_told
    if count is None:
        return ()
    closed = set(asked.closed)
    chosen = {tick for tick, _ in (*asked.required, *asked.entries)} | {note.tick for note in asked.scored}
    chosen |= {note.tick for note in asked.line} if asked.leader in players else set()
    for tick in order_of(plan.seed, plan.genre):
        if len(chosen) >= count:
            break
        if tick < asked.ticks and any((tick, k) not in closed for k in players):
            chosen.add(tick)
    return tuple(sorted(chosen))


@cache
def order_of(seed: int, genre: str) -> tuple[int, ...]:
    """All ticks of a bar, those first that are taken in its calmest bars."""
    rng = np.random.default_rng([seed, 9])
    weights = np.array([next(each for step, each in WEIGHTS.items() if t % step == 0) for t in range(TICKS_PER_BAR)])
    weights += HALF_BAR_CHANCE * np.tile(rng.gumbel(size=TICKS_PER_BAR // 2), 2) + CHANCE * rng.gumbel(
        size=TICKS_PER_BAR
    )
    if genre in IDIOMS:
        weights += GENRE * np.array(IDIOMS[genre][0])
    weights[0] = np.inf
    return tuple(int(tick) for tick in np.argsort(-weights, kind="stable"))
