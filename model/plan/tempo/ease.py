"""Bar lines moved a little, so that the tempo changes as softly as the hits allow.

A quadratic programme: the smallest changes of tempo from bar to bar, with every hit within a little of its moment and
no change and no tempo beyond what is allowed. Solved by the alternating direction method of multipliers, as in OSQP
(Stellato et al. 2020): a linear system that stays the same, and a clipping, in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.meter import FOUR_FOUR, METERS, Meter, odd_of
from hitpoint.model.music.score import TICKS_PER_BAR, TICKS_PER_BEAT, TempoMap, TempoPoint
from hitpoint.model.plan.tempo.fit import DRIFT, MARGIN, STEPS_IN_TWO_BARS, TempoFit

SLACK_S, WIDE_SLACK_S = 0.01, 0.03
"""A hit may drift so far from its moment for the sake of a smoother tempo, a quarter of a film frame; and so far where
it could not be met otherwise."""
GRAIN = 0.0015
"""Neighbouring bars whose tempi differ by a smaller share have one tempo."""
MET_S, WIDELY_MET_S = 0.019, 0.038
"""A hit so near its moment is met, half a frame of film; and one with the wide slack."""
ROUNDS = 250
RELAX, STIFFNESS, NEARNESS = 1.6, 10.0, 0.01
"""Of the method: over-relaxation, weight of the bounds, weight of an exact hit."""
CHUNK_BARS, OVERLAP_BARS = 64, 12
"""A longer film is eased in pieces; of each, the last bars are eased again with the next."""


@dataclass(frozen=True)
class Nail:
    """A hit: tick `tick` (0..15) of bar `bar`, which has `ticks`, is to fall at `time_s`, `slack_s` more or less.

    weight: what it is worth, 0..1.
    """

    bar: int
    tick: int
    time_s: float
    weight: float = 1.0
    slack_s: float = SLACK_S
    ticks: int = TICKS_PER_BAR

    @property
    def loosened(self) -> Nail | None:
        """The same with the wide slack; None if it has that already."""
        return replace(self, slack_s=WIDE_SLACK_S) if self.slack_s < WIDE_SLACK_S else None

    def met(self, lines_s: NDArray[np.float64]) -> bool:
        """Whether the tick falls near enough to its moment."""
        return self.off_s(lines_s) <= (MET_S if self.slack_s < WIDE_SLACK_S else WIDELY_MET_S)

    def off_s(self, lines_s: NDArray[np.float64]) -> float:
        """How far from its moment the tick falls, in seconds."""
        line_s = float(lines_s[self.bar])
        if self.tick:
            line_s += self.tick / self.ticks * (float(lines_s[self.bar + 1]) - line_s)
        return abs(line_s - self.time_s)


def bend(lines_s: NDArray[np.float64], ticks: NDArray[np.int64]) -> NDArray[np.float64]:
    """(bars,): by what share the tempo differs within each bar and the two after it, which two bars can touch.

    ticks (bars,): sixteenths of each bar.
    """
    bar_s = np.diff(lines_s) / ticks
    padded = np.concatenate([bar_s, np.repeat(bar_s[-1:], STEPS_IN_TWO_BARS)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, STEPS_IN_TWO_BARS + 1)
    return np.asarray(windows.max(axis=1) / windows.min(axis=1) - 1.0)


def ease(fit: TempoFit, nails: Sequence[Nail], deviation: float) -> NDArray[np.float64]:
    """lines_s (bars + 1,): bar lines through as many of the nails as can be met; the first and last as in `fit`.

    deviation: as in `fit_tempo`. Nails that cannot be met, and the lightest where the tempo bends too far, are loosened
    first and then let go.
    """
    lines_s: NDArray[np.float64] = fit.lines_s.copy()
    bars = len(lines_s) - 1
    kept = list(nails)
    first = 0
    while True:
        end = min(first + CHUNK_BARS, bars)
        held = 2 if first else 1  # a piece goes on with the tempo of the bar before it
        start = first - held + 1
        piece = slice(start, end + 1)
        before = lines_s[piece].copy()
        while True:
            inside = [nail for nail in kept if first <= nail.bar < end]
            lines_s[piece] = _eased(before, fit, inside, start, held, deviation)
            gone = _too_much(lines_s, fit.ticks, inside, range(start, end), deviation)
            if not gone:
                break
            loosened = [nail.loosened if nail in gone else nail for nail in kept]
            kept = [nail for nail in loosened if nail is not None]
        if end == bars:
            return lines_s
        first = end - OVERLAP_BARS


def _too_much(
    lines_s: NDArray[np.float64], ticks: NDArray[np.int64], nails: Sequence[Nail], bars: range, deviation: float
) -> set[Nail]:
    """The nails that ask too much: those that are not met, and wherever the tempo bends too far the lightest nearby."""
    gone = {nail for nail in nails if not nail.met(lines_s)}
    bends = bend(lines_s[bars.start : bars.stop + 1], ticks[bars.start : bars.stop])
    too_far = bars.start + np.flatnonzero(bends > deviation - 2 * GRAIN / 3)
    for place in np.split(too_far, np.flatnonzero(np.diff(too_far) > STEPS_IN_TWO_BARS) + 1):
        if len(place):
            apart = [min(abs(nail.bar - bar) for bar in place.tolist()) for nail in nails]
            reach = max(STEPS_IN_TWO_BARS + 2, min(apart, default=0))
            near = [nail for nail, bars_apart in zip(nails, apart, strict=True) if bars_apart <= reach]
            if gone.isdisjoint(near):
                gone.update(sorted(near, key=lambda nail: nail.weight)[:1])
    return gone


def _eased(
    lines_s: NDArray[np.float64], fit: TempoFit, nails: Sequence[Nail], first_bar: int, held: int, deviation: float
) -> NDArray[np.float64]:
    """One piece; its first `held` lines and its last stay."""
    bars = len(lines_s) - 1
    if bars <= held:
        return lines_s
    usual = max(fit.ticks.tolist(), key=fit.ticks.tolist().count)
    bar_s = 60.0 * usual / TICKS_PER_BEAT / fit.base_bpm
    free = slice(held, bars)
    start = lines_s / bar_s
    fixed = start.copy()
    fixed[free] = 0.0
    hits = _hit_rows(nails, first_bar, bars)
    per_bar = usual / fit.ticks[first_bar : first_bar + bars, None]
    lengths = np.diff(np.eye(bars + 1), axis=0) * per_bar  # as if each bar were a whole one
    steps = np.diff(lengths, axis=0)
    wanted = np.array([nail.time_s for nail in nails]) / bar_s
    limit, drift = MARGIN * deviation / STEPS_IN_TWO_BARS, DRIFT * deviation
    rows = np.concatenate([hits, steps, lengths])
    moved = rows @ fixed  # what the lines that stay put into each row
    slack = np.array([nail.slack_s for nail in nails]) / bar_s
    low = np.concatenate([wanted - slack, np.full(len(steps), -limit), np.full(bars, 1 / (1 + drift))])
    high = np.concatenate([wanted + slack, np.full(len(steps), limit), np.full(bars, 1 / (1 - drift))])
    near, smooth = slice(0, len(hits)), slice(len(hits), len(hits) + len(steps))
    inner = rows[:, free]
    quadratic = inner[smooth].T @ inner[smooth] + NEARNESS * inner[near].T @ inner[near]
    linear = NEARNESS * inner[near].T @ (wanted - moved[near]) - inner[smooth].T @ moved[smooth]
    eased: NDArray[np.float64] = lines_s.copy()
    eased[free] = _solved(quadratic, linear, inner, low - moved, high - moved, start[free]) * bar_s
    return eased


def _hit_rows(nails: Sequence[Nail], first_bar: int, bars: int) -> NDArray[np.float64]:
    """(nails, bars + 1): what each bar line has to do with the time of each hit."""
    rows = np.zeros((len(nails), bars + 1))
    for row, nail in zip(rows, nails, strict=True):
        share = nail.tick / nail.ticks
        row[nail.bar - first_bar : nail.bar - first_bar + 2] = 1.0 - share, share
    return rows


def _solved(
    quadratic: NDArray[np.float64],
    linear: NDArray[np.float64],
    rows: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    x: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The x (n,) with the least x'Qx/2 - l'x and low <= rows @ x <= high, from a first guess `x`."""
    solving = np.linalg.inv(quadratic + STIFFNESS * rows.T @ rows)
    bounded = np.clip(rows @ x, low, high)
    dual = np.zeros(len(rows))
    for _ in range(ROUNDS):
        x = solving @ (linear + rows.T @ (STIFFNESS * bounded - dual))
        reached = RELAX * (rows @ x) + (1.0 - RELAX) * bounded
        bounded = np.clip(reached + dual / STIFFNESS, low, high)
        dual += STIFFNESS * (reached - bounded)
    return np.asarray(x)


def tempo_map(lines_s: NDArray[np.float64], ticks: NDArray[np.int64], meter: Meter = METERS[FOUR_FOUR]) -> TempoMap:
    """One tempo a bar at most; bars that sound alike share one. lines_s (bars + 1,); ticks (bars,): of each."""
    tick_s = np.diff(lines_s) / ticks
    kept = [0]
    for bar in range(1, len(tick_s)):
        if abs(tick_s[bar] / tick_s[kept[-1]] - 1.0) > GRAIN:
            kept.append(bar)
    kept.append(len(tick_s))
    times_s, beats = lines_s[kept], np.concatenate([[0], np.cumsum(ticks)])[kept] / TICKS_PER_BEAT
    bpm = 60.0 * np.diff(beats) / np.diff(times_s)
    points = zip(times_s[:-1].tolist(), beats[:-1].tolist(), bpm.tolist(), strict=True)
    return TempoMap(tuple(TempoPoint(*point) for point in points), meter.name, odd_of(ticks.tolist(), meter))
