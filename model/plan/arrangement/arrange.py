"""The arrangement: who plays in which section, how hits are made heard, what leads into them, how the piece ends.

It is made before a note is: what it closes or asks for is kept by the composer's masks, and a bar's density is set to
what is left.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hitpoint.model.music.score import KIT_GENRES, TICKS_PER_BAR
from hitpoint.model.plan.arrangement.accents import set_accents
from hitpoint.model.plan.arrangement.drum_beat import keep_time
from hitpoint.model.plan.arrangement.dynamics import dynamics
from hitpoint.model.plan.arrangement.ending import end, rest_at_last
from hitpoint.model.plan.arrangement.leads import lead
from hitpoint.model.plan.arrangement.players import BASS, seat
from hitpoint.model.plan.arrangement.sheet import Sheet
from hitpoint.model.plan.mood import pedal
from hitpoint.model.plan.types import Plan

CHANGE_SHARE = 0.75
"""So many bars that no hit changes the harmony of move on to another chord at their bar line."""
BEFORE, AFTER = 8, 15
"""Ticks before a hit and after it in which no bar line moves the harmony on: the hit is to be heard in it."""
CALM, CALM_NOTES = 0.25, 2
"""Below this energy nobody plays more notes at once, unless a hit asks for them."""


def arrange(plan: Plan, accents: float = 1.0, tune: int | None = None) -> Plan:
    """`plan` with its arrangement; ticks and strengths stay. accents: 0..2, how far hits stand out; 0 = not.
    tune: who has it, and rests less.

    The same plan gives the same arrangement; chance is drawn from the plan's seed.
    """
    plan = rest_at_last(plan)
    sheet = Sheet(plan)
    turns = seat(sheet, plan, tune)
    hits = set_accents(sheet, plan, turns, accents)
    if accents > 0:
        lead(sheet, plan, hits, turns)
    ending = end(sheet, plan)
    keep_time(sheet, plan)
    ground(sheet, plan)
    move_on(sheet, plan)
    thin_out(sheet, plan, ending)
    arranged = replace(plan, bars=sheet.bars(plan), hits=hits, ending=ending)
    bars = zip(arranged.bars, dynamics(arranged, hits), strict=True)
    return replace(arranged, bars=tuple(replace(bar, dynamics=curve) for bar, curve in bars))


def ground(sheet: Sheet, plan: Plan) -> None:
    """Without a kit the bass plays as soon as it may in each bar it is there for: in the chamber music that the network
    has learnt it is a voice among others, and rests.
    """
    if plan.genre in KIT_GENRES:
        return
    for bar in plan.bars[:-1]:
        first = bar.index * TICKS_PER_BAR
        tick = next((t for t in range(first, first + TICKS_PER_BAR) if BASS in sheet.playing(t)), None)
        if tick is not None:
            sheet.enter(tick, {BASS})


def move_on(sheet: Sheet, plan: Plan) -> None:
    """Changes of harmony at bar lines, where none is near: a chord lasts a bar or two."""
    rng = np.random.default_rng([plan.seed, 4])
    moved = frozenset(sheet.changes)
    for bar in plan.bars[1:-1]:
        line = bar.index * TICKS_PER_BAR
        near = any(-AFTER <= tick - line <= BEFORE for tick in moved)
        if rng.random() < CHANGE_SHARE * pedal(bar.affect) and not near:
            sheet.changes.add(line)


def thin_out(sheet: Sheet, plan: Plan, ending: str) -> None:
    """Small chords where it is calm; a last chord that is held is a whole one."""
    for bar in plan.bars[:-1] if ending == "chord" else plan.bars:
        if bar.energy < CALM:
            for tick in range(bar.index * TICKS_PER_BAR, (bar.index + 1) * TICKS_PER_BAR):
                if tick not in sheet.required:
                    sheet.caps[tick] = min(sheet.caps.get(tick, CALM_NOTES), CALM_NOTES)
