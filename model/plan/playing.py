"""How each bar is to be played: what the wishes say of it, at the bar's own tempo."""

from __future__ import annotations

from dataclasses import replace

from hitpoint.model.music.score import TICKS_PER_BEAT
from hitpoint.model.plan.types import Plan, Playing, Wishes


def with_playing(plan: Plan, wishes: Wishes) -> Plan:
    """`plan` with what a player is told; unchanged where everything is to be played as it is written."""
    if wishes.humanise == 0 and wishes.swing == 0:
        return plan
    at = plan.tempo_map.time_at_tick
    last = len(plan.bars) - 1
    bars = []
    swing = 0.0 if plan.tempo_map.metre.beat_ticks == 6 else wishes.swing
    if swing != wishes.swing:
        plan = replace(plan, changes=(*plan.changes, "no swing in 6/8: its beats are in three already"))
    for bar in plan.bars:
        bpm = round(60 * (bar.ticks / TICKS_PER_BEAT) / (at(bar.index + 1) - at(bar.index)), 3)
        told = Playing(wishes.humanise, swing, wishes.genre, bpm, wishes.dynamics == "learned", bar.index == last)
        bars.append(replace(bar, playing=told))
    return replace(plan, bars=tuple(bars))
