"""Room for what is said: the music is sparser and lower in the bars under speech, and no tune competes with the voice.

Its level is the duck's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.plan.types import Plan, Wishes

LEFT_SHARE = 0.7
"""Of its onsets a bar under nothing but speech keeps this share."""
MOSTLY = 0.5
"""In a bar of which so much is speech nobody has the tune, unless the user chose it or who plays it."""


def speech_shares(speech: Sequence[tuple[float, float]], lines_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """(bars,) the share of each bar in which somebody speaks. speech: (begin, end) s; lines_s (bars + 1,)."""
    spoken = np.zeros(len(lines_s) - 1)
    for start_s, end_s in speech:
        spoken += np.clip(np.minimum(lines_s[1:], end_s) - np.maximum(lines_s[:-1], start_s), 0.0, None)
    return np.asarray(spoken / np.maximum(np.diff(lines_s), 1e-9))


def leave_room(
    density: Sequence[int], speech: Sequence[tuple[float, float]], lines_s: NDArray[np.float64]
) -> list[int]:
    """Density 1..16 of each bar, lower where somebody speaks for much of it."""
    shares = speech_shares(speech, lines_s)
    return [max(1, round(each * (1 - (1 - LEFT_SHARE) * share))) for each, share in zip(density, shares, strict=True)]


def make_room(
    plan: Plan, wishes: Wishes, speech: Sequence[tuple[float, float]], lines_s: NDArray[np.float64]
) -> Plan:  # fmt: skip
    """`plan` whose bars know how much of them is speech, and whose tune rests where most of a bar is."""
    if not wishes.keep_sound or not speech:
        return plan
    is_own = wishes.lead is not None or wishes.motif is not None
    bars = []
    for bar, share in zip(plan.bars, speech_shares(speech, lines_s), strict=True):
        bar = replace(bar, spoken=round(float(min(1.0, share)), 3))
        bars.append(replace(bar, leader=None, line=()) if bar.spoken >= MOSTLY and not is_own else bar)
    return replace(plan, bars=tuple(bars))
