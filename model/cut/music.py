"""What an edit is cut to: the beats of a piece of music, its sections, and how dense it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

EVEN = 0.1
"""A piece whose densest and thinnest section differ by less than this share is of one density."""


@dataclass(frozen=True)
class Section:
    """Bars that belong together. start_s: its first beat. label: alike where the music is. level: how dense it is among
    the piece's sections, 0 the thinnest .. 1 the densest, .5 where all are alike."""

    start_s: float
    label: str
    level: float = 0.5


@dataclass(frozen=True)
class Music:
    """A piece of music. All times in seconds from its beginning.

    beats_s (n,): rising. onsets_s (m,): of all that is struck, rising. beats_in_bar: counted from each section's start.
    is_midi: to be played by the synth. notes: sentences on what had to be assumed.
    """

    path: Path
    duration_s: float
    beats_s: NDArray[np.float64]
    onsets_s: NDArray[np.float64]
    sections: tuple[Section, ...]
    beats_in_bar: int = 4
    is_midi: bool = False
    notes: tuple[str, ...] = ()

    @property
    def beat_s(self) -> float:
        """The usual length of a beat."""
        return float(np.median(np.diff(self.beats_s))) if len(self.beats_s) > 1 else self.duration_s

    def ends_s(self) -> list[float]:
        """Where each section ends."""
        return [*(section.start_s for section in self.sections[1:]), self.duration_s]

    def density(self, start_s: float, end_s: float) -> float:
        """How many things are struck a second from start to end."""
        first, last = np.searchsorted(self.onsets_s, (start_s - 1e-6, end_s - 1e-6))
        return float(last - first) / max(end_s - start_s, 1e-9)


def levelled(music: Music) -> tuple[Section, ...]:
    """The sections, each with its level."""
    spans = zip(music.sections, music.ends_s(), strict=True)
    dense = np.array([music.density(section.start_s, end_s) for section, end_s in spans])
    low, high = float(dense.min()), float(dense.max())
    levels = np.full(len(dense), 0.5) if high - low < EVEN * high or high == 0 else (dense - low) / (high - low)
    return tuple(
        Section(section.start_s, section.label, float(level))
        for section, level in zip(music.sections, levels, strict=True)
    )
