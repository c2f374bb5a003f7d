"""Video items of a host's timeline, as a script names them -> the clips that the picture is made of.

Threads and processes: no state, callable from any.
Rows of a request: item path kind position length offset rate source_length section_start loops reversed track fade_in,
one for each item that is not muted; between first last, where only that part of the timeline is meant; and order
higher, where the project's video settings let higher numbered tracks cover lower ones. Times are seconds: position,
length, fade_in, first and last of the timeline, the others of the item's source; section_start is the second of the
file at which the source begins; kind is REAPER's name of it (VIDEO for a film); loops and reversed are 0 or 1; track
counts from 1, and it and fade_in may be missing. After these an item may have the code of its video processors, of
its own and of its track's; hit second bound and unhit second: the editor's own word on what is to be hit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import islice, pairwise
from pathlib import Path

from hitpoint.bridge.errors import InputError

GRAPHICS = frozenset({".exr", ".gif", ".png", ".psd", ".svg", ".tga", ".tif", ".tiff", ".webp"})
"""Stills of kinds that may have alpha: over a film they hide nothing."""
STILLS = GRAPHICS | {".bmp", ".jpeg", ".jpg"}
SOUNDS = frozenset(
    {".aac", ".aif", ".aiff", ".flac", ".m4a", ".m4b", ".mka", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wma"}
)
"""Files that hold no picture, even where REAPER opens them as it opens films."""

NUMBERS = 10
"""Numbers of an item's row; what follows is text."""
SHORTEST_S = 0.001
"""Less is nothing."""
SHORTEST_REST_S = 0.1
"""Less that is left of an item is rounding, and too short to measure: left out; the analysis closes the gap."""
SHORTEST_FADE_S = 0.04
"""A shorter crossfade is the one that REAPER puts at any edge against clicks, and a cut."""

MOST_STRETCHES, MOST_CLIPS = 200_000, 10_000
"""Stretches of items, and what is seen of them: the bridge takes no more clips in one list."""


PARTIAL = re.compile(
    r"gfx_(rotoblit|xformblit|deltablit|keyedblit|destkeyedblit)\s*\(|gfx_(a|dest)\s*=(?!=)|gfx_mode\s*=(?!=)"
    r"|gfx_blit\s*\((?:[^;]*?,){2}"
)
"""What the code of a video processor says that scales, moves, turns, keys or blends its picture."""


@dataclass(frozen=True)
class TimelineClip:
    """A stretch of one file. start_s, length_s: on the timeline; in_s: of the file; rate: file seconds a second, below
    0 where it plays backwards, from `out_s` to `in_s`.

    item_s: where the item that it belongs to begins on the timeline; track: the number of its track, the lowest is on
    top. held: a picture that cannot be read or does not move; the analysis sees black as long as it is shown. graphic:
    it hides no film. partial: it lets through what lies beneath. fade_in_s: the item's; fade_s: length of the mix from
    the clip before, in whose middle it begins.
    """

    path: str
    start_s: float
    length_s: float
    in_s: float
    rate: float
    item_s: float
    track: int = 0
    held: bool = False
    graphic: bool = False
    partial: bool = False
    fade_in_s: float = 0.0
    fade_s: float = 0.0

    @property
    def end_s(self) -> float:
        """Where it ends on the timeline, in seconds."""
        return self.start_s + self.length_s

    @property
    def out_s(self) -> float:
        """Where it ends in its file, in seconds."""
        return self.in_s + self.length_s * abs(self.rate)


def clips(rows: Sequence[Sequence[str]], passed_over: list[str] | None = None) -> list[TimelineClip]:
    """The films that the items of a request show, in order of time; between two there may be a gap. As `seen`."""
    return [clip for clip in seen(rows, passed_over) if not clip.held]


def span_of(rows: Sequence[Sequence[str]], shown: Sequence[TimelineClip]) -> tuple[float, float]:
    """The range that is scored: the time selection, else all that the items show, stills at its ends included."""
    between = next(((float(row[1]), float(row[2])) for row in rows if row[0] == "between"), None)
    return between or (shown[0].start_s, shown[-1].end_s)


def heard(rows: Sequence[Sequence[str]], between: tuple[float, float]) -> list[TimelineClip]:
    """What lies beside the picture and is heard in a range of seconds, and the sound of the films with it, seen or not;
    none where there is nothing but that of the films. Raises InputError and ValueError as `seen`."""
    items = [list(row[1:]) for row in rows if row[0] == "item" and Path(row[1]).is_file()]
    beside = [fields for fields in items if _is_sound(fields[0])]
    films = [fields for fields in items if fields[1] == "VIDEO" and not _is_sound(fields[0])] if beside else []
    found = (clip for fields in (*films, *beside) for clip in _item(fields, 1, [], sound=True))
    parts = (
        _part(clip, max(clip.start_s, between[0]), min(clip.end_s, between[1]))
        for clip in islice(found, MOST_STRETCHES)
        if clip.start_s < between[1] - SHORTEST_S and clip.end_s > between[0] + SHORTEST_S
    )
    return list(islice(parts, MOST_CLIPS))


def _is_sound(path: str) -> bool:
    return Path(path).suffix.lower() in SOUNDS


def own_hits(rows: Sequence[Sequence[str]], shown: Sequence[TimelineClip]) -> list[str]:
    """Pairs of a score request: moments to hit, which no film shows or the editor has marked, and cuts not to hit."""
    hits = [f"{moment_s:.6f}" for moment_s in still_cuts(shown)]
    hits += [f"{float(row[1]):.6f}{'!' * (row[2] == '1')}" for row in rows if row[0] == "hit"]
    unhits = [f"{float(row[1]):.6f}" for row in rows if row[0] == "unhit"]
    return [*(["hits", ",".join(hits)] if hits else []), *(["unhits", ",".join(unhits)] if unhits else [])]


def still_cuts(shown: Sequence[TimelineClip]) -> list[float]:
    """Where a still begins or ends beside another still, or beside black; beside a film the film's own edge tells."""
    cuts: list[float] = []
    for before, after in pairwise(shown):
        meets = after.start_s - before.end_s < SHORTEST_REST_S
        cuts += [after.start_s] if after.held and (before.held or not meets) else []
        cuts += [before.end_s] if before.held and not meets else []
    return sorted(cuts)


def seen(rows: Sequence[Sequence[str]], passed_over: list[str] | None = None) -> list[TimelineClip]:
    """What the items of a request show, in order of time, stills included.

    An item of a lower numbered track hides the others, on one track the one that begins last, of those that begin
    together the last one named (docs/timelines.md). A still, and an item that cannot be read, is a gap of its length;
    a sentence for each of the latter is added to `passed_over`.
    Raises InputError where they hold no film that can be read; ValueError where the rows are damaged.
    """
    between = next(((float(row[1]), float(row[2])) for row in rows if row[0] == "between"), None)
    sign = -1 if ["order", "higher"] in [list(row) for row in rows] else 1
    problems: list[str] = [] if passed_over is None else passed_over
    items = (_item(row[1:], sign, problems) for row in rows if row[0] == "item")
    found = list(islice((clip for item in items for clip in item), MOST_STRETCHES + 1))
    shown = _visible(_without_titles(found), between) if len(found) <= MOST_STRETCHES else []
    if len(found) > MOST_STRETCHES or len(shown) > MOST_CLIPS:
        raise InputError(_too_many())
    films = [clip for clip in shown if not clip.held]
    if not films and problems:
        raise InputError(problems[0])
    if not films:
        where = "the time selection" if between else "the selected items"
        raise InputError(
            f"there is no video in {where}, or all of it is muted; select the film and run the action again"
        )
    return shown


def _too_many() -> str:
    return f"the items show more than {MOST_CLIPS} clips; select fewer, or shorten what loops so often"


def _problem(path: str) -> str | None:
    """Why a film cannot be read; None where it can."""
    if not path.isprintable():  # what is not UTF-8 among it
        return f"the name of the film {path!a} holds odd characters; rename the file"
    if not Path(path).is_file():
        return f"the film {path} is missing; restore it or relink the item"
    return None


def _item(fields: Sequence[str], sign: int, problems: list[str], sound: bool = False) -> Iterator[TimelineClip]:
    """The clips of one item, one for each time its source plays through; none for an item without picture.

    sign: 1 or -1, with which track numbers are multiplied. problems: where a film that cannot be read is told of.
    sound: it is heard, whether it has a picture or not.
    """
    path, kind, *texts = fields
    code = texts.pop() if len(texts) > NUMBERS else ""
    position, length, offset, rate, whole, section, loops, backwards, *more = map(float, texts)
    track, fade_in_s = (*more, 0.0, 0.0)[:2]
    suffix = Path(path).suffix.lower()
    if not sound and (_is_sound(path) or (kind != "VIDEO" and suffix not in STILLS)):
        return
    if not (rate > 0 and 0 <= length < float("inf")):
        raise ValueError(f"an item of {length:g} s at rate {rate:g}")
    clip = TimelineClip(path, position, length, 0.0, rate, position, sign * int(track), fade_in_s=fade_in_s)
    clip = replace(clip, partial=PARTIAL.search(code) is not None)
    problem = None if suffix in STILLS else _problem(path)
    if problem is not None and problem not in problems:
        problems.append(problem)
    if suffix in STILLS or problem is not None:
        if length >= SHORTEST_S:
            yield replace(clip, held=True, graphic=suffix in GRAPHICS)
        return
    for each in _passes(clip, offset, whole, section, bool(loops)):
        yield _turned(each, whole, section) if backwards else each


def _turned(clip: TimelineClip, whole: float, section: float) -> TimelineClip:
    """The clip of a source that plays backwards: what is counted from its begin is counted from its end."""
    from_s = clip.in_s - section
    return replace(clip, in_s=section + max(0.0, whole - from_s - clip.length_s * clip.rate), rate=-clip.rate)


def _passes(item: TimelineClip, offset: float, whole: float, section: float, loops: bool) -> Iterator[TimelineClip]:
    """The item's film, once for each time its source plays through. offset, whole, section: seconds of the file."""
    position, rate, length, end = item.start_s, item.rate, item.length_s, item.end_s
    looped = loops and whole >= SHORTEST_S * rate
    if looped and length * rate > MOST_STRETCHES * whole:
        raise InputError(_too_many())
    if looped:
        offset %= whole
    elif offset < 0:  # black before the film's first frame
        position, offset = position - offset / rate, 0.0
    while end - position >= SHORTEST_S:
        shown = min(end - position, (whole - offset) / rate) if whole > 0 else end - position
        if shown >= min(SHORTEST_REST_S, length) - SHORTEST_S:
            yield replace(item, start_s=position, length_s=shown, in_s=section + offset)
        if not looped:
            return
        position, offset = position + shown, 0.0


def _without_titles(found: Sequence[TimelineClip]) -> list[TimelineClip]:
    """All but the graphics over the film: those on its own track, the lowest one, are title cards among its clips."""
    base = max((clip.track for clip in found), default=0)
    return [clip for clip in found if not clip.graphic or clip.track == base]


def _visible(found: Sequence[TimelineClip], between: tuple[float, float] | None) -> list[TimelineClip]:
    """What is on top at each moment inside [first, last) of the timeline, or at all; rests of clips left out."""
    first_s, last_s = between or (float("-inf"), float("inf"))
    edges = sorted({min(max(edge_s, first_s), last_s) for clip in found for edge_s in (clip.start_s, clip.end_s)})
    waiting = sorted(range(len(found)), key=lambda index: found[index].start_s, reverse=True)
    begun: list[tuple[int, int, float, int]] = []  # the top one first; what is below it may have ended already
    seen: list[tuple[int, float, float]] = []
    for left_s, right_s in pairwise(edges):
        while waiting and found[waiting[-1]].start_s <= left_s:
            index = waiting.pop()
            clip = found[index]
            look = 2 if clip.graphic else 1 if clip.partial else 0  # of those that let through the lowest is the film
            heappush(begun, (look, -clip.track if look == 1 else clip.track, -clip.item_s, -index))
        while begun and found[-begun[0][3]].end_s <= left_s:
            heappop(begun)
        if begun:
            top = -begun[0][3]
            goes_on = bool(seen) and seen[-1][0] == top and seen[-1][2] == left_s
            start_s = seen.pop()[1] if goes_on else left_s
            seen.append((top, start_s, right_s))
    parts = [(found[index], _part(found[index], start_s, end_s)) for index, start_s, end_s in seen]
    return _crossfaded(
        [(w, part) for w, part in parts if part.length_s >= min(SHORTEST_REST_S, w.length_s) - SHORTEST_S]
    )


def _crossfaded(parts: Sequence[tuple[TimelineClip, TimelineClip]]) -> list[TimelineClip]:
    """(clip, what is seen of it), in order of time -> the latter, with two items that fade into each other, and one
    that fades in over another, handed over in the middle of the fade."""
    seen: list[TimelineClip] = []
    for index, (whole, part) in enumerate(parts):
        before = parts[index - 1][0] if index else whole
        overlap_s = before.end_s - part.start_s
        fade_s = min(whole.fade_in_s, overlap_s, part.length_s)
        begins = part.start_s == whole.item_s
        meets = bool(seen) and seen[-1].end_s == part.start_s and begins
        if begins and index and fade_s < SHORTEST_FADE_S <= whole.fade_in_s:
            part = replace(part, fade_s=min(whole.fade_in_s, part.length_s))  # from black: at its black end
        if meets and fade_s >= SHORTEST_FADE_S:
            middle_s = part.start_s + fade_s / 2
            seen[-1] = _part(seen[-1], seen[-1].start_s, middle_s)
            part = replace(_part(part, middle_s, part.end_s), fade_s=fade_s)
        seen.append(part)
    return seen


def _part(clip: TimelineClip, start_s: float, end_s: float) -> TimelineClip:
    """What the clip shows from `start_s` to `end_s` of the timeline."""
    from_s = start_s - clip.start_s if clip.rate > 0 else clip.end_s - end_s
    in_s = clip.in_s + from_s * abs(clip.rate)
    return replace(clip, start_s=start_s, length_s=end_s - start_s, in_s=in_s)
