"""Metres: how long a bar is and where its beats lie. Standard library only.

Every bar is written on a grid of 16 ticks, sixteenths; a bar of fewer ends early. What lies on the grid behind a bar's
last tick takes no time and holds no note (`TempoMap.written_tick`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GRID_TICKS = 16
"""The most sixteenths a bar."""


@dataclass(frozen=True)
class Meter:
    """A time signature, numerator over denominator.

    ticks: sixteenths a bar, at most 16. beat_ticks: those of a beat as it is felt, 6 where it is a dotted quarter.
    odd_ticks: lengths that a single bar may have instead, where cuts ask for it.
    """

    numerator: int
    denominator: int
    ticks: int
    beat_ticks: int
    odd_ticks: tuple[int, ...]

    @property
    def name(self) -> str:
        """As musicians write it: "3/4"."""
        return f"{self.numerator}/{self.denominator}"

    @property
    def middle(self) -> int:
        """The tick of the beat on which a bar's second half begins: beat three, or two in 6/8."""
        return -(-self.ticks // 2 // self.beat_ticks) * self.beat_ticks

    @property
    def quarters(self) -> float:
        """Quarter notes a bar."""
        return self.ticks / 4


FOUR_FOUR = "4/4"
METERS = {
    each.name: each for each in (Meter(4, 4, 16, 4, (8, 12)), Meter(3, 4, 12, 4, (8, 16)), Meter(6, 8, 12, 6, (6,)))
}
"""Those that can be asked for."""


def signature(ticks: int, meter: Meter) -> tuple[int, int]:
    """(numerator, denominator) of a bar of `ticks` sixteenths in a piece in `meter`."""
    if ticks == meter.ticks:
        return meter.numerator, meter.denominator
    beats, unit = ticks, 16
    while beats % 2 == 0 and unit > 4:
        beats, unit = beats // 2, unit // 2
    return beats, unit


def odd_of(ticks: Sequence[int], meter: Meter) -> tuple[tuple[int, int], ...]:
    """(bar, ticks) of bars that have another length than the metre's, as a tempo map has them: of the last only where
    it is longer, for a shorter one is what the end cuts off."""
    odd = [(bar, each) for bar, each in enumerate(ticks[:-1]) if each != meter.ticks]
    if ticks and meter.ticks < ticks[-1] <= GRID_TICKS:
        odd.append((len(ticks) - 1, ticks[-1]))
    return tuple(odd)
