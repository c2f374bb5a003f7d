"""Another plan for an edit that has changed: what lies in stretches that have not is kept, bar by bar.

Before the change the old plan stands, up to the last bar line. After it, where the picture is the old one too, the old
plan stands again, shifted by as much as the picture is; a few bars between the two are planned again, in whole bars at
about the old tempo. Where no such bars meet the picture's cuts, everything after the change is planned again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from hitpoint.model.music.meter import METERS, odd_of
from hitpoint.model.music.score import TICKS_PER_BAR, TICKS_PER_BEAT, TempoMap, TempoPoint
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.hits.own import with_own_hits
from hitpoint.model.plan.hits.placing import bar_lines, place
from hitpoint.model.plan.hits.weights import Moment, moments
from hitpoint.model.plan.tempo.planner import TempoPlan, plan_tempo
from hitpoint.model.plan.types import BarPlan, HitPoint, Plan, Section, Wishes
from hitpoint.model.video.changed import Change
from hitpoint.model.video.types import VisualRhythm

LINE_S = 0.003
"""A bar line so little after the change still lies before it."""
WINDOWS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24)
"""This many bars more than the change needs may be planned again, for a tempo that fits."""
NEAR_TEMPO, LOOSE_TEMPO = 0.03, 0.08
"""How far the tempo of the new bars may be from the old: beside old bars that follow, and where none do."""
SAME_LENGTH_S = 0.002


@dataclass(frozen=True)
class Reworked:
    """The new plan. kept: new bar -> the old bar whose notes it keeps."""

    plan: Plan
    kept: dict[int, int]


@dataclass(frozen=True)
class _Window:
    """Old bars [first, resume) become `bars` new ones, in `length_s` seconds of tempo `points`, which begin at 0.

    ticks: sixteenths of each new bar.
    """

    first: int
    resume: int
    bars: int
    length_s: float
    points: tuple[TempoPoint, ...]
    ticks: tuple[int, ...]


def rework(rhythm: VisualRhythm, wishes: Wishes, old: Plan, change: Change) -> Reworked:
    """The plan of the changed edit, whose rhythm is `rhythm`; `old` is that of the edit before it.

    Raises as `build_plan`.
    """
    if wishes.meter not in ("auto", old.tempo_map.meter):
        return Reworked(build_plan(rhythm, wishes), {})
    wishes = replace(wishes, meter=old.tempo_map.meter)
    lines_s = [float(line_s) for line_s in bar_lines(old.tempo_map, len(old.bars), old.end_tick)]
    shift_s = rhythm.duration_s - old.duration_s
    if change.start_s >= old.duration_s - LINE_S and abs(shift_s) <= SAME_LENGTH_S:
        return Reworked(old, {bar: bar for bar in range(len(old.bars))})
    first = sum(line_s <= change.start_s + LINE_S for line_s in lines_s[1:-1])
    seen = moments(with_own_hits(rhythm, wishes.hits, wishes.unhits))
    window = _best_window(rhythm, wishes, old, seen, lines_s, first, change)
    tempo = _whole_tempo(old, window, lines_s, shift_s)
    new = build_plan(rhythm, wishes, tempo)
    return _joined(old, new, window, shift_s)


def _best_window(
    rhythm: VisualRhythm,
    wishes: Wishes,
    old: Plan,
    seen: Sequence[Moment],
    lines_s: Sequence[float],
    first: int,
    change: Change,
) -> _Window:
    """The shortest window in which every cut is met; else all that is left of the film."""
    shift_s = rhythm.duration_s - old.duration_s
    for resume in _resumes(lines_s, change, first):
        length_s = lines_s[resume] + shift_s - lines_s[first]
        inside = _between(seen, lines_s[first], lines_s[first] + length_s)
        for window in _windows(rhythm, wishes, old, inside, lines_s, first, resume, length_s):
            if not _missed(inside, window, wishes.meter):
                return window
    length_s = rhythm.duration_s - lines_s[first]
    inside = _between(seen, lines_s[first], rhythm.duration_s)
    bpm = _bpm_around(old, lines_s, first, len(old.bars))
    return _planned(rhythm, wishes, inside, lines_s, first, len(old.bars), length_s, bpm, LOOSE_TEMPO)


def _resumes(lines_s: Sequence[float], change: Change, first: int) -> Iterator[int]:
    """Old bar lines from which on the old plan may stand again; never the end."""
    bars = len(lines_s) - 1
    after = next((bar for bar in range(first, bars) if lines_s[bar] >= change.old_end_s - LINE_S), bars)
    for more in WINDOWS:
        if first <= after + more < bars:
            yield after + more


def _windows(
    rhythm: VisualRhythm,
    wishes: Wishes,
    old: Plan,
    inside: Sequence[Moment],
    lines_s: Sequence[float],
    first: int,
    resume: int,
    length_s: float,
) -> Iterator[_Window]:
    """The old bars themselves where they last as long; else new ones, in whole bars at about the old tempo."""
    if abs(length_s - (lines_s[resume] - lines_s[first])) <= SAME_LENGTH_S:
        points = _points(old.tempo_map, first, resume, lines_s)
        yield _Window(first, resume, resume - first, length_s, points, _lengths(old)[first:resume])
    bpm = _bpm_around(old, lines_s, first, resume)
    meter = METERS[wishes.meter]
    bar_s = 60.0 * meter.quarters / bpm
    if length_s >= bar_s * (1.0 - NEAR_TEMPO):
        window = _planned(rhythm, wishes, inside, lines_s, first, resume, length_s, bpm, NEAR_TEMPO)
        off = abs(60.0 * sum(window.ticks) / TICKS_PER_BEAT / length_s / bpm - 1.0)
        if window.ticks[-1] == meter.ticks and off <= 1.5 * NEAR_TEMPO:
            yield window


def _planned(
    rhythm: VisualRhythm,
    wishes: Wishes,
    inside: Sequence[Moment],
    lines_s: Sequence[float],
    first: int,
    resume: int,
    length_s: float,
    bpm: float,
    reach: float,
) -> _Window:
    """A window planned as a film of its own, at a tempo within `reach` of `bpm`, or the one that is asked for."""
    start_s = lines_s[first]
    shown = (rhythm.times_s >= start_s) & (rhythm.times_s < start_s + length_s)
    fixed = wishes.tempo_bpm is not None and wishes.tempo_bpm[0] == wishes.tempo_bpm[1]
    asked = wishes if fixed else replace(wishes, tempo_bpm=(bpm * (1.0 - reach), bpm * (1.0 + reach)))
    motion = rhythm.motion[shown] if shown.any() else np.zeros(1, dtype=np.float32)
    tempo = plan_tempo(inside, motion, length_s, asked)
    ticks = (*(tempo.tempo_map.ticks_of(bar) for bar in range(tempo.bars - 1)), tempo.last_bar_ticks)
    return _Window(first, resume, tempo.bars, length_s, tempo.tempo_map.points, ticks)


def _lengths(plan: Plan) -> tuple[int, ...]:
    """Sixteenths of each bar, the last as long as it is."""
    last = len(plan.bars) - 1
    return (*(plan.tempo_map.ticks_of(bar) for bar in range(last)), plan.last_bar_ticks)


def _bpm_around(old: Plan, lines_s: Sequence[float], first: int, resume: int) -> float:
    """The old tempo of the bars that become new, and of one on either side."""
    start, end = max(0, first - 1), min(len(lines_s) - 1, resume + 1)
    ticks = sum(_lengths(old)[start:end])
    return 60.0 * ticks / TICKS_PER_BEAT / (lines_s[end] - lines_s[start])


def _between(seen: Sequence[Moment], start_s: float, end_s: float) -> list[Moment]:
    """The moments from `start_s` to `end_s`, counted from there."""
    return [replace(each, time_s=each.time_s - start_s) for each in seen if start_s - LINE_S < each.time_s < end_s]


def _missed(inside: Sequence[Moment], window: _Window, meter: str) -> int:
    """How many cuts of the window are on none of its ticks."""
    cuts = [replace(each, time_s=max(0.0, each.time_s)) for each in inside if each.kind != "beat"]
    if not window.bars:
        return 0
    end_tick = (window.bars - 1) * TICKS_PER_BAR + window.ticks[-1]
    tempo_map = TempoMap(window.points, meter, odd_of(window.ticks, METERS[meter]))
    placement = place(cuts, tempo_map, window.bars, end_tick)
    return len(placement.off_grid)


def _points(tempo_map: TempoMap, first: int, end: int, lines_s: Sequence[float]) -> tuple[TempoPoint, ...]:
    """The tempo from bar `first` to bar line `end`, counted from there."""
    start_beat, end_beat = (tempo_map.written_tick(bar) / TICKS_PER_BEAT for bar in (first, end))
    under_way = [point for point in tempo_map.points if point.beat <= start_beat]
    inside = [point for point in tempo_map.points if start_beat < point.beat < end_beat]
    begun = TempoPoint(0.0, 0.0, under_way[-1].bpm)
    moved = [TempoPoint(each.time_s - lines_s[first], each.beat - start_beat, each.bpm) for each in inside]
    return (begun, *moved) if first < end else ()


def _whole_tempo(old: Plan, window: _Window, lines_s: Sequence[float], shift_s: float) -> TempoPlan:
    """The old tempo, that of the window, and the old one again."""
    points = list(_points(old.tempo_map, 0, window.first, lines_s))
    ticks = _lengths(old)[: window.first]
    points += [_moved(point, lines_s[window.first], sum(ticks)) for point in window.points]
    ticks += window.ticks
    if window.resume < len(old.bars):
        rest = _points(old.tempo_map, window.resume, len(old.bars) + 1, lines_s)
        points += [_moved(point, lines_s[window.resume] + shift_s, sum(ticks)) for point in rest]
        ticks += _lengths(old)[window.resume :]
    metre = old.tempo_map.metre
    tempo_map = TempoMap(tuple(points), metre.name, odd_of(ticks, metre))
    return TempoPlan(tempo_map, len(ticks), points[0].bpm, ticks[-1])


def _moved(point: TempoPoint, by_s: float, by_ticks: int) -> TempoPoint:
    return TempoPoint(point.time_s + by_s, point.beat + by_ticks / TICKS_PER_BEAT, point.bpm)


def _joined(old: Plan, new: Plan, window: _Window, shift_s: float) -> Reworked:
    """`new`, planned for the whole tempo, with what the old plan had outside the window."""
    first, after = window.first, window.first + window.bars
    by_bars = after - window.resume
    follows = window.resume < len(old.bars)
    same_form = window.bars == window.resume - first
    source = [("old", bar) for bar in range(first)]
    source += [("old" if same_form else "new", bar) for bar in range(first, after)]
    source += [("old", bar) for bar in range(window.resume, len(old.bars))]
    sections, numbers = _sections(old, new, source)
    promised = [*old.bars[:first], *new.bars[first:after], *old.bars[window.resume :]]
    bars = [replace(bar, index=index, section=numbers[index]) for index, bar in enumerate(promised)]
    hits = [hit for hit in old.hits if hit.bar < first] + [hit for hit in new.hits if first <= hit.bar < after]
    hits += [_later(hit, by_bars, shift_s) for hit in old.hits if hit.bar >= window.resume]
    kept = {bar: bar for bar in range(first)} | {bar + by_bars: bar for bar in range(window.resume, len(old.bars))}
    told = f"{len(kept)} of {len(bars)} bars keep the music of the cut before"
    plan = replace(
        new,
        bars=tuple(bars),
        hits=tuple(hits),
        sections=sections,
        ending=old.ending if follows else new.ending,
        changes=(*new.changes, told),
    )
    return Reworked(plan, kept)


def _later(hit: HitPoint, by_bars: int, by_s: float) -> HitPoint:
    return replace(hit, bar=hit.bar + by_bars, time_s=hit.time_s + by_s)


def _sections(old: Plan, new: Plan, source: Sequence[tuple[str, int]]) -> tuple[tuple[Section, ...], list[int]]:
    """The sections of bars that stem from either plan, and the number of each bar's."""
    plans: dict[str, Plan] = {"old": old, "new": new}
    names = [(plan, _section_of(plans[plan].bars, bar)) for plan, bar in source]
    sections: list[Section] = []
    numbers: list[int] = []
    for (plan, number), group in groupby(names):
        section, count = plans[plan].sections[number], len(list(group))
        begins = len(numbers)
        if sections and plan == "new" and sections[-1].label == section.label:
            sections[-1] = replace(sections[-1], end_bar=begins + count)
        else:
            sections.append(replace(section, first_bar=begins, end_bar=begins + count))
        numbers += [len(sections) - 1] * count
    return tuple(sections), numbers


def _section_of(bars: Sequence[BarPlan], index: int) -> int:
    return bars[index].section
