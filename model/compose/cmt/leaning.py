"""Leanings: what a bar would rather be like, as nats added to the network's own logits. The masks stand above them.

A leaning is one class; every bar asks each class on LEANINGS for its leaning, and their nats add up. A new one is a
class in a file of its own and a line there; another package adds one by the entry point `hitpoint.leanings`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, NamedTuple

from hitpoint.model.compose.cmt.wishes import Wishes
from hitpoint.model.errors import UsageError
from hitpoint.model.music.score import Bar
from hitpoint.model.plan.types import BarPlan, Plan
from hitpoint.model.registry import Registry

ATTRIBUTES = ("beat", "instrument", "strength", "pitch", "duration")
"""Those that leanings speak of."""


class Place(NamedTuple):
    """Where a bar's writer stands: the tick and instrument reached (-1 before the first), the lowest pitch that may
    come (for a duration: the pitch just chosen), the onset ticks still owed, and the notes of this instrument that are
    still to come above the one that is asked for."""

    tick: int
    instrument: int
    low: int
    owed_ticks: int
    owed_notes: int = 0


@dataclass(frozen=True)
class Here:
    """The bar about to be written. index: into plan.bars. written: all bars before it. anew: no earlier bar is to be
    played again in its place. standing: the bar in whose place it is written; None: there is none."""

    plan: Plan
    index: int
    written: Sequence[Bar] = ()
    anew: bool = False
    standing: Bar | None = None

    @property
    def asked(self) -> BarPlan:
        """What the plan asks of it."""
        return self.plan.bars[self.index]

    @property
    def has_chords(self) -> bool:
        """Whether the plan has chords for it, which the music is to keep."""
        return self.asked.chords is not None and bool(self.plan.harmony)

    @property
    def players(self) -> tuple[int, ...]:
        """Who may sound in it: indices into INSTRUMENTS."""
        return self.plan.instruments if self.asked.instruments is None else self.asked.instruments


class Leaning(ABC):
    """One wish about a bar. alone: where a bar has it, it has none that come later on LEANINGS. leans_on: the
    attributes that it has something to say of; it is asked about no others."""

    alone: ClassVar[bool] = False
    leans_on: ClassVar[tuple[str, ...]] = ATTRIBUTES

    @classmethod
    @abstractmethod
    def of(cls, here: Here) -> Leaning | None:
        """The leaning of the bar about to be written; None where it has none of this kind."""

    @abstractmethod
    def lean(self, attribute: str, place: Place) -> Mapping[int, float]:
        """Nats by class of the attribute that comes next: "beat", "instrument", "strength", "pitch" or "duration".

        Classes as in `hitpoint.model.music.tokens`: a pitch is the MIDI pitch + 1. Asking changes nothing.
        """

    def chose(self, attribute: str, place: Place) -> None:  # noqa: B027 (most leanings remember nothing)
        """A "strength" or "duration" is chosen; `place` is what `lean` was told of it. For those that remember."""

    @property
    def signature(self) -> Hashable | None:
        """What it tells depends on this alone, so that it need not be told twice; None: it may differ every time."""
        return None

    def tell(self, wishes: Wishes) -> None:
        """Add to the tables of a bar, before anything of it is chosen, what `lean` will say in it.

        For a graphics card, which cannot ask on the way. Raises UsageError for a leaning that has no such tables.
        """
        raise UsageError(f"the leaning {type(self).__name__} cannot be used on a graphics card; use --device cpu")


LEANINGS: Registry[Leaning] = Registry(
    "leaning",
    {
        "close": "hitpoint.model.compose.cmt.form:Close",
        "again": "hitpoint.model.compose.cmt.form:Again",
        "otherwise": "hitpoint.model.compose.cmt.otherwise:Otherwise",
        "registers": "hitpoint.model.compose.cmt.colour:Registers",
        "fullness": "hitpoint.model.compose.cmt.presence:Fullness",
        "presence": "hitpoint.model.compose.cmt.presence:Presence",
        "idiom": "hitpoint.model.compose.cmt.idiom:Idiom",
        "groove": "hitpoint.model.compose.cmt.groove:Groove",
        "tune": "hitpoint.model.compose.cmt.tune:Tune",
        "rise": "hitpoint.model.compose.cmt.colour:Rise",
        "recall": "hitpoint.model.compose.cmt.form:Recall",
        "chords": "hitpoint.model.compose.cmt.chords:Chords",
        "theme": "hitpoint.model.compose.cmt.theme:Theme",
        "moves": "hitpoint.model.compose.cmt.harmony:Moves",
        "home": "hitpoint.model.compose.cmt.harmony:Home",
    },
    "hitpoint.leanings",
)
"""In the order in which they are asked."""


@cache
def kinds() -> tuple[type[Leaning], ...]:
    """Every class on LEANINGS. Raises UsageError where another package's cannot be loaded."""
    return tuple(LEANINGS.load(name) for name in LEANINGS.names())


def untold() -> list[str]:
    """The leanings that have no tables for a graphics card: other packages' at most."""
    return [kind.__name__ for kind in kinds() if kind.tell is Leaning.tell]


def leanings_of(here: Here) -> tuple[Leaning, ...]:
    """All leanings of one bar."""
    found: list[Leaning] = []
    for kind in kinds():
        leaning = kind.of(here)
        if leaning is not None:
            found.append(leaning)
            if kind.alone:
                break
    return tuple(found)


def total(leanings: Sequence[Leaning], attribute: str, place: Place) -> Mapping[int, float]:
    """The sum of what several leanings add, nats by class."""
    parts = [nats for leaning in leanings if attribute in leaning.leans_on and (nats := leaning.lean(attribute, place))]
    if len(parts) < 2:
        return parts[0] if parts else {}
    parts.sort(key=len, reverse=True)
    sums = dict(parts[0])
    for nats in parts[1:]:
        for value, each in nats.items():
            sums[value] = sums.get(value, 0.0) + each
    return sums
