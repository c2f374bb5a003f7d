"""The peaks of the impact curve, each judged by its signs and by what is around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors import confidence
from hitpoint.model.video.detectors.impact_signs import Floats, Signs, highest, kinds_and_moments_s

APART_S = 0.13
"""Two peaks of the impact curve nearer than this are one impact."""
FAINT = 0.1
"""Cells: a lower peak is not an impact."""
FEATURES = 24
"""Numbers by which a peak is judged."""


def judged(found: Signs, curve: Floats) -> tuple[Floats, Floats]:
    """(moments of the peaks (k,), how sure each is an impact (k,) 0..1)."""
    at = peaks(found.times_s, curve)
    if len(at) == 0:
        return np.zeros(0), np.zeros(0)
    return kinds_and_moments_s(found, found.times_s[at])[1], confidence.of(features(found, curve, at))


def peaks(times_s: Floats, curve: Floats) -> NDArray[np.int64]:
    """Frames that are highest within APART_S on both sides, and higher than FAINT."""
    high = np.flatnonzero((curve >= highest(times_s, curve, times_s, APART_S) - 1e-9) & (curve > FAINT))
    kept: list[int] = []
    for frame in high.tolist():
        if not kept or times_s[frame] - times_s[kept[-1]] >= APART_S:
            kept.append(frame)
    return np.asarray(kept, np.int64)


class _Around:
    """What lies around k peaks, within the shot of each."""

    def __init__(self, found: Signs, at: NDArray[np.int64]) -> None:
        self._times_s, self._at_s = found.times_s, found.times_s[at]
        edges = np.concatenate([[0], found.breaks, [len(found.times_s)]])
        place = np.searchsorted(edges, at, side="right")
        self._first, self._last = edges[place - 1], edges[np.minimum(place, len(edges) - 1)]

    def spans(self, from_s: float, to_s: float) -> list[tuple[int, int]]:
        """Frames (first, past the last) of each peak's time from `from_s` to `to_s`."""
        first = np.searchsorted(self._times_s, self._at_s + from_s - 1e-6)
        last = np.searchsorted(self._times_s, self._at_s + to_s + 1e-6)
        return list(zip(np.maximum(first, self._first).tolist(), np.minimum(last, self._last).tolist(), strict=True))

    def highest(self, values: Floats, from_s: float, to_s: float) -> Floats:
        return np.array([values[a:b].max(initial=0.0) for a, b in self.spans(from_s, to_s)])

    def total(self, values: Floats, reach_s: float) -> Floats:
        return np.array([values[a:b].sum() for a, b in self.spans(-reach_s, reach_s)])

    def mean(self, values: Floats, reach_s: float) -> Floats:
        return np.array([values[a:b].mean() for a, b in self.spans(-reach_s, reach_s)])

    def quartiles(self, values: Floats, reach_s: float) -> tuple[Floats, Floats]:
        """(upper quartile, median)."""
        both = np.array([np.quantile(values[a:b], (0.75, 0.5)) for a, b in self.spans(-reach_s, reach_s)])
        return both[:, 0], both[:, 1]


def features(found: Signs, curve: Floats, at: NDArray[np.int64]) -> Floats:
    """What `confidence` judges k > 0 peaks by (k, FEATURES): 19 logarithms, of their signs and of the picture around
    them, and five shares.

    Signs at the rim of the picture are those of things that come and go. The picture around is what tells an impact
    from restlessness: how much changes in .3 and 1 s, the highest curve within 1.5 s, its quartiles within 2.5 s,
    change well and just before and after, and the curve next to the peak. The shares: of the rim, of bends and of turns
    in the sharp signs, and of the soft signs beside the curve. What glides by bends at the rim, and softly not at all.
    """
    around, near = _Around(found, at), 0.05
    turn = found.turn + found.turn_between
    signs_near = (found.stop, turn, found.bend, found.fall, found.rise, found.rim)
    columns = [
        curve[at],
        *(around.total(each, near) for each in signs_near),
        *(around.highest(each, -near, near) for each in (found.stop_long, found.turn_long)),
        *(around.mean(found.change, reach_s) for reach_s in (0.3, 1.0)),
        around.highest(curve, -1.5, 1.5),
        *around.quartiles(curve, 2.5),
        *(around.highest(found.change, *span) for span in ((-0.25, -0.06), (-0.06, 0), (2e-6, 0.07), (0.07, 0.25))),
        np.maximum(around.highest(curve, -0.32, -0.12), around.highest(curve, 0.12, 0.32)),
    ]
    stop, turned, bend, fall, _, rim = columns[1:7]
    sharp = np.maximum(stop + 0.5 * fall + 2 * turned + 1.5 * bend, 1e-3)
    shares = [np.minimum(part / sharp, 1.5) for part in (rim, 1.5 * bend, 2 * turned)]
    shares += [soft / (soft + columns[0] + 0.1) for soft in columns[7:9]]
    logs = np.log(np.maximum(np.stack(columns, axis=1), 0) + 0.15)
    return np.asarray(np.concatenate([logs, np.stack(shares, axis=1)], axis=1))
