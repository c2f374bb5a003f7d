"""A selector says how well each stretch of a library suits a section of the film; the composer does all the rest.

For each section the composer asks `costs` of every stretch that is as long as the section (`Stretches`), keeps the best
64 of them, at most 4 a piece, adds what transposing costs, and finds the cheapest path through the film: costs of the
stretches, plus the transition D at each join (`library.transition`), plus what `joins` adds. Joins, notes at the hits,
drums, the end: none of it is a selector's business. A new selector is one file with a subclass of `Selector` and a line
in SELECTORS; another package adds one by the entry point `hitpoint.selectors`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.base import ComposerOptions
from hitpoint.model.compose.library.bars import Library
from hitpoint.model.plan.types import BarPlan, Plan
from hitpoint.model.registry import Registry

Costs = NDArray[np.float64]


@dataclass(frozen=True)
class Span:
    """Bars [first_bar, end_bar) of a plan that one stretch is to fill: a section, or what is left of one."""

    plan: Plan
    first_bar: int
    end_bar: int

    def __len__(self) -> int:
        return self.end_bar - self.first_bar

    @property
    def pull(self) -> tuple[float, float]:
        """What stands out of its picture adds so much to valence and arousal (`Section.pull`)."""
        return self.plan.sections[self.plan.bars[self.first_bar].section].pull

    @property
    def bars(self) -> tuple[BarPlan, ...]:
        """What the plan asks of them."""
        return self.plan.bars[self.first_bar : self.end_bar]


@dataclass(frozen=True)
class Stretches:
    """Stretches of one length. routes (n, bars): the library's rows that each plays, one after another; in a piece that
    is too short they come round again. loops (n,): how often they do.
    """

    library: Library
    routes: NDArray[np.int64]
    loops: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.routes)

    @cached_property
    def pieces(self) -> NDArray[np.int64]:
        """The piece of each, (n,)."""
        return self.library.piece_of[self.routes[:, 0]]

    def mean(self, values: NDArray[np.float64]) -> Costs:
        """Mean over each stretch (n,) of something that is known of each bar of the library (B,)."""
        return np.asarray(values[self.routes].mean(axis=1))

    def some(self, which: NDArray[np.int64]) -> Stretches:
        """Those of these numbers."""
        return Stretches(self.library, self.routes[which], self.loops[which])


class Selector(ABC):
    """One way of choosing. Made once; asked for many plans, from one thread."""

    key: ClassVar[str]

    @classmethod
    def create(cls, options: ComposerOptions, library: Library) -> Selector:
        """Ready to choose from `library`. Raises InputError or UsageError where what it needs is missing."""
        return cls()

    @abstractmethod
    def costs(self, span: Span, stretches: Stretches) -> Costs:
        """How badly each stretch suits the span, (n,), 0 = perfectly; of the size of the transition's terms, which have
        a standard deviation of 1."""

    def joins(self, before: Span, last: Stretches, span: Span, stretches: Stretches) -> Costs | None:
        """What it costs to have a stretch after another, besides the transition, (n of last, n); None: nothing."""
        return None


SELECTORS: Registry[Selector] = Registry(
    "way of choosing",
    {
        "emotion": "hitpoint.model.compose.library.select.emotion:Emotion",
        "association": "hitpoint.model.compose.library.select.association:Association",
        "match": "hitpoint.model.compose.library.select.match:Match",
    },
    "hitpoint.selectors",
)
