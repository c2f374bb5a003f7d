"""What is told of the picture, message by message, as means over the last bar: packets may be lost, late, or many.

Threads and processes: one owner (the clock process). Pure: moments are handed in.
"""

from __future__ import annotations

import math
from collections import deque

from hitpoint.model.plan.seen import FEATURES, Seen

KEPT = 512
"""Values of one feature that are kept: 4 s of a sender that tells 128 a second."""
EVENT_GAP_S = 0.15
"""Messages of one event: a sender may say it in several frames, and the network twice."""


class Features:
    """Keeps the last values of each feature. One that is told no more stays as it was told last: some senders speak
    only when something changes."""

    def __init__(self) -> None:
        self._values = {name: deque[tuple[float, float]](maxlen=KEPT) for name in FEATURES if name != "cut"}
        self._events: deque[float] = deque(maxlen=KEPT)
        self._cutting_s = -math.inf

    def hear(self, name: str, value: float, now_s: float) -> float:
        """Take in a value of one of FEATURES that lies in its range; the size of an event that it begins, else 0."""
        if name != "cut":
            self._values[name].append((now_s, value))
            return 0.0
        if value <= 0.0:
            return 0.0
        begins = now_s - self._cutting_s > EVENT_GAP_S
        self._cutting_s = now_s
        if not begins:
            return 0.0
        self._events.append(now_s)
        return value

    def seen(self, now_s: float, since_s: float) -> Seen:
        """What was seen in (since_s, now_s]."""
        means = {name: _mean(values, since_s) for name, values in self._values.items()}
        return Seen(**means, cuts=sum(since_s < at_s <= now_s for at_s in self._events))


def _mean(values: deque[tuple[float, float]], since_s: float) -> float | None:
    """Of the values told since then; the last one where there are none; None where nothing was ever told."""
    if not values:
        return None
    fresh = [value for at_s, value in values if at_s > since_s]
    return sum(fresh) / len(fresh) if fresh else values[-1][1]
