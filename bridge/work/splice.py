"""A plan cut down to what the composer needs to go on somewhere else. Pure.

Threads and processes: no state, callable from any.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hitpoint.model.music.meter import odd_of
from hitpoint.model.music.score import TICKS_PER_BEAT, TempoMap, TempoPoint
from hitpoint.model.plan.types import BarPlan, HitPoint, Plan, Section


def splice_plan(plan: Plan, heard: range, target: int) -> Plan:
    """The plan of the bars in `heard`, directly followed by those from `target` on, counted from 0.

    The composer is to continue from what it heard as if nothing lay between. Each bar keeps its density, its accents
    and its length in seconds. Sections of which no bar is left are left out, so that what comes back is a plan like
    any other: its sections cover every bar, and none of them is empty. heard lies before target, target in the plan.
    """
    kept = [*heard, *range(target, len(plan.bars))]
    places = {bar: place for place, bar in enumerate(kept)}
    sections, numbers = _sections(plan, kept)
    bars: list[BarPlan] = [
        replace(plan.bars[bar], index=place, section=numbers[plan.bars[bar].section]) for place, bar in enumerate(kept)
    ]
    points, duration_s = _tempo_points(plan, kept)
    starts = [plan.tempo_map.time_at_tick(bar) for bar in kept]
    lengths = [plan.tempo_map.ticks_of(bar) for bar in kept]
    tempo_map = TempoMap(points, plan.tempo_map.meter, odd_of(lengths, plan.tempo_map.metre))
    hits: list[HitPoint] = []
    for hit in plan.hits:
        place = places.get(hit.bar)
        if place is not None:
            shift_s = tempo_map.time_at_tick(place) - starts[place]
            hits.append(replace(hit, bar=place, time_s=hit.time_s + shift_s))
    return replace(
        plan, duration_s=duration_s, tempo_map=tempo_map, bars=tuple(bars), hits=tuple(hits), sections=sections
    )


def _tempo_points(plan: Plan, kept: list[int]) -> tuple[tuple[TempoPoint, ...], float]:
    """One point a bar and one at each change within it; the end's time."""
    tempo_map = plan.tempo_map
    points: list[TempoPoint] = []
    time_s = beat = 0.0
    for bar in kept:
        ticks = plan.last_bar_ticks if bar == len(plan.bars) - 1 else tempo_map.ticks_of(bar)
        first = tempo_map.written_tick(bar) / TICKS_PER_BEAT
        last = first + ticks / TICKS_PER_BEAT
        inside = [point.beat for point in tempo_map.points if first < point.beat < last]
        edges = [float(first), *inside, float(last)]
        for start, end in pairwise(edges):
            span_s = tempo_map.time_at_beat(end) - tempo_map.time_at_beat(start)
            bpm = 60.0 * (end - start) / span_s
            points.append(TempoPoint(time_s, beat + start - first, bpm))
            time_s += span_s
        beat += last - first
    return tuple(points), time_s


def _sections(plan: Plan, kept: list[int]) -> tuple[tuple[Section, ...], dict[int, int]]:
    """The sections of which bars are left, and their new numbers by their old ones."""
    sections: list[Section] = []
    numbers: dict[int, int] = {}
    for place, bar in enumerate(kept):
        number = plan.bars[bar].section
        if number not in numbers:
            numbers[number] = len(sections)
            sections.append(Section(plan.sections[number].label, place, place + 1))
        else:
            sections[numbers[number]] = replace(sections[numbers[number]], end_bar=place + 1)
    return tuple(sections), numbers
