"""The editor's own word on what is to be hit, and what is not: it outweighs what the picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hitpoint.model.plan.hits.weights import MERGE_S
from hitpoint.model.video.types import Boundary, VisualRhythm

PLAIN_WEIGHT, BOUND_WEIGHT = 0.6, 1.0
"""Of a moment that is to be hit, and of one marked "!": as a light cut, and as the hardest."""


def with_own_hits(
    rhythm: VisualRhythm, hits: Sequence[tuple[float, bool]], unhits: Sequence[float] = ()
) -> VisualRhythm:
    """`rhythm` with cuts at `hits` (seconds, whether it is marked "!"), and nothing to hit at `unhits` (seconds).

    A moment of the picture's within MERGE_S of one of these gives way to it. Moments outside the film are left out.
    """
    if not hits and not unhits:
        return rhythm
    mine = sorted((time_s, bound) for time_s, bound in hits if 0.0 < time_s < rhythm.duration_s)
    silent = [*(time_s for time_s, _ in mine), *unhits]
    labelled = len(rhythm.shots) == len(rhythm.boundaries) + 1
    rows = [(each, rhythm.shots[index + 1] if labelled else "") for index, each in enumerate(rhythm.boundaries)]
    rows = [row for row in rows if not _near(row[0].time_s, silent)]
    shown = [(each.time_s, rhythm.shots[index + 1]) for index, each in enumerate(rhythm.boundaries)] if labelled else []
    for time_s, bound in mine:
        begun = [label for begins_s, label in shown if begins_s <= time_s + MERGE_S]
        label = begun[-1] if begun else rhythm.shots[0] if labelled else ""
        rows.append((Boundary(time_s, "cut", BOUND_WEIGHT if bound else PLAIN_WEIGHT), label))
    rows.sort(key=lambda row: row[0].time_s)
    return replace(
        rhythm,
        boundaries=tuple(boundary for boundary, _ in rows),
        shots=(rhythm.shots[0], *(label for _, label in rows)) if labelled else rhythm.shots,
        beats=tuple(beat for beat in rhythm.beats if not _near(beat.time_s, silent)),
    )


def _near(time_s: float, others_s: Sequence[float]) -> bool:
    return any(abs(time_s - other_s) < MERGE_S for other_s in others_s)
