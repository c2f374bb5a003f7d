"""Which earlier bar a bar recalls, and how strongly."""

from __future__ import annotations

from typing import NamedTuple

from hitpoint.model.compose.cmt.colour import recast
from hitpoint.model.compose.cmt.leaning import Here
from hitpoint.model.music.score import Bar
from hitpoint.model.plan.types import PHRASE_BARS, Plan

THEME_BARS = 8
RETURN_NATS, PHRASE_NATS, THEME_NATS, GROOVE_NATS = (5.0, 5.0), (4.5, 4.5), (2.5, 3.0), (4.0, 2.0)
"""For rhythm and pitch, chosen so that structure and grooving come nearest to held-out human music."""


class Echo(NamedTuple):
    """An earlier bar to recall, and the nats that speak for its onsets and for its pitches."""

    bar: int
    rhythm_nats: float
    pitch_nats: float


def echo_of(plan: Plan, index: int) -> Echo | None:
    """The bar that bar `index` of the plan recalls: its counterpart in the first section that looks alike, else the
    one a phrase before it, else the one THEME_BARS before it, so that a theme goes on through sections that look
    otherwise, else the one before. A section's last bar recalls only rhythm, so that a return differs.

    None for the first bar of new material and for the last bar of the piece.
    """
    bar = plan.bars[index]
    if not 0 <= bar.section < len(plan.sections) or index == len(plan.bars) - 1:
        return None
    section = plan.sections[bar.section]
    offset = index - section.first_bar
    before = (each for each in plan.sections[: bar.section] if each.end_bar > each.first_bar)
    alike = next((each for each in before if each.label == section.label), None)
    if alike is not None:
        return _echo(alike.first_bar + offset % (alike.end_bar - alike.first_bar), index, RETURN_NATS, section.end_bar)
    if offset >= PHRASE_BARS:
        return _echo(index - PHRASE_BARS, index, PHRASE_NATS, section.end_bar)
    if index >= THEME_BARS:
        return _echo(index - THEME_BARS, index, THEME_NATS, section.end_bar)
    return _echo(index - 1, index, GROOVE_NATS, section.end_bar) if offset else None


def _echo(earlier: int, index: int, nats: tuple[float, float], end_bar: int) -> Echo | None:
    if not 0 <= earlier < index:
        return None
    return Echo(earlier, nats[0], 0.0 if index == end_bar - 1 else nats[1])


class Recalled(NamedTuple):
    """The earlier bar that a bar recalls, as it was written, and recast for those who play now."""

    echo: Echo
    bar: Bar
    recast: Bar


def recalled(here: Here) -> Recalled | None:
    """What the bar about to be written recalls; None where that is nothing, or nothing that is written."""
    echo = echo_of(here.plan, here.index)
    if echo is None or echo.bar >= len(here.written):
        return None
    bar = here.written[echo.bar]
    return Recalled(echo, bar, recast(bar, here.players))
