"""The planner: what the picture says and what the user wishes become the plan that the music keeps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError
from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.plan.arrangement import arrange
from hitpoint.model.plan.density import bar_means, densities, levels, smooth
from hitpoint.model.plan.energy import energies
from hitpoint.model.plan.hits import Placed, bar_lines, place
from hitpoint.model.plan.sections import find_sections
from hitpoint.model.plan.strengths import strengths
from hitpoint.model.plan.tempo_map import plan_tempo
from hitpoint.model.plan.types import BarPlan, HitPoint, Plan, Wishes
from hitpoint.model.plan.weights import moments
from hitpoint.model.plan.wishes import check_wishes
from hitpoint.model.video.types import VisualRhythm


def build_plan(rhythm: VisualRhythm, wishes: Wishes) -> Plan:
    """The plan for `rhythm` under `wishes`: the same arguments give the same plan.

    Raises UsageError for wishes out of range and InputError for a clip without a length.
    """
    check_wishes(wishes)
    if not (math.isfinite(rhythm.duration_s) and rhythm.duration_s > 0):
        raise InputError("the clip has no length: choose one with at least one frame between its in and out point")
    seen = moments(rhythm)
    tempo = plan_tempo(seen, rhythm.duration_s, wishes)
    placed, off_grid, crowded = place(seen, tempo.tempo_map, tempo.bars)
    changes = [*tempo.changes]
    if off_grid:
        changes.append(f"{_count(off_grid, 'cut')} not hit: no beat of the tempo map lies on {_them(off_grid)}")
    if crowded:
        changes.append(f"{_count(crowded, 'weaker moment')} not hit: a weightier one is too close, or the bar is full")

    lines_s = bar_lines(tempo.tempo_map, tempo.bars)
    sections = find_sections(rhythm, lines_s)
    section_of = [index for index, each in enumerate(sections) for _ in range(each.first_bar, each.end_bar)]
    level = smooth(levels(bar_means(rhythm.times_s, rhythm.motion, lines_s)), section_of)
    density = densities(level, wishes.genre, wishes.instruments, wishes.density, np.diff(lines_s))
    bound_bars, bound_hits = _bindings(wishes, tempo.bars, len(placed))
    hits = _hits(placed, strengths(placed, wishes.instruments), bound_hits)
    energy = energies(level, _bar_saliency(placed, tempo.bars), wishes.energy)
    bars = _bars(hits, density, bound_bars, energy, section_of, changes)
    plan = Plan(
        duration_s=rhythm.duration_s,
        tempo_map=tempo.tempo_map,
        bars=bars,
        hits=hits,
        sections=sections,
        genre=wishes.genre,
        instruments=wishes.instruments,
        control=wishes.control,
        seed=wishes.seed,
        changes=tuple(changes),
    )
    return arrange(plan, wishes.accents)


def _bindings(wishes: Wishes, bars: int, hits: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which bars' densities and which hits bind: each with probability C. The draws do not depend on C, so that
    raising it only adds bindings.
    """
    draw_bars = np.random.default_rng([wishes.seed, 0]).random(bars)
    draw_hits = np.random.default_rng([wishes.seed, 1]).random(hits)
    return draw_bars < wishes.control, draw_hits < wishes.control


def _hits(placed: Sequence[Placed], strength: Sequence[int], bound: NDArray[np.bool_]) -> tuple[HitPoint, ...]:
    return tuple(
        HitPoint(
            time_s=each.moment.time_s,
            kind=each.moment.kind,
            saliency=each.moment.saliency,
            bar=each.bar,
            tick=each.tick,
            strength=notes if binds else None,
        )
        for each, notes, binds in zip(placed, strength, bound, strict=True)
    )


def _bar_saliency(placed: Sequence[Placed], bars: int) -> NDArray[np.float64]:
    saliency = np.zeros(bars)
    for each in placed:
        saliency[each.bar] = max(saliency[each.bar], each.moment.saliency)
    return saliency


def _bars(
    hits: Sequence[HitPoint],
    density: Sequence[int],
    bound: NDArray[np.bool_],
    energy: Sequence[float],
    section_of: Sequence[int],
    changes: list[str],
) -> tuple[BarPlan, ...]:
    """One BarPlan a bar; a density too low for the bar's hits is raised, and `changes` says how often."""
    required: list[list[tuple[int, int]]] = [[] for _ in density]
    for hit in hits:
        if hit.strength is not None:
            required[hit.bar].append((hit.tick, hit.strength))
    raised = sum(len(inside) > each for inside, each in zip(required, density, strict=True))
    if raised:
        changes.append(f"{_count(raised, 'bar')} made busier than the motion asks, to hold all hit points")
    return tuple(
        BarPlan(
            index=index,
            density=min(TICKS_PER_BAR, max(density[index], len(inside))) if bound[index] else None,
            required=tuple(inside),
            energy=energy[index],
            section=section_of[index],
        )
        for index, inside in enumerate(required)
    )


def _count(number: int, what: str) -> str:
    return f"1 {what} is" if number == 1 else f"{number} {what}s are"


def _them(number: int) -> str:
    return "it" if number == 1 else "them"
