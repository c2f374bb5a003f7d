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
from heapq import heappop, heappush
from itertools import islice, pairwise
from pathlib import Path

from hitpoint.bridge.errors import InputError

SHORTEST_S = 0.001
"""Less is nothing."""
SHORTEST_REST_S = 0.1
"""Less that is left of an item is rounding, and too short to measure: left out; the analysis closes the gap."""

MOST_STRETCHES, MOST_CLIPS = 200_000, 10_000
"""Stretches of items, and what is seen of them: the bridge takes no more clips in one list."""


@dataclass(frozen=True)
class TimelineClip:
    """A stretch of one file. start_s, length_s: on the timeline; in_s: of the file; rate: file seconds a second.

    item_s: where the item that it belongs to begins on the timeline.
    """

    path: str
    start_s: float
    length_s: float
    in_s: float
    rate: float
    item_s: float

    @property
    def end_s(self) -> float:
        """Where it ends on the timeline, in seconds."""
        return self.start_s + self.length_s

    @property
    def out_s(self) -> float:
        """Where it ends in its file, in seconds."""
        return self.in_s + self.length_s * self.rate


def clips(rows: Sequence[Sequence[str]]) -> list[TimelineClip]:
    """What the items of a request show, in order of time; where none shows anything, there is a gap between two clips.

    Of items that lie on one another the one that begins last is seen, of those that begin together the last one named.
    Raises InputError where they hold no film, a missing one or one that plays backwards; ValueError where the rows are
    damaged.
    """
    between = next(((float(row[1]), float(row[2])) for row in rows if row[0] == "between"), None)
    found = list(islice((clip for row in rows if row[0] == "item" for clip in _item(row[1:])), MOST_STRETCHES + 1))
    shown = _visible(found, between) if len(found) <= MOST_STRETCHES else []
    if len(found) > MOST_STRETCHES or len(shown) > MOST_CLIPS:
        raise InputError(_too_many())
    if not shown:
        where = "the time selection" if between else "the selected items"
        raise InputError(f"there is no video in {where}; select the film and run the action again")
    return shown


def _too_many() -> str:
    return f"the items show more than {MOST_CLIPS} clips; select fewer, or shorten what loops so often"


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
    item_s, end = position, position + length
    looped = bool(loops) and whole >= SHORTEST_S * rate
    if looped and length * rate > MOST_STRETCHES * whole:
        raise InputError(_too_many())
    if looped:
        offset %= whole
    elif offset < 0:  # black before the film's first frame
        position, offset = position - offset / rate, 0.0
    while end - position >= SHORTEST_S:
        shown = min(end - position, (whole - offset) / rate) if whole > 0 else end - position
        if shown >= min(SHORTEST_REST_S, length) - SHORTEST_S:
            yield TimelineClip(path, position, shown, section + offset, rate, item_s)
        if not looped:
            return
        position, offset = position + shown, 0.0


def _visible(found: Sequence[TimelineClip], between: tuple[float, float] | None) -> list[TimelineClip]:
    """What is on top at each moment inside [first, last) of the timeline, or at all; rests of clips left out."""
    first_s, last_s = between or (float("-inf"), float("inf"))
    edges = sorted({min(max(edge_s, first_s), last_s) for clip in found for edge_s in (clip.start_s, clip.end_s)})
    waiting = sorted(range(len(found)), key=lambda index: found[index].start_s, reverse=True)
    begun: list[tuple[float, int]] = []  # the top one first; what is below it may have ended already
    seen: list[tuple[int, float, float]] = []
    for left_s, right_s in pairwise(edges):
        while waiting and found[waiting[-1]].start_s <= left_s:
            index = waiting.pop()
            heappush(begun, (-found[index].item_s, -index))
        while begun and found[-begun[0][1]].end_s <= left_s:
            heappop(begun)
        if begun:
            top = -begun[0][1]
            goes_on = bool(seen) and seen[-1][0] == top and seen[-1][2] == left_s
            start_s = seen.pop()[1] if goes_on else left_s
            seen.append((top, start_s, right_s))
    parts = [(found[index], _part(found[index], start_s, end_s)) for index, start_s, end_s in seen]
    return [part for whole, part in parts if part.length_s >= min(SHORTEST_REST_S, whole.length_s) - SHORTEST_S]


def _part(clip: TimelineClip, start_s: float, end_s: float) -> TimelineClip:
    """What the clip shows from `start_s` to `end_s` of the timeline."""
    in_s = clip.in_s + (start_s - clip.start_s) * clip.rate
    return replace(clip, start_s=start_s, length_s=end_s - start_s, in_s=in_s)
