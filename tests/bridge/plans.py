"""Random plans that are valid, and what makes a plan valid."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import strategies as st

from hitpoint.model.music.score import TICKS_PER_BAR, TempoMap, TempoPoint
from hitpoint.model.plan.types import BarPlan, HitPoint, Plan, Section


@st.composite
def plans(draw, most_sections=6):
    """Plans of sections that return, tempi that change within bars, hits, free bars and bound ones."""
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=most_sections))
    sections, first = [], 0
    for length in lengths:
        sections.append(Section(draw(st.sampled_from("ABC")), first, first + length))
        first += length
    tempo_map = draw(tempo_maps(first))
    bars, hits = [], []
    for number, section in enumerate(sections):
        for index in range(section.first_bar, section.end_bar):
            ticks = draw(st.lists(st.integers(0, TICKS_PER_BAR - 1), max_size=3, unique=True).map(sorted))
            density = draw(st.none() | st.integers(max(1, len(ticks)), TICKS_PER_BAR))
            required = tuple((tick, draw(st.integers(1, 4))) for tick in ticks)
            bars.append(BarPlan(index, density, required, draw(st.floats(0, 1)), number))
            for tick, strength in required:
                hits.append(HitPoint(tempo_map.time_at_tick(index, tick), "cut", 1.0, index, tick, strength))
    last = draw(st.sampled_from((TICKS_PER_BAR, TICKS_PER_BAR, 5, 8, 20)))
    return Plan(
        tempo_map.time_at_tick(first - 1, last), tempo_map, tuple(bars), tuple(hits), tuple(sections), "pop",
        (0, 1, 2, 3, 4), 1.0, draw(st.integers(0, 99)), last_bar_ticks=last,
    )  # fmt: skip


@st.composite
def tempo_maps(draw, bars):
    beats = draw(st.lists(st.integers(1, max(1, 4 * bars - 1)), max_size=4, unique=True).map(sorted))
    points, time_s, before, bpm = [], 0.0, 0.0, 120.0
    for beat in [0.0, *map(float, beats)]:
        time_s += (beat - before) * 60.0 / bpm
        bpm, before = draw(st.floats(40, 240)), beat
        points.append(TempoPoint(time_s, beat, bpm))
    return TempoMap(tuple(points))


def faults(plan):
    """What is wrong with a plan; [] where nothing is."""
    found = []
    if not plan.bars or [bar.index for bar in plan.bars] != list(range(len(plan.bars))):
        found.append("bars are not numbered from 0")
    first = 0
    for section in plan.sections:
        if section.first_bar != first or section.end_bar <= first:
            found.append(f"{section} is empty, or does not follow on")
        first = section.end_bar
    if first != len(plan.bars):
        found.append("the sections do not end with the bars")
    for bar in plan.bars:
        section = plan.sections[bar.section] if 0 <= bar.section < len(plan.sections) else None
        if section is None or not section.first_bar <= bar.index < section.end_bar:
            found.append(f"bar {bar.index} is not in its section {bar.section}")
        ticks = [tick for tick, _ in bar.required]
        if ticks != sorted(set(ticks)) or not all(0 <= tick < TICKS_PER_BAR for tick in ticks):
            found.append(f"bar {bar.index}: ticks {ticks}")
        if bar.density is not None and not max(1, len(ticks)) <= bar.density <= TICKS_PER_BAR:
            found.append(f"bar {bar.index}: density {bar.density} for {len(ticks)} required ticks")
    points = plan.tempo_map.points
    if not points or (points[0].beat, points[0].time_s) != (0.0, 0.0):
        found.append("the tempo map does not begin at 0")
    pairs = pairwise(points)
    if any(b.beat <= a.beat or b.time_s <= a.time_s for a, b in pairs) or any(not p.bpm > 0 for p in points):
        found.append("the tempo map does not rise")
    if not math.isclose(plan.duration_s, plan.tempo_map.time_at_tick(0, plan.end_tick), rel_tol=1e-6, abs_tol=1e-6):
        found.append("the last bar does not end at the end")
    if any(not 0 <= hit.bar < len(plan.bars) for hit in plan.hits):
        found.append("a hit lies in no bar")
    return found
