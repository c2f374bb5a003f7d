"""How loud every tick is: ramps through the bars' energies, crescendos, and the accents with what is held back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.plan.density.energy import SUDDEN
from hitpoint.model.plan.types import PHRASE_BARS, BarPlan, HitPoint, Plan

LOUDNESS_RANGE = 60.0
"""Velocities between a bar of energy 0 and one of energy 1. The training music hardly ever changes its loudness within
a piece, so the network alone would not follow the picture's energy: its dynamics are moved up and down as a whole."""
HIT_LIFT = 12.0
"""Velocities that an accent of size 1 adds."""
HELD_BACK = (4.2, 3.6, 3.0, 2.4, 2.4, 1.8, 1.8, 1.8, 1.2, 0.6)
"""Velocities by which the 1st, 2nd ... tick before an accent of size 1 is softer."""
EASED = (2.1, 1.8, 1.5, 1.2, 1.2, 0.9, 0.9, 0.9, 0.6, 0.3)
"""And behind it: less, for the ear has heard it by then, and the music is not to fall into a hole."""
CALM_TO_LIVELY, SIZES = (0.15, 0.5), (0.4, 1.0)
"""Energies of music that is calm and that is not, and how much of an accent's loudness each has."""
CROWD_TICKS, CROWDED = (8, 24), (0.45, 1.0)
"""The same for the ticks to the nearest other cut: what comes in every bar is not shouted each time."""
CRESCENDO, CRESCENDO_TICKS = 12.0, 16
"""Velocities gained up to where a lead or a swell arrives, and the ticks before it in which they are."""
LATE = 1.5
"""Exponent of a sudden rise within its bar: a crescendo keeps most of its gain for its end."""
PHRASE_DIP, DIP_TICKS = 3.0, 6
"""Velocities by which a phrase is softer at its end."""
FADE_BARS, FADE = 3, 45.0
"""A piece that fades loses so many velocities over its last bars."""


def dynamics(plan: Plan, hits: Sequence[HitPoint]) -> tuple[tuple[tuple[float, float], ...], ...]:
    """(level, accent) of each tick, a tuple of 16 a bar: velocities that the course of the music adds, and those by
    which an accent stands out or what is around it is held back. Behind a short bar's end stands what its last tick
    has.
    """
    count = plan.tempo_map.first_tick(len(plan.bars))
    level = _level(plan) + _phrases(plan) + _crescendos(plan, hits)
    if plan.ending == "fade":
        fading = min(count, FADE_BARS * plan.tempo_map.metre.ticks)
        level[count - fading :] -= np.linspace(0.0, FADE, fading)
    accent = _accents(count, plan, hits)
    pairs = [(round(float(one), 2), round(float(other), 2)) for one, other in zip(level, accent, strict=True)]
    curves = [pairs[_line(plan, bar.index) : _line(plan, bar.index + 1)] for bar in plan.bars]
    return tuple((*curve, *curve[-1:] * (TICKS_PER_BAR - len(curve))) for curve in curves)


def _line(plan: Plan, bar: int) -> int:
    """Sixteenths from the start to a bar line."""
    return plan.tempo_map.first_tick(bar)


def _at(plan: Plan, hit: HitPoint) -> int:
    """Sixteenths from the start to a hit."""
    return _line(plan, hit.bar) + hit.tick


def _level(plan: Plan) -> NDArray[np.float64]:
    """What the energy alone adds to each tick; a sudden rise comes late in its bar."""
    energy = np.array([bar.energy_at(_bent(bar, tick)) for bar in plan.bars for tick in range(bar.ticks)])
    return LOUDNESS_RANGE * (energy - 0.5)


def _bent(bar: BarPlan, tick: int) -> float:
    """Where in its bar `tick` stands on the curve of the energy: late where that rises a lot."""
    start, end = bar.swell or (0.0, 0.0)
    return TICKS_PER_BAR * (tick / TICKS_PER_BAR) ** LATE if end - start >= SUDDEN else float(tick)


def _phrases(plan: Plan) -> NDArray[np.float64]:
    """A little softer towards the end of each phrase."""
    dips = np.zeros(_line(plan, len(plan.bars)))
    fall = -PHRASE_DIP * np.linspace(0.0, 1.0, DIP_TICKS + 1)[1:]
    for section in plan.sections:
        for end in range(section.first_bar + PHRASE_BARS, section.end_bar + 1, PHRASE_BARS):
            if not plan.bars[end - 1].lead:
                dips[_line(plan, end) - DIP_TICKS : _line(plan, end)] += fall
    return dips


def _crescendos(plan: Plan, hits: Sequence[HitPoint]) -> NDArray[np.float64]:
    """A rise into each lead's aim, and into each swell."""
    count = _line(plan, len(plan.bars))
    rise = np.zeros(count)
    marked = {_at(plan, hit): hit.accent for hit in hits if hit.accent is not None}
    aims = {tick: accent.size for tick, accent in marked.items() if accent.kind == "swell"}
    for bar in plan.bars:
        if bar.lead in ("fill", "rise", "dominant"):
            line = _line(plan, bar.index + 1)
            near = [tick for tick, accent in marked.items() if accent.kind != "stress" and abs(tick - line) < 12]
            aims.setdefault(min(near, key=lambda tick: abs(tick - line), default=line), 1.0)
    for aim, size in aims.items():
        first = max(0, aim - CRESCENDO_TICKS)
        ramp = size * CRESCENDO * (np.arange(first, aim) - aim + CRESCENDO_TICKS) / CRESCENDO_TICKS
        rise[first:aim] = np.maximum(rise[first:aim], ramp)
    return rise


def _accents(count: int, plan: Plan, hits: Sequence[HitPoint]) -> NDArray[np.float64]:
    """What the accents add to and take from each tick: less where it is calm, for there little is enough."""
    added, own = np.zeros(count), np.zeros(count)
    places = np.array([_at(plan, hit) for hit in hits if hit.accent and hit.accent.kind != "stress"])
    for hit in hits:
        accent = hit.accent
        if accent is None:
            continue
        tick = _at(plan, hit)
        away = np.abs(places[places != tick] - tick).min(initial=count)
        size = accent.size * float(np.interp(away, CROWD_TICKS, CROWDED))
        size *= float(np.interp(plan.bars[hit.bar].energy_at(hit.tick), CALM_TO_LIVELY, SIZES))
        own[tick] = max(own[tick], size)
        if accent.kind == "swell":
            continue
        for side, softer in ((-1, HELD_BACK), (1, EASED)):
            for near, less in enumerate(softer, 1):
                if 0 <= (at := tick + side * near) < count:
                    added[at] = min(added[at], -less * size)
    return np.where(own > 0, HIT_LIFT * own, added)
