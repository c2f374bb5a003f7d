"""By feeling and rhythm: stretches as glad and as lively as the picture, with chords where it is hit."""

from __future__ import annotations

import numpy as np

from hitpoint.model.compose.library.select.base import Costs, Selector, Span, Stretches
from hitpoint.model.compose.library.select.match import mismatch
from hitpoint.model.plan.types import Plan

TEMPO_WEIGHT = 0.3
"""Of the logarithm of how much faster or slower than by itself a piece is played."""


class Emotion(Selector):
    """|difference of valence| + |difference of arousal| + mismatch + .3 |ln tempo ratio|."""

    key = "emotion"

    def costs(self, span: Span, stretches: Stretches) -> Costs:
        """0 to about 6; without a mood in the plan, rhythm and tempo alone."""
        library = stretches.library
        found = mismatch(span, stretches) + TEMPO_WEIGHT * np.abs(
            np.log(library.tempo_bpm[stretches.pieces] / tempo_of(span.plan))
        )
        felt = [bar.affect for bar in span.bars if bar.affect is not None]
        if felt:
            valence, arousal = (
                float(np.mean([getattr(each, name) for each in felt])) for name in ("valence", "arousal")
            )
            glad, lively = span.pull
            found = found + np.abs(stretches.mean(library.valence) - valence - glad)
            found = found + np.abs(stretches.mean(library.arousal) - arousal - lively)
        return np.asarray(found)


def tempo_of(plan: Plan) -> float:
    """Quarter notes a minute over the whole plan."""
    return plan.mean_bpm
