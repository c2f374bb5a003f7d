"""Where the edit is cut: on beats, at every turn of the music, and as often as it is dense."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hitpoint.model.cut.music import Music, levelled
from hitpoint.model.errors import InputError, UsageError

SLOW_S, FAST_S = 5.0, 1.3
"""How long a shot stands where the music is thinnest and where it is densest."""
SHORTEST_S = 0.25
"""No shot is shorter: what is left of a section, or before the first beat, joins its neighbour."""
PACES = (0.1, 10.0)


@dataclass(frozen=True)
class Slot:
    """A place in the edit for one shot. first, end: frames, end excluded. section: its number. label: of that section.
    level: how dense the music is there, 0..1."""

    first: int
    end: int
    section: int
    label: str
    level: float

    @property
    def frames(self) -> int:
        """How many."""
        return self.end - self.first


def slots_of(music: Music, fps: float, longest_s: float, pace: float = 1.0) -> list[Slot]:
    """The slots of an edit as long as the music, to the frame; each cut is on the frame nearest to a beat.

    longest_s: of any shot; longer slots are cut in two at a beat. pace: 2 cuts twice as often.
    Raises InputError where the music has fewer than two frames or a beat is longer than any shot, UsageError for a pace
    that is none.
    """
    if not PACES[0] <= pace <= PACES[1]:
        raise UsageError(f"the pace {pace:g} lies outside {PACES[0]:g}-{PACES[1]:g}; 1 is the usual one, 2 twice it")
    whole = round(music.duration_s * fps)
    if whole < 2:
        raise InputError(f"{music.path.name} is shorter than two frames; give longer music")
    least = max(1, math.ceil(SHORTEST_S * fps))
    sections = levelled(music)
    starts = [0, *(_nearest(music, section.start_s, fps) for section in sections[1:])]
    slots: list[Slot] = []
    for number, (section, first, end) in enumerate(zip(sections, starts, [*starts[1:], whole], strict=True)):
        edges = _edges(music, (first, end), fps, section.level, pace, least)
        for begin, until in _shortened(music, edges, fps, longest_s):
            slots.append(Slot(begin, until, number, section.label, section.level))
    return _with_levels(music, slots, fps)


def _frames(music: Music, fps: float) -> list[int]:
    return sorted({math.floor(beat_s * fps + 0.5) for beat_s in music.beats_s.tolist()})


def _nearest(music: Music, at_s: float, fps: float) -> int:
    """The frame of the beat nearest to a moment."""
    beat_s = float(music.beats_s[int(np.abs(music.beats_s - at_s).argmin())])
    return math.floor(beat_s * fps + 0.5)


def _edges(music: Music, span: tuple[int, int], fps: float, level: float, pace: float, least: int) -> list[int]:
    """The frames at which one section is cut, its own first and end among them."""
    first, end = span
    inside = [frame for frame in _frames(music, fps) if first <= frame < end]
    step = _step(music, level, pace)
    cuts = [frame for frame in inside[::step] if frame - first >= least and end - frame >= least]
    edges = [first]
    for frame in cuts:
        if frame - edges[-1] >= least:
            edges.append(frame)
    if len(edges) > 1 and end - edges[-1] < (edges[-1] - edges[-2]) / 2:
        edges.pop()
    return [*edges, end] if end > first else []


def _step(music: Music, level: float, pace: float) -> int:
    """Beats a shot: a bar, bars, or an even part of one, whichever is nearest to the length that is wanted."""
    bar = music.beats_in_bar
    choices = sorted({1, *([bar // 2] if bar % 2 == 0 else []), bar, 2 * bar, 4 * bar})
    wanted_s = SLOW_S * (FAST_S / SLOW_S) ** level / pace
    return min(choices, key=lambda beats: abs(math.log(beats * music.beat_s / wanted_s)))


def _shortened(music: Music, edges: list[int], fps: float, longest_s: float) -> list[tuple[int, int]]:
    """The stretches between edges, those longer than any shot halved at a beat."""
    beats = _frames(music, fps)
    most = math.floor(longest_s * fps + 1e-6)
    waiting = [(first, end) for first, end in pairwise(edges)][::-1]
    found = []
    while waiting:
        first, end = waiting.pop()
        if end - first <= most:
            found.append((first, end))
            continue
        inside = [frame for frame in beats if first < frame < end]
        if not inside:
            raise InputError(
                f"no shot of the clips is longer than {longest_s:.2f} s, but {music.path.name} has no beat for "
                f"{(end - first) / fps:.2f} s; give longer clips"
            )
        middle = min(inside, key=lambda frame: abs(frame - (first + end) / 2))
        waiting += [(middle, end), (first, middle)]
    return found


def _with_levels(music: Music, slots: list[Slot], fps: float) -> list[Slot]:
    """Half of a slot's level is its section's, half its own rank by density."""
    dense = np.array([music.density(slot.first / fps, slot.end / fps) for slot in slots])
    if len(slots) < 2 or np.ptp(dense) <= 0:
        return slots
    ranks = np.array([float((dense < each).sum() + (dense == each).sum() / 2 - 0.5) for each in dense])
    ranks /= len(slots) - 1
    return [
        Slot(slot.first, slot.end, slot.section, slot.label, (slot.level + float(rank)) / 2)
        for slot, rank in zip(slots, ranks, strict=True)
    ]
