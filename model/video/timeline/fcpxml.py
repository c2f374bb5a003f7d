"""FCPXML of Final Cut Pro (and DaVinci Resolve): the spine, its transitions, and connected clips."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from hitpoint.model.video.timeline.fcpxml_look import Resources, edge_fades, look_of, rational
from hitpoint.model.video.timeline.tracks import (
    Fade,
    Notes,
    Reading,
    Span,
    TimelineError,
    Track,
    flatten,
    track,
    trim,
)
from hitpoint.model.video.timeline.xmltree import Element

SHOTS = {"asset-clip", "clip", "video", "ref-clip", "sync-clip", "mc-clip", "title", "live-drawing"}
_STORY = SHOTS | {"gap", "audio", "audition", "spine", "transition", "caption"}
_NO_PICTURE = {"audio", "gap", "caption"}
_INSIDE = re.compile(
    r"^(audition|marker|chapter-marker|rating|keyword|analysis-marker|note|metadata|conform-rate|timeMap|text|text-style-def"
    r"|param|object-tracker|hidden-clip-marker|bookmark|adjust-.*|filter-.*|audio-.*|mc-source|sync-source|md|data)$"
)
_MAX_DEPTH = 20


def read(root: Element) -> Reading:
    """What the first project of the file shows, seconds from its start. Raises TimelineError when it holds none."""
    sequences = root.findall(".//project/sequence") or [
        found for found in root.iter("sequence") if found not in root.findall(".//media/sequence")
    ]
    sequences = sequences or root.findall(".//sequence")
    if root.tag != "fcpxml" or not sequences or sequences[0].find("spine") is None:
        raise TimelineError("there is no sequence in it", root.line)
    reader = _Reader(root)
    if len(sequences) > 1 and len(root.findall(".//project/sequence")) > 1:
        reader.notes.add(f"of its {len(sequences)} projects the first was read")
    spine = sequences[0].find("spine")
    assert spine is not None
    origin = _seconds(sequences[0], "tcStart", reader.resources.origin(spine))
    drop = sequences[0].get("tcFormat") == "DF"
    rate = reader.resources.rate(sequences[0])
    return Reading(reader.sequence(spine, 0), float(origin), reader.notes.sentences(), rate, drop)


def _seconds(item: Element, name: str, default: Fraction = Fraction(0)) -> Fraction:
    """An attribute such as `1001/30000s`, `5s`, `2.5s` or `5` as a fraction of seconds."""
    value = item.get(name)
    if value is None or not value.strip():
        return default
    try:
        seconds = rational(value)
    except (ValueError, ArithmeticError):
        raise TimelineError("a time in it is damaged", item.line) from None
    return seconds


def _active(item: Element) -> Element:
    """What an audition shows, which is the first of its clips; any other item itself."""
    return item[0] if item.tag == "audition" and len(item) else item


@dataclass
class _Lane:
    """What lies on one lane: the items of all that hangs there."""

    spans: list[Span]
    fades: list[Fade]
    end_s: float = 0.0

    def add(self, shown: Track) -> None:
        """Put a clip or storyline on it."""
        self.spans += shown.spans
        self.fades += shown.fades
        self.end_s = max(self.end_s, shown.end_s if shown.spans else 0.0)


def _handles(child: Element, span: Span) -> Iterator[Fade]:
    """The fades that the handles of a clip make at its edges."""
    for length, opening in edge_fades(child):
        length_s = min(float(length), span.end_s - span.start_s)
        start_s = span.start_s if opening else span.end_s - length_s
        yield Fade(start_s, start_s + length_s, opening, not opening, span.look)


class _Reader:
    """The resources of one file, by their id, and what was passed over."""

    def __init__(self, root: Element) -> None:
        self.notes = Notes()
        self.resources = Resources(root)
        self.known: dict[Element, Track] = {}

    def sequence(self, spine: Element, depth: int) -> Track:
        """What a sequence shows, seconds from its start. depth: how many compound clips hold it."""
        if depth > _MAX_DEPTH:
            raise TimelineError("its compound clips contain each other", spine.line)
        if spine not in self.known:
            lanes: dict[int, _Lane] = {0: _Lane([], [])}
            self._spine(spine, -self.resources.origin(spine), 0, lanes, depth)
            order = sorted(lanes)
            tracks = [track(lanes[lane].spans, lanes[lane].fades, lanes[lane].end_s) for lane in order]
            self.known[spine] = flatten(tracks, order.index(0))
        return self.known[spine]

    def _lane(self, lanes: dict[int, _Lane], lane: int) -> _Lane:
        return lanes.setdefault(lane, _Lane([], []))

    def _shot(self, child: Element, at: Fraction, depth: int) -> Track:
        """What a clip shows from timeline second `at` on: one shot, those of a compound clip, or none for a sound."""
        length = _seconds(child, "duration", self.resources.length(child))
        at_s, length_s = float(at), float(length)
        look = None if child.tag in _NO_PICTURE or child.get("enabled") == "0" else look_of(child, self.resources)
        if length < 0:
            raise TimelineError("a time in it is damaged", child.line)
        if look is None:
            return Track(length_s=at_s + length_s)
        inner = self.resources.compound(child)
        if inner is not None:
            origin = self.resources.origin(inner)
            in_s = float(_seconds(child, "start", origin) - origin)
            held = self.sequence(inner, depth + 1)
            held = Track(held.spans, held.fades, max(held.end_s, in_s + length_s))
            return trim(held, in_s, in_s + length_s, at_s, look)
        warped = child.find("timeMap") is not None
        source = "" if warped else child.get("ref", "")
        span = Span(at_s, at_s + length_s, look, source, float(_seconds(child, "start")))
        return Track((span,), tuple(_handles(child, span)), at_s + length_s)

    def _spine(self, spine: Element, start: Fraction, lane: int, lanes: dict[int, _Lane], depth: int) -> None:
        """Adds the spine's shots to its lane, and the clips connected to them to their own lanes.

        start: timeline second of the spine's offset 0.
        """
        own: list[Track] = []
        mixes: list[tuple[int, Element, Fraction]] = []
        cursor = Fraction(0)
        for item in spine:
            child = _active(item)
            offset = _seconds(item, "offset", cursor)
            if child.tag == "transition":
                mixes.append((len(own), child, start + offset))
                continue
            if child.tag not in _STORY:
                if not _INSIDE.match(child.tag):
                    self.notes.add(f"elements <{child.tag}> are not known and were passed over", child.line)
                continue
            own.append(self._shot(child, start + offset, depth))
            cursor = offset + _seconds(child, "duration", self.resources.length(child))
            self._connected(child, start + offset, lane, lanes, depth, 0)
        fades = [self._mix(child, at, own[index - 1 : index], own[index : index + 1]) for index, child, at in mixes]
        here = self._lane(lanes, lane)
        for shown in own:
            here.add(shown)
        here.fades += [fade for fade in fades if fade is not None]
        ends = [shown.end_s for shown in own]
        here.end_s = max([here.end_s, *ends]) if lane == 0 else here.end_s

    def _mix(self, child: Element, at: Fraction, before: list[Track], after: list[Track]) -> Fade | None:
        """The fade of a transition between what lies before and after it on its spine; None between sounds."""
        sides = [shown.spans for shown in (*before, *after) if shown.spans]
        length = _seconds(child, "duration")
        if length < 0:
            raise TimelineError("a time in it is damaged", child.line)
        sound_only = child.find("filter-audio") is not None and child.find("filter-video") is None
        if not sides or length == 0 or sound_only:
            return None
        from_black, to_black = not (before and before[0].spans), not (after and after[0].spans)
        look = max(span.look for spans in sides for span in spans)
        return Fade(float(at), float(at + length), from_black, to_black, look)

    def _connected(
        self, parent: Element, at: Fraction, lane: int, lanes: dict[int, _Lane], depth: int, inside: int
    ) -> None:
        """Adds what hangs on `parent`; its children's offsets count in the parent's own time, from its `start`."""
        if inside > _MAX_DEPTH:
            raise TimelineError("its connected clips contain each other without end", parent.line)
        inner = self.resources.compound(parent)
        local_start = _seconds(parent, "start", Fraction(0) if inner is None else self.resources.origin(inner))
        for item in parent:
            child = _active(item)
            if item.get("lane") is None:
                known = child.tag in _STORY or _INSIDE.match(child.tag)
                if not known:
                    self.notes.add(f"elements <{child.tag}> are not known and were passed over", child.line)
                continue
            try:
                child_lane = lane + int(item.get("lane", "0"))
            except ValueError:
                raise TimelineError("a lane in it is not a number", item.line) from None
            begin = at + _seconds(item, "offset", local_start) - local_start
            if child.tag == "spine":
                self._spine(child, begin, child_lane, lanes, depth)
            elif child.tag in _STORY:
                self._lane(lanes, child_lane).add(self._shot(child, begin, depth))
                self._connected(child, begin, child_lane, lanes, depth, inside + 1)
            else:
                self.notes.add(f"elements <{child.tag}> are not known and were passed over", child.line)
