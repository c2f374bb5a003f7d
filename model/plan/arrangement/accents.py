"""Accents that an ear takes for accents: loudness, space before them, a cymbal, low notes and another chord."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hitpoint.model.music.score import TICKS_PER_BAR, TICKS_PER_BEAT
from hitpoint.model.plan.arrangement.players import BASS, DRUMS, GUITAR, PIANO, STRINGS, Turn
from hitpoint.model.plan.arrangement.sheet import Sheet
from hitpoint.model.plan.types import Accent, HitPoint, Plan

KICK, SNARE, TOM, OPEN_HAT = 36, 38, 43, 46
CRASHES = (49, 57)
"""Struck in turn: one that still rings starts less clearly."""
KICK_VELOCITY = 120
CRASH_GAP = 6
"""Ticks between two crashes; a crash in every beat is a wash."""
CHANGE_GAP = 4
"""Ticks between two changes of harmony."""
NEAR = 10
"""Ticks around a hit in which no other chord is as large and no crash sounds."""
WEIGHTY = 0.8
"""From this weight on everybody plays the hit."""
SILENCED = 1.0
"""From this weight on the breath is a beat long, and what is held ends with it; before lighter hits an eighth is enough
for an ear, and held notes ring on below it."""
BREATHS = ((16, 4), (6, 2), (4, 1))
"""From so many ticks after the hit before, so long a breath fits."""
SWELL_SIZE, BEAT_SIZE = 0.5, 0.35


def set_accents(sheet: Sheet, plan: Plan, turns: Sequence[Turn], amount: float) -> tuple[HitPoint, ...]:
    """The hits of `plan` with their accents, and on `sheet` what these need. amount: 0..2; 0 = none."""
    if amount <= 0:
        return plan.hits
    at_turn = {turn.tick for turn in turns if turn.section and turn.hit is not None}
    cuts = [h.bar * TICKS_PER_BAR + h.tick for h in plan.hits if h.strength is not None and h.kind != "beat"]
    hits = []
    state = _State()
    for hit in plan.hits:
        if hit.strength is None:
            hits.append(hit)
            continue
        tick = hit.bar * TICKS_PER_BAR + hit.tick
        weight = _weight(hit, tick in at_turn)
        if hit.kind == "cut":
            accent: Accent | None = _strike(sheet, hit.strength, tick, weight, amount, state)
        elif hit.kind == "fade":
            accent = Accent("swell", amount * SWELL_SIZE)
            _move_harmony(sheet, tick, state)
        else:
            accent = Accent("stress", amount * weight) if _alone(tick, cuts) else None
        if hit.kind != "beat":
            state.last_cut = tick
        hits.append(replace(hit, accent=accent))
    return tuple(hits)


def _alone(tick: int, cuts: Sequence[int]) -> bool:
    """Whether no cut is so near that an accent on `tick` would take from it."""
    return all(abs(tick - cut) > NEAR for cut in cuts)


class _State:
    """Where the last things of each kind were, ticks from the start; other: whose turn it is of the two crashes."""

    other = False

    last_cut = -TICKS_PER_BAR
    last_crash = -TICKS_PER_BAR
    last_change = -TICKS_PER_BAR


def _weight(hit: HitPoint, at_turn: bool) -> float:
    """0..1: how much of an accent the hit is worth."""
    if hit.kind == "beat":
        return BEAT_SIZE * hit.saliency
    return min(1.0, 0.65 + 0.3 * hit.saliency + 0.15 * at_turn)


def _strike(sheet: Sheet, strength: int, tick: int, weight: float, amount: float, state: _State) -> Accent:
    """A hard cut: a breath, then all at once."""
    breath = _breath(sheet, tick, weight, amount, state)
    players = sheet.playing(tick)
    kind = "chord"
    if DRUMS in sheet.players[tick // TICKS_PER_BAR]:  # also where they have just stopped: with the cut, then
        kind = "crash" if tick - state.last_crash >= CRASH_GAP else "chord"
        state.other = not state.other
        _drums(sheet, tick, strength, kind, (CRASHES if state.other else CRASHES[::-1]))
    pitched = players - {DRUMS}
    chief = [k for k in (PIANO, GUITAR, STRINGS) if k in pitched][:1]
    sheet.enter(tick, pitched if weight >= WEIGHTY else {BASS, *chief})
    for near in range(sheet.before(tick, NEAR), sheet.before(tick, -NEAR) + 1):
        if near not in sheet.required:
            sheet.caps[near] = min(sheet.caps.get(near, 99), max(3, strength - 1))
    _move_harmony(sheet, tick, state)
    if kind == "crash":
        state.last_crash = tick
    return Accent(kind, amount * weight, breath)


def _breath(sheet: Sheet, tick: int, weight: float, amount: float, state: _State) -> int:
    """Close the ticks before a hit, as many as fit between it and what is promised before it."""
    gap = sheet.apart(state.last_cut, tick)
    longest = 4 if weight * amount >= SILENCED else 2 if weight * amount >= 0.4 else 1
    fits = next((length for room, length in BREATHS if gap >= room and length <= longest), 0)
    breath = 0
    while breath < min(fits, tick) and sheet.before(tick, breath + 1) not in sheet.required:
        breath += 1
    first = sheet.before(tick, breath)
    sheet.close(range(first, tick))
    sheet.stops.add(first if breath > 1 and weight >= SILENCED else tick)
    return breath


def _drums(sheet: Sheet, tick: int, strength: int, kind: str, crashes: tuple[int, int]) -> None:
    """Kick, snare and crash; as many drums as the strength asks for, where nobody else can play so many notes."""
    cymbal = crashes[0] if tick % 2 == 0 else OPEN_HAT
    keys = [KICK, cymbal if kind == "crash" else TOM, SNARE, crashes[1]]
    usual = 3 if sheet.reach(tick, {DRUMS}) >= strength else len(keys)
    sheet.score(tick, DRUMS, keys[: min(strength, usual)], KICK_VELOCITY)


def _move_harmony(sheet: Sheet, tick: int, state: _State) -> None:
    if tick >= TICKS_PER_BEAT and tick - state.last_change >= CHANGE_GAP:
        sheet.changes.add(tick)
        state.last_change = tick
