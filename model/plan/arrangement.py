"""The arrangement: who plays in which section, how hits are made heard, what leads into them, how the piece ends.

It is made before a note is: what it closes or asks for is kept by the composer's masks, and a bar's density is set to
what is left.
"""

from __future__ import annotations

from dataclasses import replace

from hitpoint.model.plan.accents import set_accents
from hitpoint.model.plan.dynamics import dynamics
from hitpoint.model.plan.ending import end, rest_at_last
from hitpoint.model.plan.leads import lead
from hitpoint.model.plan.players import seat
from hitpoint.model.plan.sheet import Sheet
from hitpoint.model.plan.types import Plan


def arrange(plan: Plan, accents: float = 1.0) -> Plan:
    """`plan` with its arrangement; ticks and strengths stay. accents: 0..2, how far hits stand out; 0 = not.

    The same plan gives the same arrangement; chance is drawn from the plan's seed.
    """
    plan = rest_at_last(plan)
    sheet = Sheet(plan)
    turns = seat(sheet, plan)
    hits = set_accents(sheet, plan, turns, accents)
    if accents > 0:
        lead(sheet, plan, hits, turns)
    ending = end(sheet, plan)
    arranged = replace(plan, bars=sheet.bars(plan), hits=hits, ending=ending)
    bars = zip(arranged.bars, dynamics(arranged, hits), strict=True)
    return replace(arranged, bars=tuple(replace(bar, dynamics=curve) for bar, curve in bars))
