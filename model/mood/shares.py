"""Shares of moods and genres, what one source says of them, and several sources joined."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SOURCE_WEIGHTS = {"words": 0.5, "picture": 0.3, "scenes": 0.4, "clip": 0.6}
"""What each source counts where several speak."""
FLOOR = 1e-4


@dataclass(frozen=True)
class Source:
    """moods, genres: shares that sum to 1. name: a key of SOURCE_WEIGHTS. why: a few words for the reader."""

    name: str
    moods: Mapping[str, float]
    genres: Mapping[str, float]
    why: str


def shares_of(nats: Mapping[str, float]) -> dict[str, float]:
    """Softmax."""
    top = max(nats.values())
    raised = {name: math.exp(value - top) for name, value in nats.items()}
    total = sum(raised.values())
    return {name: value / total for name, value in raised.items()}


def joined(parts: Sequence[tuple[float, Mapping[str, float]]]) -> dict[str, float]:
    """A log-linear mean of shares, each with its weight."""
    total = sum(weight for weight, _ in parts)
    nats = {
        name: sum(weight / total * math.log(max(FLOOR, shares[name])) for weight, shares in parts)
        for name in parts[0][1]
    }
    return shares_of(nats)
