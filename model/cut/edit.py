"""Which shot stands where: few looks a section, another one at each turn, and motion where the music is dense."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hitpoint.model.cut.music import Music
from hitpoint.model.cut.shots import Footage, Shot
from hitpoint.model.cut.slots import Slot, slots_of
from hitpoint.model.video.timeline.timecode import standard
from hitpoint.model.video.types import Clip

NEIGHBOUR, SHORTAGE, TAKEN = 2.0, 0.5, 0.25
"""What a look costs a section that its neighbour has too, that has too little footage, that another section has."""
AGAIN, SAME_CLIP = 1.0, 0.1
"""What a shot costs each time that it was shown already, and one of the clip before."""
SKIP_S = 0.4
"""Between two stretches of a shot that follow each other so much is left out, or no cut would be seen."""


@dataclass(frozen=True)
class Part:
    """One shot of the edit, from frame `first` on, as a clip of the timeline."""

    slot: Slot
    shot: Shot
    clip: Clip


@dataclass(frozen=True)
class Cutting:
    """An edit that is cut to music. fps: of its timeline. frames: its length. notes: sentences on what it had to do."""

    music: Music
    parts: tuple[Part, ...]
    fps: float
    frames: int
    width: int
    height: int
    notes: tuple[str, ...] = ()

    @property
    def clips(self) -> list[Clip]:
        """In order, each where it lies on the timeline."""
        return [part.clip for part in self.parts]

    @property
    def duration_s(self) -> float:
        """Of whole frames."""
        return self.frames / self.fps


def cut_to(music: Music, footage: Footage, fps: float | None = None, pace: float = 1.0) -> Cutting:
    """The edit: as long as the music to the frame, every cut on a beat. fps: of the timeline (29.97 is
    30000/1001), None for the footage's.

    Raises as `hitpoint.model.cut.slots.slots_of`.
    """
    rate = standard(fps) if fps else footage.fps
    longest_s = max(_whole_s(shot, rate) for shot in footage.shots)
    slots = slots_of(music, rate, longest_s, pace)
    looks = looks_of(slots, footage.shots, rate)
    taker = _Taker(footage.shots, rate)
    parts = [taker.part(slot, looks[slot.label]) for slot in slots]
    notes = [*music.notes, *footage.notes, *taker.notes(), *_same(footage.shots, looks)]
    return Cutting(music, tuple(parts), rate, slots[-1].end, footage.width, footage.height, tuple(notes))


def looks_of(slots: Sequence[Slot], shots: Sequence[Shot], fps: float) -> dict[str, list[int]]:
    """The looks of each label of section, the one it begins with first; a second where one has too little footage.

    Sections take looks in the order in which they come: each the one whose motion fits its density, unlike its
    neighbours'.
    """
    footage_s: dict[int, float] = defaultdict(float)
    paces: dict[int, list[float]] = defaultdict(list)
    for shot in shots:
        footage_s[shot.look] += shot.length_s
        paces[shot.look].append(shot.pace)
    order = [slot.label for n, slot in enumerate(slots) if n == 0 or slot.section != slots[n - 1].section]
    neighbours = {label: {a for a, b in _pairs(order) if b == label} - {label} for label in order}
    needed_s = {label: sum(slot.frames for slot in slots if slot.label == label) / fps for label in order}
    levels = {label: float(np.mean([slot.level for slot in slots if slot.label == label])) for label in order}
    chosen: dict[str, list[int]] = {}

    def cost(label: str, look: int) -> float:
        near = any(look in chosen.get(other, ()) for other in neighbours[label])
        short = 1 - min(1.0, footage_s[look] / needed_s[label])
        taken = sum(look in looks for looks in chosen.values())
        return abs(levels[label] - float(np.mean(paces[look]))) + NEIGHBOUR * near + SHORTAGE * short + TAKEN * taken

    for label in dict.fromkeys(order):
        ranked = sorted(footage_s, key=lambda look: (cost(label, look), look))
        second = [
            look for look in ranked[1:2] if footage_s[ranked[0]] < needed_s[label] and cost(label, look) < NEIGHBOUR
        ]
        chosen[label] = [ranked[0], *second]
    return chosen


def _pairs(order: Sequence[str]) -> list[tuple[str, str]]:
    ahead = list(pairwise(order))
    return [*ahead, *((b, a) for a, b in ahead)]


def _same(shots: Sequence[Shot], looks: dict[str, list[int]]) -> list[str]:
    if len(looks) > 1 and len({shot.look for shot in shots}) == 1:
        return ["all shots look alike: the picture changes where the music turns, but not its look"]
    return []


def _whole_s(shot: Shot, fps: float) -> float:
    """How much of a shot can be shown in whole frames that begin on the timeline's own moments."""
    return max(0, math.floor(shot.out_s * fps + 1e-6) - math.ceil(shot.in_s * fps - 1e-6)) / fps


class _Taker:
    """Takes stretches of shots, unseen ones first. Frames here are those of the timeline's rate in the clip's time."""

    def __init__(self, shots: Sequence[Shot], fps: float) -> None:
        self._shots, self._fps = shots, fps
        self._next = [math.ceil(shot.in_s * fps - 1e-6) for shot in shots]
        self._uses = [0] * len(shots)
        self._before: tuple[int, int] | None = None  # shot and end of what was taken last
        self._again = 0

    def part(self, slot: Slot, looks: Sequence[int]) -> Part:
        """The best stretch for a slot, of these looks where any of their shots is long enough."""
        fitting = [
            n for n, shot in enumerate(self._shots) if round(_whole_s(shot, self._fps) * self._fps) >= slot.frames
        ]
        number = min(
            [n for n in fitting if self._shots[n].look in looks] or fitting,
            key=lambda n: (self._cost(n, slot, looks), n),
        )
        shot, first = self._shots[number], self._first(number, slot)
        self._next[number] = first + slot.frames
        self._before = number, first + slot.frames
        fps = self._fps
        clip = Clip(shot.clip.path, first / fps, (first + slot.frames) / fps, start_s=slot.first / fps)
        return Part(slot, shot, clip)

    def notes(self) -> list[str]:
        """What is to be said of the footage."""
        if not self._again:
            return []
        times = f"{self._again} of the edit's shots show" if self._again > 1 else "one of the edit's shots shows"
        return [f"there is less footage than music: {times} what was shown before"]

    def _cost(self, number: int, slot: Slot, looks: Sequence[int]) -> float:
        shot = self._shots[number]
        over = self._uses[number] + (self._next[number] + slot.frames > self._end(number))
        near = 0.0
        if self._before is not None:
            before = self._shots[self._before[0]]
            near = AGAIN * (self._before[0] == number) + SAME_CLIP * (before.clip.path == shot.clip.path)
        return abs(shot.pace - slot.level) + AGAIN * over + near + SAME_CLIP * (shot.look != looks[0])

    def _first(self, number: int, slot: Slot) -> int:
        """Where the stretch begins: after what was shown of the shot, else from its beginning again."""
        low, high = math.ceil(self._shots[number].in_s * self._fps - 1e-6), self._end(number) - slot.frames
        skip = math.ceil(SKIP_S * self._fps)
        ended = self._before[1] if self._before is not None and self._before[0] == number else None
        first = self._next[number] + (skip if self._next[number] == ended else 0)
        if first > high:
            self._uses[number] += 1
            self._again += 1
            first = low
        if first == ended:  # it would go on, and no cut be seen
            first = min(high, first + skip) if high > first else max(low, first - skip)
        return first

    def _end(self, number: int) -> int:
        return math.floor(self._shots[number].out_s * self._fps + 1e-6)
