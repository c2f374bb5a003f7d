"""Which moments the plan promises, and on which tick each falls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, TempoMap
from hitpoint.model.plan.weights import Moment

TOLERANCE_S = 0.019
"""A promise: the note falls within 20 ms of the picture's moment, half a frame; 1 ms is left for MIDI."""
HITS_PER_BAR = 5
"""More accents than this in one bar are a texture, and no longer hits."""
LOUD_BEAT = 0.75
"""A visual beat of less saliency is promised on eighths alone: only a loud one is worth a syncopated sixteenth."""


@dataclass(frozen=True)
class Placed:
    """A promised moment and where its note falls: bar from 0, tick 0..15."""

    moment: Moment
    bar: int
    tick: int


def place(moments: Sequence[Moment], tempo_map: TempoMap, bars: int) -> tuple[tuple[Placed, ...], int, int]:
    """Put `moments` on the ticks of `bars` bars.

    Returns the promised ones in order of time, how many cuts and fades could not be promised because no tick lies
    within TOLERANCE_S, and how many moments gave way to weightier ones on the same or the next tick or in a full bar.
    """
    if not moments:
        return (), 0, 0
    times_s = np.array([each.time_s for each in moments])
    knots_s, knots_beat = _knots(tempo_map, bars)
    ticks = np.rint(np.interp(times_s, knots_s, knots_beat) * TICKS_PER_BEAT)
    on_grid = np.abs(np.interp(ticks / TICKS_PER_BEAT, knots_beat, knots_s) - times_s) <= TOLERANCE_S
    candidates, off_grid = [], 0
    for moment, tick, near in zip(moments, ticks.astype(int).tolist(), on_grid.tolist(), strict=True):
        if tick >= bars * TICKS_PER_BAR:
            continue  # with the last frame: the music is over
        if not near:
            off_grid += moment.kind != "beat"
        elif moment.kind != "beat" or moment.saliency >= LOUD_BEAT or tick % 2 == 0:
            candidates.append(Placed(moment, *divmod(tick, TICKS_PER_BAR)))
    kept = _thin(candidates)
    return kept, off_grid, len(candidates) - len(kept)


def _knots(tempo_map: TempoMap, bars: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The tempo map as a broken line from beats to seconds: far quicker than asking it moment by moment."""
    end = bars * BEATS_PER_BAR
    times_s = [*(point.time_s for point in tempo_map.points), tempo_map.time_at_beat(end)]
    return np.array(times_s), np.array([*(point.beat for point in tempo_map.points), float(end)])


def bar_lines(tempo_map: TempoMap, bars: int) -> NDArray[np.float64]:
    """Seconds of every bar line, the last one included (bars + 1,)."""
    times_s, beats = _knots(tempo_map, bars)
    return np.asarray(np.interp(np.arange(bars + 1) * float(BEATS_PER_BAR), beats, times_s))


def _thin(candidates: Sequence[Placed]) -> tuple[Placed, ...]:
    """The weightiest first: none on the same or the next tick to another, at most HITS_PER_BAR in a bar."""
    taken: set[int] = set()
    full: Counter[int] = Counter()
    kept = []
    for each in sorted(candidates, key=lambda one: (-one.moment.weight, one.moment.time_s)):
        tick = each.bar * TICKS_PER_BAR + each.tick
        if full[each.bar] < HITS_PER_BAR and taken.isdisjoint((tick - 1, tick, tick + 1)):
            taken.add(tick)
            full[each.bar] += 1
            kept.append(each)
    return tuple(sorted(kept, key=lambda one: (one.bar, one.tick)))
