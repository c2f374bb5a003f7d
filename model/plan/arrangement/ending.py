"""How a piece ends: one chord that is held to the last frame, or a fade."""

from __future__ import annotations

from dataclasses import replace

from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.plan.arrangement.players import BASS, DRUMS, STRINGS
from hitpoint.model.plan.arrangement.sheet import Sheet
from hitpoint.model.plan.types import Plan

BRISK = 0.5
"""Energy of the last bar from which the music still moves on to the third beat."""
FADE_BARS = 2
FADE_WITHIN_S = 1.5
"""A fade whose darkest moment lies so near to the end fades the music out as well."""


def rest_at_last(plan: Plan) -> Plan:
    """`plan` without the promises of visual beats that lie behind the last chord; cuts and fades stay.

    The last chord starts by the middle of the last bar, unless the picture asks for one after it.
    """
    last, latest = plan.bars[-1], plan.tempo_map.metre.middle
    late = {hit.tick for hit in plan.hits if hit.bar == last.index and hit.kind == "beat" and hit.tick > latest}
    if not late & {tick for tick, _ in last.required}:
        return plan
    bar = replace(
        last,
        required=tuple(pair for pair in last.required if pair[0] not in late),
        required_told=tuple(pair for pair in last.required_told if pair[0] not in late),
    )
    hits = tuple(
        replace(hit, strength=None) if hit.bar == last.index and hit.tick in late and hit.kind == "beat" else hit
        for hit in plan.hits
    )
    note = "visual beats behind the last chord are not hit, so that it can ring"
    return replace(plan, bars=(*plan.bars[:-1], bar), hits=hits, changes=(*plan.changes, note))


def end(sheet: Sheet, plan: Plan) -> str:
    """Write the last bar on the sheet; the kind of ending: "chord" or "fade"."""
    last_bar = len(plan.bars) - 1
    first, latest = last_bar * TICKS_PER_BAR, plan.tempo_map.metre.middle
    promised = max((tick for tick in sheet.required if tick >= first), default=first)
    fades = plan.hits[-1:] and plan.hits[-1].kind == "fade" and plan.duration_s - plan.hits[-1].time_s <= FADE_WITHIN_S
    brisk = plan.bars[-1].energy >= BRISK and not fades and last_bar > 0
    chord = max(promised, first + latest if brisk and plan.last_bar_ticks > latest else first)
    pitched = [k for k in sheet.players[last_bar] if k != DRUMS]
    if not pitched:
        pitched = [k for k in plan.instruments if k != DRUMS][:1]
        sheet.players[last_bar].update(pitched)
    if not fades and pitched and BASS in plan.instruments and BASS not in pitched:  # the last chord has its root below
        pitched.append(BASS)
        sheet.players[last_bar].add(BASS)
        sheet.close(range(first, chord), {BASS})
    sheet.close(range(chord + 1, sheet.end))
    if pitched:
        sheet.close((tick for tick in range(first + latest, first + TICKS_PER_BAR) if tick != promised), {DRUMS})
        sheet.close(range(first, chord), {STRINGS})
        sheet.closed -= {(chord, k) for k in pitched}
        sheet.enter(chord, pitched)
        sheet.stops = {tick for tick in sheet.stops if tick <= chord} | {chord}
    if fades:
        sheet.close(range(max(0, first - (FADE_BARS - 1) * TICKS_PER_BAR), sheet.end), {DRUMS})
    return "fade" if fades else "chord"
