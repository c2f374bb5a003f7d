"""What leads into a section or a weighty cut: a fill, a drum stop, a rising line, a held dominant, or a rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.plan.arrangement.fill_table import FILL_TICKS, KEYS, PATTERNS, VELOCITIES
from hitpoint.model.plan.arrangement.players import DRUMS, Turn
from hitpoint.model.plan.arrangement.sheet import Sheet
from hitpoint.model.plan.types import HitPoint, Plan

LEADS = ("fill", "stop", "rise", "dominant", "rest", "")
"""In the order of the shares below. "rest": nobody starts a note for half a bar, and with drums all are silent; "":
nothing is prepared."""
DRIVING = (0.74, 0.06, 0.06, 0.04, 0.08, 0.02)
PLAIN = (0.7, 0.06, 0.06, 0.08, 0.08, 0.02)
ENTRY = (0.7, 0.0, 0.12, 0.08, 0.08, 0.02)
CALM = (0.0, 0.0, 0.3, 0.25, 0.35, 0.1)
PHRASE = (0.5, 0.06, 0.06, 0.04, 0.3, 0.04)
"""Shares: with drums at an energy from DRIVEN on, with drums, where they come in at the aim, and without; and with
drums where a phrase begins and no section, and no cut is near. There a film that gives no reason to pause lets
people breathe: human pieces have a rest of half a bar in some thirty bars."""
DRIVEN = 0.55
WEIGHTY = 0.9
"""Hits of at least this size are led into as sections are."""
APART = TICKS_PER_BAR
"""Ticks between two leads to sections; twice as many where no section begins."""
ROOM = 5
"""No lead where another cut lies so near before."""


def lead(sheet: Sheet, plan: Plan, hits: Sequence[HitPoint], turns: Sequence[Turn]) -> None:
    """Write the leads of `plan` on the sheet; `hits` with their accents."""
    rng = np.random.default_rng([plan.seed, 3])
    last = 0
    accents = {hit.bar * TICKS_PER_BAR + hit.tick: hit.accent for hit in hits if hit.accent is not None}
    cuts = sorted(tick for tick, accent in accents.items() if accent.kind != "stress")
    heavy = {tick for tick in cuts if accents[tick].size >= WEIGHTY}
    aims = {turn.tick: turn.section for turn in turns}
    for aim in sorted(aims.keys() | heavy):
        draw, pick = (
            rng.random(),
            max(rng.integers(len(PATTERNS), size=2), key=lambda i: len(PATTERNS[i].replace(".", ""))),
        )
        if aim - last < (APART if aims.get(aim) else 2 * APART) or not (aims.get(aim) or aim in heavy or draw < 0.35):
            continue
        if any(0 < sheet.apart(tick, aim) < ROOM for tick in cuts):
            continue
        accent = accents.get(aim)
        kind = _kind(sheet, plan, aim, aims.get(aim) or aim in heavy, float(rng.random()))
        if kind:
            start = max([sheet.before(aim, FILL_TICKS), *(tick + 1 for tick in cuts if tick < aim)])
            window = [tick for tick in range(start, aim) if tick not in sheet.silent]
            _write(sheet, window, kind, 0 if accent is None else accent.breath_ticks, PATTERNS[pick])
            sheet.leads[(aim - 1) // TICKS_PER_BAR] = kind
            last = aim


def _kind(sheet: Sheet, plan: Plan, aim: int, weighty: bool, draw: float) -> str:
    """weighty: a section begins at the aim, or a weighty hit lies on it."""
    bar = sheet.before(aim, FILL_TICKS) // TICKS_PER_BAR
    drums = DRUMS in sheet.players[bar]
    if drums and not weighty:
        shares = PHRASE
    elif drums:
        shares = DRIVING if plan.bars[bar].energy >= DRIVEN else PLAIN
    else:
        shares = ENTRY if DRUMS in sheet.players[aim // TICKS_PER_BAR] else CALM
    return LEADS[min(int(np.searchsorted(np.cumsum(shares), draw, "right")), len(LEADS) - 1)]


def _write(sheet: Sheet, window: Sequence[int], kind: str, breath: int, pattern: str) -> None:
    """window: the ticks before the aim that the lead may use, FILL_TICKS or fewer. breath: how many of the last are
    silent already.
    """
    sounding = window[: len(window) - breath]
    if kind == "fill":
        _seat_drums(sheet, window)
        sheet.close(window, {DRUMS})
        for place, tick in enumerate(sounding, FILL_TICKS - len(window)):
            if pattern[place] != "." and sheet.reach(tick, {DRUMS}) >= sheet.required.get(tick, 0):
                sheet.score(tick, DRUMS, [KEYS[pattern[place]]], VELOCITIES[place])
    elif kind == "stop":
        sheet.close(window, {DRUMS})
    elif kind == "rest":
        sheet.close(window)
        if any(DRUMS in sheet.players[tick // TICKS_PER_BAR] for tick in window[:1]):
            sheet.stops.add(window[0])  # where it is calm, what sounds is held: half a slow bar of silence is a hole
    elif kind == "dominant":
        sheet.changes.add(window[0])
        sheet.close(window[1:])


def _seat_drums(sheet: Sheet, window: Sequence[int]) -> None:
    """Drums play in a window in which they rest otherwise, and nowhere else in its bars."""
    for bar in sorted({tick // TICKS_PER_BAR for tick in window}):
        if DRUMS not in sheet.players[bar]:
            sheet.players[bar].add(DRUMS)
            sheet.close((t for t in range(bar * TICKS_PER_BAR, (bar + 1) * TICKS_PER_BAR) if t not in window), {DRUMS})
