"""Drum fills of half a bar, and how loud human drummers play them.

Counted in the 647 fills of the Groove MIDI Dataset v1.0.0 (Gillick, Roberts, Engel, Eck and Bamman 2019, "Learning to
Groove with Inverse Sequence Transformations", Magenta; licence CC BY 4.0,
https://creativecommons.org/licenses/by/4.0/): the most frequent patterns of snare, toms and kick in the second half of
a bar, rounded to sixteenths, with the toms folded to three; velocities are means over all fills.
"""

from __future__ import annotations

FILL_TICKS = 8

PATTERNS: tuple[str, ...] = (
    "S..LKKS.",
    "HHHHLLLL",
    "SSSSSSS.",
    "SSSSSSSS",
    "S.SKLH..",
    "HSSLLS..",
    "S..HK...",
    "S.S.S.S.",
    "SSSSHHHH",
    "S.SSSSS.",
    "SHL.KS..",
    "SHHL....",
    "S.S.HHLL",
    "S..SSSS.",
    "SSHHMMLL",
    "S.SLSKL.",
)
"""A letter a sixteenth: S snare, H high tom, M middle tom, L low tom, K kick, . nothing. The last four are made up of
halves that occur, but not side by side."""

KEYS = {"S": 38, "H": 48, "M": 45, "L": 43, "K": 36}
"""General MIDI percussion keys."""

VELOCITIES = (86, 77, 85, 83, 96, 93, 99, 90)
"""Mean velocity on each sixteenth of the half bar."""
