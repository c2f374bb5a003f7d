"""A key: what plans and messages carry of harmony, without the arrays that find it in notes."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """root: pitch class 0..11. Chords are pitch classes with their root first."""

    root: int
    minor: bool

    @property
    def tonic(self) -> tuple[int, int, int]:
        """The chord that a piece in this key ends on."""
        return self.root, (self.root + 4 - self.minor) % 12, (self.root + 7) % 12

    @property
    def dominant(self) -> tuple[int, int, int]:
        """The chord that leads there, a major one in minor keys too."""
        return (self.root + 7) % 12, (self.root + 11) % 12, (self.root + 2) % 12
