"""By association: the sound that goes with the look of the section, as it was learnt from music or from your films."""

from __future__ import annotations

import itertools

import numpy as np

from hitpoint.model.associate.association import Association as Learnt
from hitpoint.model.associate.association import load
from hitpoint.model.associate.looks import ranked
from hitpoint.model.associate.sounds import SUMS, bar_sums, sounds
from hitpoint.model.compose.base import ComposerOptions
from hitpoint.model.compose.library.bars import Library
from hitpoint.model.compose.library.select.base import Costs, Selector, Span, Stretches
from hitpoint.model.compose.library.select.match import mismatch
from hitpoint.model.mood.looks import LOOKS
from hitpoint.model.plan.types import Plan

CHAIN_WEIGHT = 0.5
"""Of ln P(kind | kind before), against the fit of look and sound."""
REUSED = 1.0
"""What it costs to play the same stretch again."""


class Association(Selector):
    """How much worse than the best a stretch suits the look, in standard deviations of all; then rhythm, as `match`."""

    key = "association"

    def __init__(self, library: Library, learnt: Learnt) -> None:
        """library: whose stretches are chosen from."""
        self._learnt = learnt
        self._sums = np.concatenate([_sums(library, piece) for piece in range(len(library.pieces))])
        first = library.first
        whole = np.stack([self._sums[a:b].mean(axis=0) for a, b in itertools.pairwise(first)])
        self._usual = sounds(whole)

    @classmethod
    def create(cls, options: ComposerOptions, library: Library) -> Association:
        """Raises InputError for a file that is none of `hitpoint associate`."""
        return cls(library, load(options.association) if options.association else load())

    def costs(self, span: Span, stretches: Stretches) -> Costs:
        """0 or more."""
        heard = self.heard(stretches)
        fit = self._learnt.fit(look_of(span)[None], heard)[0]
        spread = float(fit.std())
        return np.asarray((fit.max() - fit) / (spread if spread > 1e-9 else 1.0) + mismatch(span, stretches))

    def joins(self, before: Span, last: Stretches, span: Span, stretches: Stretches) -> Costs:
        """By how much less often a kind of segment follows another than the one that follows it most."""
        kinds = [self._learnt.kinds(self.heard(each)) for each in (last, stretches)]
        follows = self._learnt.chain.max(axis=1, keepdims=True) - self._learnt.chain
        again = last.routes[:, :1] == stretches.routes[:, :1].T
        return np.asarray(CHAIN_WEIGHT * follows[np.ix_(*kinds)] + REUSED * again)

    def heard(self, stretches: Stretches) -> Costs:
        """(n, 24): sounds of stretches against those of their pieces, standardised."""
        means = np.stack([stretches.mean(self._sums[:, column]) for column in range(SUMS)], axis=1)
        return self._learnt.standard(sounds(means) - self._usual[stretches.pieces])


def look_of(span: Span) -> Costs:
    """(8,): ranks of the section's figures among those of the film; .5 where the plan does not hold them."""
    plan: Plan = span.plan
    figures = [section.look for section in plan.sections]
    if not all(len(each) == len(LOOKS) for each in figures):
        return np.full(len(LOOKS), 0.5)
    return np.asarray(ranked(np.array(figures))[plan.bars[span.first_bar].section])


def _sums(library: Library, piece: int) -> Costs:
    own = slice(int(library.first[piece]), int(library.first[piece + 1]))
    bars = own.stop - own.start
    chords = np.stack([library.column("chord_in")[own], library.column("chord_out")[own]], axis=1)
    return bar_sums(library.notes_of(piece), bars, np.nan_to_num(chords).astype(np.int64).ravel())
