"""Repeated patterns of a part: maximal translatable sets of (onset, pitch), compressed greedily.

Meredith, Lemström & Wiggins 2002 (SIATEC) and Meredith 2013 (COSIATEC): of all sets of notes that come again, moved in
time and pitch, the one that says most with least is taken, its notes are laid aside, and the rest is looked at again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

Place = tuple[int, int]
"""(tick from the start, pitch)."""

SMALLEST = 3
"""A pattern has so many notes at least."""
LEAST_GAIN = 1.25
"""Notes covered for each note and each translation that must be told."""
MOST_PATTERNS, MOST_NOTES = 12, 400
"""Looked for in one part, among so many of its notes."""
MOST_SHAPES = 120
"""So many sets are tried each time, those first that come by most translations and have most notes."""


def patterns(places: Sequence[Place]) -> list[list[list[Place]]]:
    """Patterns, each as its occurrences, each as its notes in one order; no note is in two patterns."""
    left = sorted(set(places))[:MOST_NOTES]
    found: list[list[list[Place]]] = []
    while len(left) >= 2 * SMALLEST and len(found) < MOST_PATTERNS:
        best = _best(left)
        if best is None:
            break
        found.append(best)
        gone = {place for occurrence in best for place in occurrence}
        left = [place for place in left if place not in gone]
    return found


def _best(left: Sequence[Place]) -> list[list[Place]] | None:
    """The occurrences, none of which share a note, of the pattern that covers most for what it takes to tell."""
    there = set(left)
    again: dict[Place, list[Place]] = defaultdict(list)
    for index, (tick, pitch) in enumerate(left):
        for later, other in left[index + 1 :]:
            if later > tick:
                again[later - tick, other - pitch].append((tick, pitch))
    best, most = None, (LEAST_GAIN, 0)
    shapes = Counter(tuple((t - notes[0][0], p - notes[0][1]) for t, p in notes)
                     for notes in again.values() if len(notes) >= SMALLEST)  # fmt: skip
    for shape in sorted(shapes, key=lambda each: (-shapes[each] * len(each), each))[:MOST_SHAPES]:
        used: set[Place] = set()
        occurrences = []
        for tick, pitch in left:
            notes = [(tick + t, pitch + p) for t, p in shape]
            if all(note in there and note not in used for note in notes):
                used.update(notes)
                occurrences.append(notes)
        gain = len(used) / (len(shape) + len(occurrences) - 1)
        dense = (gain, -shape[-1][0])  # of equals the one that is over soonest: a figure, not every fourth note
        if len(occurrences) > 1 and gain > LEAST_GAIN and dense > most:
            best, most = occurrences, dense
    return best
