"""Whose sound each part has: General MIDI programs by genre, and by how calm or strong a section is.

Calm and strong sections differ in their sounds only where that is idiomatic; what a genre is known by stays. What plays
from a user's own instruments is theirs: `--colours off` writes one program a track, and no key switches are ever sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hitpoint.model.music.score import INSTRUMENTS
from hitpoint.model.plan.types import Plan, Wishes

CALM, STRONG = 0.42, 0.6
"""Mean energies below and above which a section is calm, or strong."""

Colours = Mapping[str, tuple[int, int, int]]
"""Instrument -> program (drums: kit) in calm, middling and strong sections, 0..127."""

COLOURS: dict[str, Colours] = {
    "country": {"drums": (40, 0, 0), "guitar": (24, 25, 25), "strings": (48, 48, 48)},
    "dance": {"piano": (4, 5, 5), "strings": (89, 50, 50)},
    "electronic": {"piano": (11, 4, 4), "strings": (89, 51, 51)},
    "metal": {"guitar": (27, 30, 30), "strings": (52, 48, 48)},
    "orchestral": {"guitar": (46, 46, 45), "strings": (52, 48, 61)},
    "pop": {"drums": (40, 0, 0), "guitar": (24, 25, 27), "strings": (89, 48, 48)},
    "rock": {"guitar": (27, 29, 30), "piano": (0, 0, 18), "strings": (52, 48, 48)},
}
"""11 vibraphone, 18 rock organ, 24 nylon, 25 steel, 27 clean, 29 overdriven and 30 distorted guitar, 40 brush kit, 45
pizzicato, 46 harp, 48 strings, 50 and 51 synth strings, 52 choir, 61 brass, 89 warm pad."""


def with_colours(plan: Plan, wishes: Wishes) -> Plan:
    """`plan` whose bars say which program each part has, where its genre's sections differ."""
    if wishes.colours == "off":
        return plan
    table = COLOURS[plan.genre]
    levels = [_level(plan, section.first_bar, section.end_bar) for section in plan.sections]
    bars = []
    for bar in plan.bars:
        named = ((INSTRUMENTS.index(name), programs[levels[bar.section]]) for name, programs in table.items())
        bars.append(replace(bar, colours=tuple(sorted(each for each in named if each[0] in plan.instruments))))
    return replace(plan, bars=tuple(bars))


def _level(plan: Plan, first: int, end: int) -> int:
    energies = [bar.energy for bar in plan.bars[first:end]]
    mean = sum(energies) / max(1, len(energies))
    return 0 if mean < CALM else 2 if mean > STRONG else 1
