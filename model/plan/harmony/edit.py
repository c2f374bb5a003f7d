"""Chords that the user puts into a plan that stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hitpoint.model.errors import UsageError
from hitpoint.model.music.score import INSTRUMENTS
from hitpoint.model.music.symbols import parse_symbol
from hitpoint.model.plan.types import Plan

_DRUMS = INSTRUMENTS.index("drums")


def with_chord(plan: Plan, bar: int, half: int, symbol: str) -> Plan:
    """`plan` with another chord in half 0 or 1 of a bar.

    Raises UsageError for what is not a chord symbol, for a bar that does not exist, and for a plan without chords.
    """
    if not 0 <= bar < len(plan.bars) or half not in (0, 1):
        raise UsageError(f"there is no half bar {bar}.{half}; bars are 0 to {len(plan.bars) - 1}, their halves 0 and 1")
    pair = plan.bars[bar].chords
    if pair is None or not plan.harmony:
        needs = "harmony auto or bound" if set(plan.instruments) - {_DRUMS} else "somebody besides drums"
        raise UsageError(f"this music has no planned chords; score it again with {needs}")
    try:
        parse_symbol(symbol)
    except ValueError as error:
        raise UsageError(str(error)) from error
    new = (symbol, pair[1]) if half == 0 else (pair[0], symbol)
    bars = (*plan.bars[:bar], replace(plan.bars[bar], chords=new), *plan.bars[bar + 1 :])
    return replace(plan, bars=bars)


def with_chords(plan: Plan, symbols: Mapping[str, str]) -> Plan:
    """`plan` with the chords of "bar.half" -> symbol, those that it has no place for left out."""
    for place, symbol in symbols.items():
        bar, half = (int(part) for part in place.split("."))
        if bar < len(plan.bars) and plan.bars[bar].chords is not None:
            plan = with_chord(plan, bar, half, symbol)
    return plan
