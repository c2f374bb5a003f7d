"""The form: sections of whole bars that follow the shots."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.mood.looks import looks_of
from hitpoint.model.mood.palette import frames_of
from hitpoint.model.mood.salient import Feeling, pull
from hitpoint.model.plan.hits.weights import is_section_change
from hitpoint.model.plan.types import Section
from hitpoint.model.video.types import VisualRhythm, letter

MOST_BARS = 16
LENGTH_COST = {2: 0.5, 4: 0.15, 6: 0.25, 8: 0.0, 12: 0.15, 16: 0.1}
"""Cost of a section of so many bars; music likes 4 and 8. Any other even length costs 0.35, an odd one 0.5."""


def find_sections(rhythm: VisualRhythm, lines_s: NDArray[np.float64]) -> tuple[Section, ...]:
    """Sections of 2..16 bars that cover every bar; lines_s (bars + 1,): bar lines in seconds.

    They begin on the bar lines nearest to changes of the picture, weighed against musical lengths. Equal labels are
    sections whose shots look alike. A clip of fewer than four bars is one section.
    """
    starts = _best_starts(_changes(rhythm, lines_s))
    bounds = [*starts, len(lines_s) - 1]
    looks = [_look(rhythm, lines_s[a], lines_s[b]) for a, b in pairwise(bounds)]
    names: dict[str, str] = {}
    for look in looks:
        names.setdefault(look, letter(len(names)))
    spans = list(pairwise(bounds))
    frames = frames_of(rhythm, [(lines_s[a], lines_s[b]) for a, b in spans])
    pulls = [pull(frame) for frame in frames] or [Feeling(0.0, 0.0)] * len(spans)
    figures = looks_of(rhythm, [(lines_s[a], lines_s[b]) for a, b in spans]).round(4).tolist()
    return tuple(
        Section(names[look], a, b, (round(valence, 4), round(arousal, 4)), tuple(row))
        for look, (a, b), (valence, arousal), row in zip(looks, spans, pulls, figures, strict=True)
    )


def _changes(rhythm: VisualRhythm, lines_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much the picture changes at each bar line (bars + 1,): the weightiest boundary within half a bar of it."""
    changes = np.zeros(len(lines_s))
    for index, boundary in enumerate(rhythm.boundaries):
        line = (
            int(np.argmin(np.abs(lines_s - boundary.time_s)))
            if len(lines_s) < 64
            else _nearest(lines_s, boundary.time_s)
        )
        value = (0.5 + 0.5 * boundary.weight) * (1.0 if is_section_change(rhythm, index) else 0.4)
        changes[line] = max(changes[line], value)
    return changes


def _nearest(lines_s: NDArray[np.float64], time_s: float) -> int:
    right = int(np.clip(np.searchsorted(lines_s, time_s), 1, len(lines_s) - 1))
    return right - int(time_s - lines_s[right - 1] < lines_s[right] - time_s)


def _best_starts(changes: NDArray[np.float64]) -> list[int]:
    """First bars of the sections: the cheapest division, by dynamic programming over the bar lines."""
    bars = len(changes) - 1
    if bars < 4:
        return [0]
    cost = [0.0] + [float("inf")] * bars
    origin = [0] * (bars + 1)
    for end in range(2, bars + 1):
        for length in range(2, min(MOST_BARS, end) + 1):
            start = end - length
            total = cost[start] + LENGTH_COST.get(length, 0.5 if length % 2 else 0.35) + 0.2
            if start > 0:
                total -= changes[start]
            if total < cost[end]:
                cost[end], origin[end] = total, start
    starts = []
    end = bars
    while end > 0:
        end = origin[end]
        starts.append(end)
    return starts[::-1]


def _look(rhythm: VisualRhythm, start_s: float, end_s: float) -> str:
    """The label of the shots that fill most of [start_s, end_s)."""
    if len(rhythm.shots) != len(rhythm.boundaries) + 1:
        return ""
    edges = np.array([0.0, *(boundary.time_s for boundary in rhythm.boundaries), rhythm.duration_s])
    overlap = np.minimum(edges[1:], end_s) - np.maximum(edges[:-1], start_s)
    seconds: dict[str, float] = {}
    for index in np.flatnonzero(overlap > 0):
        seconds[rhythm.shots[index]] = seconds.get(rhythm.shots[index], 0.0) + float(overlap[index])
    return max(seconds, key=lambda label: seconds[label], default="")
