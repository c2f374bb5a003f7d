"""Stretches of real music, measured as composed pieces are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from hitpoint.model.compose.library.match import stretch
from hitpoint.model.data.build import PieceInfo, Shard
from hitpoint.model.music.score import Bar, Score, TempoMap, TempoPoint
from hitpoint.model.perform.perform import perform_all
from hitpoint.model.plan.types import Plan
from hitpoint.model.training.evaluation.rows import ARRANGED, HUMAN, Figures, figures
from hitpoint.model.training.heard.arrangement import ending_figures
from hitpoint.model.training.heard.figures import notes_alone
from hitpoint.model.training.heard.real import real_marks

REAL_STRETCHES = 60


def real_rows(shard: Shard, plans: Sequence[Plan]) -> Iterator[tuple[str, list[Figures]]]:
    """Stretches of held-out music as long as the plans: human pieces, each data set as often, and arrangements."""
    held_out = [piece for piece in shard.pieces if piece.split == "test"]
    for name, arranged in ((HUMAN, False), (ARRANGED, True)):
        chosen = [piece for piece in held_out if (piece.dataset == "band") == arranged]
        datasets = sorted({piece.dataset for piece in chosen})
        draws = np.random.default_rng(1)
        rows = []
        for number in range(REAL_STRETCHES if chosen else 0):
            plan, dataset = plans[number % len(plans)], datasets[number % len(datasets)]
            long_enough = [p for p in chosen if p.bars >= len(plan.bars) and p.dataset == dataset]
            if long_enough:
                piece = long_enough[int(draws.integers(len(long_enough)))]
                first = int(draws.integers(piece.bars - len(plan.bars) + 1))
                bars = stretch(shard, piece, first, len(plan.bars))
                rows.append(_real_figures(shard, piece, _at_tempo(as_score(plan, bars), piece.tempo_bpm)))
        if rows:
            yield name, rows


def _real_figures(shard: Shard, piece: PieceInfo, score: Score) -> Figures:
    """The figures of a stretch; how it ends is measured at the end of its piece, for a stretch ends anywhere."""
    by_ear = notes_alone(score, real_marks(score))
    last = stretch(shard, piece, piece.bars - 1, 1)
    return figures(score) | by_ear | ending_figures(replace(score, bars=tuple(last)))


def _at_tempo(score: Score, bpm: float) -> Score:
    return replace(score, tempo_map=TempoMap((TempoPoint(0.0, 0.0, bpm),)))


def as_score(plan: Plan, bars: Sequence[Bar]) -> Score:
    """Composed bars as they stand, in the plan's time."""
    return Score(tuple(bars), plan.tempo_map, plan.genre, plan.instruments, plan.seed)


def performed(plan: Plan, bars: Sequence[Bar], *, lengths_stand: bool = False) -> Score:
    """Composed bars as they are played: every way of composing has the plan's loudness and accents. lengths_stand: as
    in `perform`."""
    return as_score(plan, perform_all(bars, plan, lengths_stand=lengths_stand))
