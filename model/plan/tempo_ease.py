"""Tempo changes spread over the beats between the hits, so that no step is heard.

A span between two hits has a whole number of beats, but these need not be equally long. The beats' deviations are
smoothed again and again; after each round every hit is pulled back to within a little of its moment and every beat to
within the largest deviation (projections onto convex sets).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import TempoMap, TempoPoint
from hitpoint.model.plan.tempo_fit import Anchor, TempoFit

EASE_S = (0.003, 0.008, 0.015)
"""A hit may drift so far from its moment for the sake of a smoother tempo; each is tried if the one before leaves a
step over HEARD_STEP. The last is a third of a film frame.
"""
HEARD_STEP = 0.015
"""Neighbouring tempi that differ by less, as a share, sound like one: under the 2 to 3% that listeners notice."""
ROUNDS = 300
GRAIN, SAME = 0.006, 1e-5
"""Beats whose tempi differ by a smaller share have one tempo; at a hit, only if the same but for rounding."""


def ease(fit: TempoFit, max_deviation: float) -> TempoMap:
    """A tempo map through the anchors of `fit`, each within 15 ms of its moment, the first and last exactly.

    Its tempi stay within `max_deviation` (a share) of the base tempo, as those of `fit` do.
    """
    anchor_beats = np.array([each.beat for each in fit.anchors])
    beats = np.union1d(np.arange(round(anchor_beats[-1]) + 1), anchor_beats)
    for slack_s in EASE_S:
        times_s = _Easing(fit, beats, max_deviation, slack_s).times_s()
        bpm = 60.0 * np.diff(beats) / np.diff(times_s)
        if np.abs(np.diff(np.log(bpm))).max(initial=0.0) <= HEARD_STEP:
            break
    nailed = set(np.searchsorted(beats, anchor_beats).tolist())
    kept, held = [0], bpm[0]
    for index in range(1, len(bpm)):
        if abs(bpm[index] / held - 1.0) > (SAME if index in nailed else GRAIN):
            kept.append(index)
            held = bpm[index]
    kept.append(len(bpm))
    return _map(times_s[kept], beats[kept])


def steady(anchors: Sequence[Anchor]) -> TempoMap:
    """One tempo from each anchor to the next."""
    return _map(np.array([each.time_s for each in anchors]), np.array([each.beat for each in anchors]))


def _map(times_s: NDArray[np.float64], beats: NDArray[np.float64]) -> TempoMap:
    bpm = 60.0 * np.diff(beats) / np.diff(times_s)
    points = zip(times_s[:-1].tolist(), beats[:-1].tolist(), bpm.tolist(), strict=True)
    return TempoMap(tuple(TempoPoint(*point) for point in points))


class _Easing:
    """u (n,): by what share each piece (a beat, or less beside an off-beat hit) is longer than at the base tempo.

    A drift (anchors,) says by how many base beats each anchor comes later than at the base tempo.
    """

    def __init__(self, fit: TempoFit, beats: NDArray[np.float64], max_deviation: float, slack_s: float) -> None:
        self.beat_s = 60.0 / fit.base_bpm
        self.slack = slack_s / self.beat_s
        self.end_s = fit.anchors[-1].time_s
        anchor_beats = np.array([each.beat for each in fit.anchors])
        edges = np.searchsorted(beats, anchor_beats)
        self.length = np.diff(beats)
        self.first = edges[:-1]
        self.span = np.repeat(np.arange(len(self.first)), np.diff(edges))
        self.span_beats = np.diff(anchor_beats)
        self.low, self.high = 1.0 / (1.0 + max_deviation) - 1.0, 1.0 / (1.0 - max_deviation) - 1.0
        self.fitted = np.array([each.time_s for each in fit.anchors]) / self.beat_s - anchor_beats
        self.wanted = np.array([each.moment_s for each in fit.anchors]) / self.beat_s - anchor_beats
        self.u = (np.diff(self.fitted) / self.span_beats)[self.span]

    def times_s(self) -> NDArray[np.float64]:
        """(n + 1,): the time of each piece's start, and of the end."""
        for _ in range(ROUNDS):
            padded = np.concatenate([self.u[:1], self.u, self.u[-1:]])
            self.u = 0.5 * self.u + 0.25 * (padded[:-2] + padded[2:])
            missing = (np.diff(self._aim()) - self._sums()) / self.span_beats
            self.u = np.clip(self.u + missing[self.span], self.low, self.high)
        self._fill(self._aim())
        lengths_s = self.length * (1.0 + self.u) * self.beat_s
        return np.asarray(np.concatenate([[0.0], np.cumsum(lengths_s)[:-1], [self.end_s]]))

    def _sums(self) -> NDArray[np.float64]:
        return np.asarray(np.add.reduceat(self.u * self.length, self.first))

    def _aim(self) -> NDArray[np.float64]:
        """The drift that the anchors should have: theirs now, pulled to within `slack` of their moments, and towards
        the fit as far as a span needs that to be playable within the largest deviation.
        """
        drift = np.concatenate([[0.0], np.cumsum(self._sums())])
        aim = np.clip(drift, self.wanted - self.slack, self.wanted + self.slack)
        aim[0], aim[-1] = self.fitted[0], self.fitted[-1]
        free, fitted = np.diff(aim), np.diff(self.fitted)
        nearest = np.clip(free, self.low * self.span_beats, self.high * self.span_beats)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(free != nearest, (free - nearest) / (free - fitted), 0.0)
        pull = float(np.clip(np.nan_to_num(share, nan=1.0), 0.0, 1.0).max())
        return np.asarray(aim + pull * (self.fitted - aim))

    def _fill(self, aim: NDArray[np.float64]) -> None:
        """Make the anchors meet `aim`; each beat gives in proportion to the room it has left, and keeps its bounds."""
        missing = np.diff(aim) - self._sums()
        room = np.where((missing > 0)[self.span], self.high - self.u, self.u - self.low)
        total = np.asarray(np.add.reduceat(room * self.length, self.first))
        self.u = self.u + (missing / np.maximum(total, 1e-12))[self.span] * room
