"""Which moments the plan promises, and on which tick each falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hitpoint.model.plan.weights import Moment
from hitpoint.model.score import TICKS_PER_BAR, TICKS_PER_BEAT, TempoMap

TOLERANCE_S = 0.02
"""A promise: the note falls within this of the picture's moment. Half a frame at 25 frames a second."""
HITS_PER_BAR = 6
"""More accents than this in one bar are a texture, and no longer hits."""
WEAK_BEAT = 0.25
"""A visual beat of less saliency is promised only on a beat of the bar or halfway between two."""


@dataclass(frozen=True)
class Placed:
    """A promised moment and where its note falls: bar from 0, tick 0..15."""

    moment: Moment
    bar: int
    tick: int


def place(moments: Sequence[Moment], tempo_map: TempoMap, bars: int) -> tuple[tuple[Placed, ...], int, int]:
    """Put `moments` on the ticks of `bars` bars.

    Returns the promised ones in order of time, how many cuts and fades could not be promised because no tick lies
    within TOLERANCE_S, and how many moments were given up because their bar was full.
    """
    best: dict[tuple[int, int], Placed] = {}
    off_grid = crowded = 0
    for moment in moments:
        tick_index = round(tempo_map.beat_at_time(moment.time_s) * TICKS_PER_BEAT)
        error_s = tempo_map.time_at_tick(0, tick_index) - moment.time_s
        if tick_index >= bars * TICKS_PER_BAR:
            continue
        if abs(error_s) > TOLERANCE_S:
            off_grid += moment.kind != "beat"
            continue
        if moment.kind == "beat" and moment.saliency < WEAK_BEAT and tick_index % 2:
            continue
        placed = Placed(moment, *divmod(tick_index, TICKS_PER_BAR))
        rival = best.get((placed.bar, placed.tick))
        crowded += rival is not None
        if rival is None or rival.moment.weight < moment.weight:
            best[placed.bar, placed.tick] = placed
    kept, dropped = _thin(list(best.values()))
    return kept, off_grid, crowded + dropped


def _thin(placed: list[Placed]) -> tuple[tuple[Placed, ...], int]:
    """At most HITS_PER_BAR in each bar: the weightiest."""
    by_bar: dict[int, list[Placed]] = {}
    for each in placed:
        by_bar.setdefault(each.bar, []).append(each)
    kept = [
        each for inside in by_bar.values() for each in sorted(inside, key=lambda one: -one.moment.weight)[:HITS_PER_BAR]
    ]
    return tuple(sorted(kept, key=lambda one: (one.bar, one.tick))), len(placed) - len(kept)
