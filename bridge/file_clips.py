"""Video items of a host's timeline, as a script names them -> the clips that the picture is made of.

Threads and processes: no state, callable from any.
Rows of a request: item path kind position length offset rate source_length section_start loops reversed, one for each
item; and between first last, where only that part of the timeline is meant. Times are seconds: position, length,
first and last of the timeline, the others of the item's source; section_start is the second of the file at which the
source begins; kind is REAPER's name of it (VIDEO for a film); loops and reversed are 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from hitpoint.bridge.errors import InputError

SHORTEST_S = 0.001
SMALLEST_GAP_S = 0.1
"""A smaller gap is rounding: the clip before it is shown that much longer."""


@dataclass(frozen=True)
class TimelineClip:
    """A stretch of one file. start_s, length_s: on the timeline; in_s: of the file; rate: file seconds a second."""

    path: str
    start_s: float
    length_s: float
    in_s: float
    rate: float

    @property
    def end_s(self) -> float:
        """Where it ends on the timeline, in seconds."""
        return self.start_s + self.length_s

    @property
    def out_s(self) -> float:
        """Where it ends in its file, in seconds."""
        return self.in_s + self.length_s * self.rate


def clips(rows: Sequence[Sequence[str]]) -> list[TimelineClip]:
    """What the items of a request show, one clip after the other without a gap; of items that overlap, the later one.

    Raises InputError where they hold no film, a missing one, one that plays backwards, or leave a gap; ValueError where
    the rows are damaged.
    """
    between = next(((float(row[1]), float(row[2])) for row in rows if row[0] == "between"), None)
    found = [clip for row in rows if row[0] == "item" for clip in _item(row[1:])]
    ordered = sorted(found, key=lambda clip: clip.start_s)
    seen = [
        replace(clip, length_s=min(clip.length_s, later.start_s - clip.start_s)) for clip, later in pairwise(ordered)
    ]
    inside = [_inside(clip, between) for clip in [*seen, *ordered[-1:]]]
    shown = [clip for clip in inside if clip.length_s >= SHORTEST_S]
    if not shown:
        where = "the time selection" if between else "the selected items"
        raise InputError(f"there is no video in {where}; select the film and run the action again")
    return _joined(shown)


def _item(fields: Sequence[str]) -> Iterator[TimelineClip]:
    """The clips of one item, one for each time its source plays through; none for an item without picture."""
    path, kind, *texts = fields
    position, length, offset, rate, whole, section, loops, backwards = map(float, texts)
    if kind != "VIDEO":
        return
    if backwards:
        raise InputError(f"the film {path} plays backwards; films are read forwards only, so undo its reversal")
    if not path.isprintable():  # what is not UTF-8 among it
        raise InputError(f"the name of the film {path!a} holds odd characters; rename the file")
    if not Path(path).is_file():
        raise InputError(f"the film {path} is missing; restore it or relink the item")
    if not (rate > 0 and length < float("inf")):
        raise ValueError(f"an item of {length:g} s at rate {rate:g}")
    end = position + length
    looped = bool(loops) and whole >= SHORTEST_S * rate
    if looped:
        offset %= whole
    elif offset < 0:  # black before the film's first frame
        position, offset = position - offset / rate, 0.0
    while end - position >= SHORTEST_S:
        shown = min(end - position, (whole - offset) / rate) if whole > 0 else end - position
        if shown >= SHORTEST_S:
            yield TimelineClip(path, position, shown, section + offset, rate)
        if not looped:
            return
        position, offset = position + shown, 0.0


def _inside(clip: TimelineClip, between: tuple[float, float] | None) -> TimelineClip:
    """The part of a clip inside [first, last) of the timeline; without length where there is none."""
    if between is None:
        return clip
    start, end = max(clip.start_s, between[0]), min(clip.end_s, between[1])
    in_s = clip.in_s + (start - clip.start_s) * clip.rate
    return replace(clip, start_s=start, length_s=max(0.0, end - start), in_s=in_s)


def _joined(found: list[TimelineClip]) -> list[TimelineClip]:
    """The clips, each lasting until the next begins. Raises InputError for a gap that is more than rounding."""
    for clip, later in pairwise(found):
        if later.start_s - clip.end_s > SMALLEST_GAP_S:
            raise InputError(
                f"there is no picture from {clip.end_s:.2f} to {later.start_s:.2f} s; close the gap, or score the "
                "parts one by one"
            )
    return [replace(clip, length_s=later.start_s - clip.start_s) for clip, later in pairwise(found)] + found[-1:]
