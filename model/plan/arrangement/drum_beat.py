"""Drums written out in metres that the composers do not know: nothing tells a bar's length as plainly.

The composers learned music in 4/4. In 3/4 and 6/8 the plan says what drums play: the kick on the downbeat, the snare on
the other beats, and a hat on the eighths where the bar is busy enough for it.
"""

from __future__ import annotations

from hitpoint.model.music.meter import FOUR_FOUR
from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.plan.arrangement.players import DRUMS
from hitpoint.model.plan.arrangement.sheet import Sheet
from hitpoint.model.plan.types import Plan

KICK, SNARE, HAT = 36, 38, 42
STRONG, WEAK, LIGHT = 100, 84, 66
"""Velocities of kick and hat on the downbeat, of snare and hat on other beats, and of a hat between them."""


def keep_time(sheet: Sheet, plan: Plan) -> None:
    """Write the drums of all bars but the last; what stands there already, fills and accents, stays."""
    metre = plan.tempo_map.metre
    if metre.name == FOUR_FOUR:
        return
    for bar in plan.bars[:-1]:
        if DRUMS not in sheet.players[bar.index]:
            continue
        eighths = range(0, bar.ticks, 2)
        busy = (bar.density_told or 0) >= len(eighths)
        for tick in range(bar.ticks):
            place = bar.index * TICKS_PER_BAR + tick
            if sheet.is_scored(place, DRUMS) or DRUMS not in sheet.playing(place):
                continue
            keys = _struck(tick, metre.beat_ticks, busy)
            if keys and sheet.reach(place, {DRUMS}) >= sheet.required.get(place, 0):
                sheet.score(
                    place, DRUMS, keys, STRONG if tick == 0 else WEAK if tick % metre.beat_ticks == 0 else LIGHT
                )
            else:
                sheet.close([place], {DRUMS})


def _struck(tick: int, beat_ticks: int, busy: bool) -> list[int]:
    hat = [HAT] if busy else []
    if tick % beat_ticks == 0:
        return [SNARE if tick else KICK, *hat]
    return hat if tick % 2 == 0 else []
