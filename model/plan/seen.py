"""What was seen a moment ago, as far as music without end follows it. Frozen; standard library only."""

from __future__ import annotations

from dataclasses import dataclass

FEATURES = {"motion": (0.0, 1.0), "cut": (0.0, 1.0), "valence": (-1.0, 1.0), "energy": (0.0, 1.0)}
"""What may be told of the picture, and its range. cut: how large an event is; 0 = none."""


@dataclass(frozen=True)
class Seen:
    """Means over the last bar; None where nothing has been told. cuts: how many events there were.

    motion, energy: 0..1; valence: -1..1.
    """

    motion: float | None = None
    valence: float | None = None
    energy: float | None = None
    cuts: int = 0

    @property
    def level(self) -> float:
        """How quick the picture is, 0..1: its motion, else its energy, else middling."""
        return next((each for each in (self.motion, self.energy) if each is not None), 0.5)

    @property
    def stir(self) -> float:
        """How stirring it is, 0..1: its energy, else its motion, else middling."""
        return next((each for each in (self.energy, self.motion) if each is not None), 0.5)
