"""Which moments of the picture deserve a hit, and how much each is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hitpoint.model.video.types import Boundary, VisualRhythm

MERGE_S = 0.12
"""Moments closer than this are one to the eye and to the ear: about a sixteenth at 120 BPM."""


@dataclass(frozen=True)
class Moment:
    """A moment that the music may hit.

    time_s: seconds from the in point. kind: "cut", "fade" or "beat". saliency: 0..1, as the analysis ranks it.
    weight: 0..1, what missing it costs the tempo fit.
    """

    time_s: float
    kind: str
    saliency: float
    weight: float


def moments(rhythm: VisualRhythm) -> tuple[Moment, ...]:
    """The moments of `rhythm` in order of time, none closer than MERGE_S to another.

    A cut to another looking place weighs most, then cuts inside one place, then loud visual beats; a faint visual beat
    weighs next to nothing, so it is hit only where it falls on the grid by itself.
    """
    every = [_of_boundary(rhythm, index) for index in range(len(rhythm.boundaries))]
    every += [
        Moment(beat.time_s, "beat", _unit(beat.saliency), 0.3 * _unit(beat.saliency) ** 2) for beat in rhythm.beats
    ]
    inside = [moment for moment in every if 0.0 <= moment.time_s <= rhythm.duration_s]
    return merge(inside)


def merge(every: Sequence[Moment]) -> tuple[Moment, ...]:
    """`every` in order of time; of moments closer than MERGE_S only the weightiest stays (the earliest of equals)."""
    kept: list[Moment] = []
    for moment in sorted(every, key=lambda each: (each.time_s, -each.weight)):
        if not kept or moment.time_s - kept[-1].time_s >= MERGE_S:
            kept.append(moment)
        elif moment.weight > kept[-1].weight:
            kept[-1] = moment
            while len(kept) > 1 and kept[-1].time_s - kept[-2].time_s < MERGE_S:
                kept.pop(-2 if kept[-1].weight >= kept[-2].weight else -1)
    return tuple(kept)


def is_section_change(rhythm: VisualRhythm, index: int) -> bool:
    """Whether boundary `index` leads to a shot that looks unlike the one before it (True where nothing is known)."""
    if len(rhythm.shots) != len(rhythm.boundaries) + 1:
        return True
    return rhythm.shots[index] != rhythm.shots[index + 1]


def _of_boundary(rhythm: VisualRhythm, index: int) -> Moment:
    boundary: Boundary = rhythm.boundaries[index]
    strength = _unit(boundary.weight)
    weight = 0.4 + 0.3 * strength + (0.3 if is_section_change(rhythm, index) else 0.0)
    return Moment(boundary.time_s, boundary.kind, strength, weight)


def _unit(value: float) -> float:
    return min(1.0, max(0.0, float(value)))
