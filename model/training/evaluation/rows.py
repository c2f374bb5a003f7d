"""What is measured of every way of composing, a row of the table each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.library.transition import Transitions
from hitpoint.model.music import harmony
from hitpoint.model.music.metrics import metrics_of
from hitpoint.model.music.score import Score
from hitpoint.model.output.report import chord_error, control_errors
from hitpoint.model.plan.types import Plan
from hitpoint.model.training.evaluation.answers import answered

MUSIC = (
    "h1", "h4", "gs16", "si_short", "si_mid", "si_long", "pitch_entropy_128", "empty_beats", "in_key", "clash",
    "repetition",
)  # fmt: skip
HUMAN, ARRANGED = "real, human", "real, arranged"
OURS, MOVED = "ours, default", "ours, moved"
"""As `hitpoint score` makes it with no option given; and the same music against cuts and sections at random."""
OWN_MATCH, STRETCHES, PAPER, SHUFFLED = "match, library", "library", "paper C=1", "shuffled video"
ASSOCIATED, DIFFUSION = "association", "diffusion"
OF_PEOPLE = ("match", OWN_MATCH, STRETCHES, ASSOCIATED)
"""Rows whose notes people wrote."""
BY_EAR = {
    HUMAN: "real", "match": "match", OWN_MATCH: "match own", STRETCHES: "library", PAPER: "paper",
    ASSOCIATED: "association", DIFFUSION: "diffusion", OURS: "ours", MOVED: "chance",
}  # fmt: skip
"""Rows that are measured by ear, and what their columns are called."""
RESAMPLES = 1000
NEAR_S = 0.04
"""Farther from an accent a moment of the picture is not heard as hit."""
Figures = dict[str, float]


@dataclass(frozen=True)
class Row:
    """One way of composing: its name and the figures of each of its pieces."""

    name: str
    pieces: tuple[Figures, ...]

    def values(self, figure: str) -> NDArray[np.float64]:
        """One figure of every piece that has it."""
        return np.array([piece[figure] for piece in self.pieces if figure in piece])

    def interval(self, figure: str, seed: int = 0) -> tuple[float, float, float]:
        """Mean and its 95% bootstrap interval; NaN where no piece has the figure."""
        values = self.values(figure)
        if not len(values):
            return (float("nan"),) * 3
        draws = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
        low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
        return float(values.mean()), float(low), float(high)


def figures(score: Score, plan: Plan | None = None, transitions: Transitions | None = None) -> Figures:
    """The music figures of a score and, against a plan, its control errors, the share of hits on an accent, and how it
    answers the picture. transitions: what joins are measured in.
    """
    music = metrics_of(score)
    found = {name: float(getattr(music, name)) for name in MUSIC if hasattr(music, name)}
    found |= {
        "in_key": harmony.in_key_share(score),
        "clash": harmony.clash_rate(score),
        "repetition": harmony.repetition(score),
    }
    found |= answered(score, plan, transitions)
    if plan is not None:
        errors = control_errors(score, plan)
        if error := chord_error(score, plan):
            found["root_error"] = error["chord"]
        found |= {f"{name}_error": errors[name] for name in ("density", "strength", "time")}
        found["chance"] = near_accents(score, np.arange(0.0, plan.duration_s, NEAR_S / 4))
        if plan.hits:
            found["hits_accented"] = near_accents(score, np.array([hit.time_s for hit in plan.hits]))
    return found


def near_accents(score: Score, times_s: NDArray[np.float64]) -> float:
    """The share of moments within NEAR_S of an accent: a tick of strength 3 or more, or a downbeat that sounds."""
    accents_s = np.array(
        [
            score.tempo_map.time_at_tick(bar.index, tick)
            for bar in score.bars
            for tick, strength in sorted(bar.strengths().items())
            if strength >= 3 or tick == 0
        ]
    )
    if not len(accents_s):
        return 0.0
    return float((np.abs(times_s[:, None] - accents_s).min(axis=1) <= NEAR_S).mean())
