"""Who plays when: a set of instruments for every phrase, from the energy of the picture.

Of 13,213 bars of held-out human band pieces, the set of those who play changes at .22 of the bar lines, by one
instrument in four cases of five, twice as often where a phrase of four or eight bars begins; drums sound in .93 of the
bars, bass in .84, and an instrument rests for .17 of its bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR
from hitpoint.model.plan.arrangement.sheet import Sheet
from hitpoint.model.plan.types import PHRASE_BARS, HitPoint, Plan, Section

LONGEST_UNIT = 6
"""A section longer than this is played in phrases, each with players of its own."""
SHORTEST_UNIT = 2
TURN = 0.2
"""Where the energy of SHORTEST_UNIT bars differs by so much from that of those before, other people may play."""
NEAR_TICKS = TICKS_PER_BAR // 4
"""A change of players waits for a cut (or comes early to it) that lies so near to the bar line."""
CALM = 0.3
"""Energy below which drums rest."""
DRIVEN = 0.6
"""Energy above which drums play."""
FEWEST, SPAN = 1.8, 4.6
"""Of five instruments FEWEST + SPAN * energy play."""
COMPANY = 2
"""Where three or more could, at least so many do: of three parts people let 2.6 play in a bar, calm or not."""
SECTION_MOVES = {0: 0.02, 1: 1.0, 2: 0.7, 3: 0.2, 4: 0.05}
PHRASE_MOVES = {0: 1.0, 1: 0.5, 2: 0.05}
"""How readily so many instruments come or go at once, at a section and at a phrase within one."""
WITHOUT_LEAD = 0.2
"""How readily the one who has the tune rests, beside others."""
DRUMS, PIANO, GUITAR, BASS, STRINGS = range(len(INSTRUMENTS))


@dataclass(frozen=True)
class Turn:
    """A moment at which other people may play: its tick from the start, the bar that begins there or nearby, whether
    a section begins, and the hit that it falls on."""

    tick: int
    bar: int
    section: bool
    hit: HitPoint | None


@dataclass(frozen=True)
class _Unit:
    first_bar: int
    end_bar: int
    section: bool
    label: str
    energy: float


def seat(sheet: Sheet, plan: Plan, lead: int | None = None) -> tuple[Turn, ...]:
    """Fill in `sheet.players`; the turns at which they change, without the start of the piece."""
    rng = np.random.default_rng([plan.seed, 2])
    units = _units(plan)
    sets = _sets(units, plan.instruments, rng, lead)
    turns = []
    for unit, players in zip(units, sets, strict=True):
        for bar in range(unit.first_bar, unit.end_bar):
            sheet.players[bar] = set(players)
    for number, unit in enumerate(units[1:], 1):
        turn = _turn(unit, plan.hits)
        _switch(sheet, turn, sets[number - 1], sets[number])
        turns.append(turn)
    return tuple(turns)


def _units(plan: Plan) -> list[_Unit]:
    units = []
    energies = [bar.energy for bar in plan.bars]
    for section in plan.sections:
        starts = _unit_starts(section, energies)
        for start, end in zip(starts, [*starts[1:], section.end_bar], strict=True):
            energy = float(np.mean(energies[start:end]))
            units.append(_Unit(start, end, start == section.first_bar, section.label, energy))
    return units


def _unit_starts(section: Section, energies: Sequence[float]) -> list[int]:
    """First bars of the units of a section: where its energy turns, and in between a phrase each."""
    turns = [section.first_bar]
    possible = range(section.first_bar + SHORTEST_UNIT, section.end_bar - SHORTEST_UNIT + 1)
    for bar in possible if section.end_bar - section.first_bar > PHRASE_BARS else ():
        before, after = energies[bar - SHORTEST_UNIT : bar], energies[bar : bar + SHORTEST_UNIT]
        steepest = abs(energies[bar] - energies[bar - 1]) >= abs(energies[bar + 1] - energies[bar])
        if abs(np.mean(after) - np.mean(before)) >= TURN and steepest and bar - turns[-1] >= SHORTEST_UNIT:
            turns.append(bar)
    starts = []
    for start, end in zip(turns, [*turns[1:], section.end_bar], strict=True):
        starts.append(start)
        while end - starts[-1] > LONGEST_UNIT:
            starts.append(starts[-1] + PHRASE_BARS)
    return starts


def _sets(
    units: Sequence[_Unit], instruments: tuple[int, ...], rng: np.random.Generator, lead: int | None
) -> list[frozenset[int]]:
    """The players of each unit: as many as its energy asks for, all at the climax; no two sections alike in a row."""
    climax = max(units, key=lambda unit: unit.energy)
    sets: list[frozenset[int]] = []
    by_label: dict[str, frozenset[int]] = {}
    rested = dict.fromkeys(instruments, 0)
    for unit in units:
        size = _size(unit.energy, len(instruments))
        if len(units) == 1 or (unit is climax and unit.energy >= CALM):
            size = len(instruments)
        before = sets[-1] if sets else None
        chosen = _choose(unit, size, instruments, before, by_label.get(unit.label), rested, rng, lead)
        sets.append(chosen)
        by_label.setdefault(unit.label, chosen)
        for k in instruments:
            rested[k] = 0 if k in chosen else rested[k] + 1
    return sets


def _size(energy: float, most: int) -> int:
    fewest = COMPANY if most > COMPANY else 1
    return int(np.clip(round((FEWEST + SPAN * energy) * most / len(INSTRUMENTS)), fewest, most))


def _choose(
    unit: _Unit, size: int, instruments: tuple[int, ...], before: frozenset[int] | None, alike: frozenset[int] | None,
    rested: dict[int, int], rng: np.random.Generator, lead: int | None,
) -> frozenset[int]:  # fmt: skip
    """Players for one unit; a section that would sound like the one before it has one player more or less."""
    sizes = {size}
    if unit.section and before is not None and len(before) == size == len(instruments):
        sizes = {size - 1}
    every = [frozenset(c) for n in sizes for c in combinations(instruments, max(1, n))]
    able = [each for each in every if _sound(each, unit.energy, instruments)] or [frozenset(instruments)]
    moves = SECTION_MOVES if unit.section else PHRASE_MOVES
    weights = np.array([_weight(each, unit, before, alike, rested, moves) for each in able])
    weights = weights * [1.0 if lead is None or lead in each else WITHOUT_LEAD for each in able]
    return able[int(rng.choice(len(able), p=weights / weights.sum()))]


def _sound(players: frozenset[int], energy: float, instruments: tuple[int, ...]) -> bool:
    """Whether so few can play together: somebody has chords, drums have a bass, and rest where it is calm."""
    there = set(instruments)
    if there & {PIANO, GUITAR} and not players & {PIANO, GUITAR}:
        return False
    if DRUMS in players and DRUMS in there and len(there) > 1:
        if BASS in there and BASS not in players:
            return False
        return energy >= CALM and (len(players) > 2 or len(there) < 3)
    return not (DRUMS in there and energy >= DRIVEN and len(there) > 1)


def _weight(
    players: frozenset[int], unit: _Unit, before: frozenset[int] | None, alike: frozenset[int] | None,
    rested: dict[int, int], moves: dict[int, float],
) -> float:  # fmt: skip
    weight = 1.0 if before is None else moves.get(len(players ^ before), 0.02)
    if BASS not in players and len(players) > 1:
        weight *= 0.2
    if STRINGS in rested and STRINGS not in players:
        weight *= 0.4  # they sing best, and a tune that keeps its player is followed
    if DRUMS in rested and DRUMS not in players and unit.energy > 0.42:
        weight *= 0.3
    if alike is not None:
        weight *= 3.0 if len(players ^ alike) <= 1 else 1.0
    for k, units in rested.items():
        if units and k not in players:
            weight *= 0.6**units
    return weight


def _turn(unit: _Unit, hits: Sequence[HitPoint]) -> Turn:
    line = unit.first_bar * TICKS_PER_BAR
    near = NEAR_TICKS if unit.section else 2
    cuts = [hit for hit in hits if hit.strength is not None and hit.kind != "beat"]
    close = [hit for hit in cuts if abs(hit.bar * TICKS_PER_BAR + hit.tick - line) <= near]
    hit = min(close, key=lambda each: abs(each.bar * TICKS_PER_BAR + each.tick - line), default=None)
    tick = line if hit is None else hit.bar * TICKS_PER_BAR + hit.tick
    return Turn(tick, unit.first_bar, unit.section, hit)


def _switch(sheet: Sheet, turn: Turn, before: frozenset[int], after: frozenset[int]) -> None:
    """The new players come in with the cut, if it follows the bar line, else on it; the others stop by the line."""
    line = turn.bar * TICKS_PER_BAR
    leave, enter = min(line, turn.tick), max(line, turn.tick)
    sheet.close(range(leave, line), before - after)
    sheet.close(range(line, enter), after - before)
    sheet.enter(enter, after - before)
    if before - after:
        sheet.stops.add(leave)
