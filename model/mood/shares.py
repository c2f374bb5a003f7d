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
    """A log-linear mean of shares, each with its weight times its certainty: one that hardly says anything does not
    water down one that does.
    """
    weighed = [(weight * max(FLOOR, certainty(shares)), shares) for weight, shares in parts]
    total = sum(weight for weight, _ in weighed)
    nats = {
        name: sum(weight / total * math.log(max(FLOOR, shares[name])) for weight, shares in weighed)
        for name in parts[0][1]
    }
    return shares_of(nats)


def certainty(shares: Mapping[str, float]) -> float:
    """0 where all shares are equal, 1 where one has everything: one less the entropy, in parts of the largest."""
    total = sum(shares.values())
    if len(shares) < 2 or total <= 0.0:
        return 1.0
    parts = [share / total for share in shares.values() if share > 0.0]
    return max(0.0, 1.0 + sum(part * math.log(part) for part in parts) / math.log(len(shares)))
