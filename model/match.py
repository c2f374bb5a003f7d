"""Retrieval, the ceiling to be measured against: the stretch of real music that fits a plan best (eq. 16)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model import tokens
from hitpoint.model.conditions import controls_of_plan
from hitpoint.model.data.build import PieceInfo, Shard
from hitpoint.model.data.windows import measure, piece_notes
from hitpoint.model.plan.types import Plan
from hitpoint.model.score import Bar

EPSILON = 1e-6


def matching_scores(
    density: NDArray[np.float64], strength: NDArray[np.float64], wanted_density: NDArray[np.float64],
    wanted_strength: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """MS of every stretch of a piece (Di et al. 2021, eq. 16): 1 / (MSE of density + MSE of strength at the hits).

    density (B,), strength (B, 16) of the piece; wanted (b,), (b, 16) of the plan, b <= B. Returns (B - b + 1,).
    """
    bars = len(wanted_density)
    stretches = np.lib.stride_tricks.sliding_window_view(density, bars)
    apart = ((stretches - wanted_density) ** 2).mean(axis=1)
    played = np.lib.stride_tricks.sliding_window_view(strength, bars, axis=0).transpose(0, 2, 1)
    off = ((np.where(wanted_strength > 0, played, 0) - wanted_strength) ** 2).mean(axis=(1, 2))
    result: NDArray[np.float64] = 1.0 / (apart + off + EPSILON)
    return result


def best_match(plan: Plan, shard: Shard, pieces: Sequence[PieceInfo]) -> list[Bar]:
    """The bars of the stretch with the highest matching score; empty when no piece is long enough.

    Free densities count as the mean of what the plan asks, so that they pull nowhere.
    """
    controls = controls_of_plan(plan)
    asked = controls.density[controls.density >= 0]
    filler = asked.mean() if len(asked) else 8.0
    wanted = np.where(controls.density < 0, filler, controls.density).astype(float)
    best: tuple[float, PieceInfo | None, int] = (-1.0, None, 0)
    for piece in pieces:
        if piece.bars < len(plan.bars):
            continue
        found = measure(piece_notes(shard, piece), piece.bars)
        scores = matching_scores(found.density.astype(float), found.required.astype(float), wanted,
                                 controls.required.astype(float))  # fmt: skip
        at = int(scores.argmax())
        if scores[at] > best[0]:
            best = float(scores[at]), piece, at
    return [] if best[1] is None else stretch(shard, best[1], best[2], len(plan.bars))


def stretch(shard: Shard, piece: PieceInfo, first_bar: int, bars: int) -> list[Bar]:
    """Bars first_bar.. of a piece, counted from 0 again."""
    notes = piece_notes(shard, piece)
    inside = (notes.bar >= first_bar) & (notes.bar < first_bar + bars)
    chosen = notes.where(inside)
    chosen = chosen._replace(bar=chosen.bar - first_bar)
    return tokens.decode(tokens.encode(chosen, bars, end=False).rows)
