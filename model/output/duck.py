"""The duck: how far the music goes down where somebody speaks, as one envelope for every output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.take import Prepared
from hitpoint.model.video.sound.speech import joined

ATTACK_S, RELEASE_S = 0.25, 0.8
"""The music is down when the first word begins, and comes back after the last: fades that an editor would draw."""
HOLD_S = 1.6
"""Between two sentences so near to each other it stays down: music that comes up for a moment is heard as a mistake."""


@dataclass(frozen=True)
class Duck:
    """points: (time s, gain as a factor 0..1), times rising, straight lines between them; before the first and after
    the last the gain stays. No points: the music is left alone.
    """

    points: tuple[tuple[float, float], ...] = ()

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gain at each moment."""
        if not self.points:
            return np.ones(len(times_s))
        at_s, gains = zip(*self.points, strict=True)
        return np.asarray(np.interp(times_s, at_s, gains), np.float64)


def duck_of(prepared: Prepared) -> Duck:
    """The duck of a job: none where the film's sound is not kept, or nobody speaks."""
    wishes, rhythm = prepared.wishes, prepared.rhythm
    if rhythm is None or not wishes.keep_sound or wishes.duck_db == 0:
        return Duck()
    return make_duck(rhythm.speech, wishes.duck_db, rhythm.duration_s)


def make_duck(speech: Sequence[tuple[float, float]], depth_db: float, duration_s: float) -> Duck:
    """speech: (begin, end) in seconds, rising. depth_db: the gain under it, below 0."""
    low = 10 ** (depth_db / 20)
    points: list[tuple[float, float]] = []
    for start_s, end_s in joined(speech, HOLD_S):
        down_s, up_s = start_s - ATTACK_S, end_s + RELEASE_S
        points += [(down_s, 1.0), (start_s, low), (end_s, low), (up_s, 1.0)]
    return Duck(_inside(points, duration_s))


def _inside(points: Sequence[tuple[float, float]], duration_s: float) -> tuple[tuple[float, float], ...]:
    """The same line within 0..duration_s."""
    if not points:
        return ()
    at_s, gains = zip(*points, strict=True)
    edges = [(edge_s, float(np.interp(edge_s, at_s, gains))) for edge_s in (0.0, duration_s)]
    inside = [point for point in points if 0.0 < point[0] < duration_s]
    return (edges[0], *inside, edges[1]) if inside or min(gain for _, gain in edges) < 1.0 else ()
