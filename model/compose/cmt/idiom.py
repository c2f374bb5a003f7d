"""The idiom of a genre: where in the bar its players strike, and with which drums. A film's cuts, densities and players
take the groove apart; this leads back to it wherever they leave a choice."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from hitpoint.model.compose.cmt.idiom_table import IDIOMS, ROWS
from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place
from hitpoint.model.compose.cmt.wishes import LATER, SIZE, Nats, Wishes
from hitpoint.model.music.score import DRUM_KINDS, INSTRUMENTS, TICKS_PER_BAR
from hitpoint.model.music.tokens import FIRST_TICK

SHARE = 2.5
"""How far the table counts: 1 would be all of what the genre is likelier to do, and accents and densities leave a part
of it."""
DRUMS_NATS, HAT_NATS = 0.7, 1.2
"""For the kit and its closed hat besides: accents and densities take two thirds of a band's strokes on it away."""
_DRUMS = INSTRUMENTS.index("drums")


class _Nats(NamedTuple):
    """beat (16,): for the next tick. instrument (16, 5). drums (16, 129): for the class of a drum's pitch."""

    beat: Nats
    instrument: Nats
    drums: Nats


@cache
def _nats_of(genre: str) -> _Nats:
    rows = SHARE * np.array(IDIOMS[genre], np.float32) / 10
    where = rows[: 1 + len(INSTRUMENTS)]
    where -= where.mean(axis=1, keepdims=True)  # how much each plays is for the plan to say
    where[1 + _DRUMS] += DRUMS_NATS
    rows[ROWS.index("closed hat")] += HAT_NATS
    drums = np.zeros((TICKS_PER_BAR, SIZE["pitch"]), np.float32)
    for name, keys in DRUM_KINDS.items():
        drums[:, [key + 1 for key in keys]] = rows[ROWS.index(name)][:, None]
    return _Nats(rows[0], rows[1 : 1 + len(INSTRUMENTS)].T.copy(), drums)


class Idiom(Leaning):
    """Leans to the ticks, players and drums of the genre."""

    leans_on = ("beat", "instrument", "pitch")

    @classmethod
    def of(cls, here: Here) -> Idiom | None:
        """Where the genre has an idiom: those with a kit do."""
        return cls(here.plan.genre) if here.plan.genre in IDIOMS else None

    def __init__(self, genre: str) -> None:
        self._genre = genre
        self._nats = _nats_of(genre)

    def lean(self, attribute: str, place: Place) -> Mapping[int, float]:
        """Nats by class."""
        if attribute == "beat":
            return {FIRST_TICK + tick: float(self._nats.beat[tick]) for tick in range(place.tick + 1, TICKS_PER_BAR)}
        if attribute == "instrument":
            return _by_class(self._genre, "instrument", place.tick)
        if attribute == "pitch" and place.instrument == _DRUMS:
            return _by_class(self._genre, "drums", place.tick)
        return {}

    @property
    def signature(self) -> Hashable:
        """All that it is made of."""
        return self._genre

    def tell(self, wishes: Wishes) -> None:
        """By tick."""
        wishes.beat[..., FIRST_TICK:] += (self._nats.beat * LATER)[:, None, None]
        wishes.instrument[..., 1 : 1 + len(INSTRUMENTS)] += self._nats.instrument[:, None, None]
        wishes.pitch[:, _DRUMS] += self._nats.drums


@cache
def _by_class(genre: str, what: str, tick: int) -> Mapping[int, float]:
    if what == "drums":
        row = _nats_of(genre).drums[tick]
        return {int(at): float(row[at]) for at in np.flatnonzero(row)}
    return {k + 1: float(nats) for k, nats in enumerate(_nats_of(genre).instrument[tick])}
