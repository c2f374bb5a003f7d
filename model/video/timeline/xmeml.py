"""Final Cut Pro 7 XML (`xmeml`), which Premiere Pro and DaVinci Resolve write too."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hitpoint.model.video.timeline.timecode import Timecode, standard
from hitpoint.model.video.timeline.tracks import (
    Fade,
    Look,
    Notes,
    Reading,
    Span,
    TimelineError,
    Track,
    flatten,
    track,
    trim,
)
from hitpoint.model.video.timeline.xmeml_look import Frame, edge_fades, flag, look_of, number, text
from hitpoint.model.video.timeline.xmltree import Element

_MAX_DEPTH = 20
_ITEMS = {"clipitem", "generatoritem", "transitionitem"}


def read(root: Element, fps: float) -> Reading:
    """What the first sequence of the file shows, seconds from its start. Raises TimelineError when it holds none.

    fps: frames a second where the file does not say it.
    """
    top, inside = _sequences(root, False)
    named = {found.get("id") for found in inside}
    free = [found for found in top if found.get("id") not in named] or top
    if root.tag != "xmeml" or not free:
        raise TimelineError("there is no sequence in it", root.line)
    reader = _Reader(root, fps)
    if len(free) > 1:
        reader.notes.add(f"of its {len(free)} sequences the first was read")
    first = free[0]
    rate = reader.rate(first, fps)
    return Reading(reader.sequence(first, fps, 0), _start_s(first, rate), reader.notes.sentences(), rate)


def _sequences(item: Element, nested: bool) -> tuple[list[Element], list[Element]]:
    """The sequences that stand in bins and those that stand in clips; each of the first kind has content."""
    top: list[Element] = []
    inside: list[Element] = []
    for found in item:
        if found.tag == "sequence" and (nested or found.find("media") is not None):
            (inside if nested else top).append(found)
        deeper = _sequences(found, nested or found.tag == "clipitem")
        top, inside = top + deeper[0], inside + deeper[1]
    return top, inside


def _start_s(sequence: Element, rate: float) -> float:
    """The timecode of its first frame, seconds."""
    timecode = sequence.find("timecode")
    if not isinstance(timecode, Element):
        return 0.0
    if timecode.findtext("frame"):
        return (number(timecode, "frame") or 0.0) / rate
    string = text(timecode, "string")
    if not re.fullmatch(r"\d+[:;]\d\d[:;]\d\d[:;]\d\d", string):
        return 0.0
    return Timecode(string, timecode.line, text(timecode, "displayformat") == "DF").count(rate) / rate


@dataclass
class _Item:
    """A clip or transition on a track, in frames; None where it is "-1": up to the transition beside it."""

    element: Element
    start: float | None
    end: float | None
    shown: Track = field(default_factory=Track)

    @property
    def mix(self) -> bool:
        """Whether it is a transition."""
        return self.element.tag == "transitionitem"


class _Reader:
    """The elements of one file by their id: each is written whole once, and referred to from then on."""

    def __init__(self, root: Element, fps: float) -> None:
        self.notes = Notes()
        self.fps = fps
        self.by_id: dict[tuple[str, str], Element] = {}
        for item in root.iter():
            if item.tag in ("file", "sequence", "clip") and item.get("id") and len(item):
                self.by_id.setdefault((item.tag, item.get("id", "")), item)
        self.known: dict[Element, Track] = {}

    def whole(self, item: Element | None) -> Element | None:
        """The element that `item` stands for."""
        return item if item is None or len(item) else self.by_id.get((item.tag, item.get("id", "")))

    def rate(self, item: Element, default: float) -> float:
        """Frames a second of an element's own times."""
        rate = item.find("rate")
        if not isinstance(rate, Element) or not text(rate, "timebase"):
            return default
        base = number(rate, "timebase")
        if not base or not 0 < base < 1e6:
            raise TimelineError("its frame rate is damaged", rate.line)
        ntsc = flag(rate, "ntsc", False) and round(base) == base
        return base * 1000 / 1001 if ntsc else standard(base)

    def sequence(self, sequence: Element, default_fps: float, depth: int) -> Track:
        """What a sequence shows, seconds from its start. depth: how many sequences hold it."""
        if depth > _MAX_DEPTH:
            raise TimelineError("its sequences contain each other", sequence.line)
        if sequence not in self.known:
            fps = self.rate(sequence, default_fps)
            frame = Frame.of(sequence.find("media/video/format/samplecharacteristics"))
            tracks = [
                self._track(found, fps, frame, depth)
                for found in sequence.findall("media/video/track")
                if flag(found, "enabled", True)
            ]
            self.known[sequence] = flatten(tracks)
        return self.known[sequence]

    def _track(self, found: Element, fps: float, frame: Frame, depth: int) -> Track:
        """The clips of one track and the fades between them, in seconds."""
        items = [
            _Item(child, self._place(child, "start"), self._place(child, "end"))
            for child in found
            if child.tag in _ITEMS
        ]
        for child in found:
            if child.tag not in _ITEMS and len(child) and child.find("start") is not None:
                self.notes.add(f"elements <{child.tag}> are not known and were passed over", child.line)
        _close(items)
        spans: list[Span] = []
        fades: list[Fade] = []
        for item in items:
            if not item.mix:
                item.shown = self._shot(item, fps, frame, depth)
                spans += item.shown.spans
                fades += item.shown.fades
        fades += [fade for index in range(len(items)) for fade in _mix(items, index, fps)]
        return track(spans, fades, max((item.end or 0.0 for item in items), default=0.0) / fps)

    def _place(self, item: Element, name: str) -> float | None:
        place = number(item, name)
        if place is None:
            raise TimelineError(f"its <{item.tag}> has no {name}", item.line)
        return None if place < 0 else place

    def _shot(self, item: _Item, fps: float, frame: Frame, depth: int) -> Track:
        """What a clip shows: one shot, those of a nested sequence, or none."""
        element = item.element
        start_s, end_s = (item.start or 0.0) / fps, (item.end or 0.0) / fps
        if end_s < start_s:
            raise TimelineError("a time in it is damaged", element.line)
        file = self.whole(element.find("file"))
        look = look_of(element, file, frame)
        if look is None:
            return Track(length_s=end_s)
        in_s = max(number(element, "in") or 0.0, 0.0) / self.rate(element, fps)
        nested = element.find("sequence")
        if isinstance(nested, Element):
            whole = self.whole(nested)
            if whole is None:
                raise TimelineError(f"it refers to '{nested.get('id')}', which it does not contain", nested.line)
            held = self.sequence(whole, fps, depth + 1)
            held = Track(held.spans, held.fades, max(held.end_s, in_s + end_s - start_s))
            return trim(held, in_s, in_s + end_s - start_s, start_s, look)
        retimed = any(text(found, "effectid").lower() == "timeremap" for found in element.iter("effect"))
        named = element.find("file")
        source = "" if retimed or named is None else named.get("id", "")
        opening_s, closing_s = (frames / fps for frames in edge_fades(element))
        fades = [Fade(start_s, start_s + opening_s, from_black=True, look=look)] if opening_s else []
        fades += [Fade(end_s - closing_s, end_s, to_black=True, look=look)] if closing_s else []
        return Track((Span(start_s, end_s, look, source, in_s),), tuple(fades), end_s)


def _close(items: list[_Item]) -> None:
    """Gives a place to clip edges of "-1", which lie in the middle of the transition beside them."""
    for index, item in enumerate(items):
        if item.mix:
            if item.start is None or item.end is None or item.end < item.start:
                raise TimelineError("a transition in it has no place", item.element.line)
            continue
        before = items[index - 1] if index > 0 and items[index - 1].mix else None
        after = items[index + 1] if index + 1 < len(items) and items[index + 1].mix else None
        if item.start is None and before is not None:
            item.start = _edge(before, items[index - 2] if index > 1 else None, opening=True)
        if item.end is None and after is not None:
            item.end = _edge(after, items[index + 2] if index + 2 < len(items) else None, opening=False)
        if item.start is None or item.end is None:
            what = "a clip in it has no place: its edge is -1, but no transition lies beside it"
            raise TimelineError(what, item.element.line)


def _edge(mix: _Item, neighbour: _Item | None, opening: bool) -> float:
    """Where a clip is cut that begins or ends with a transition: in its middle where another clip shares it."""
    start, end = mix.start or 0.0, mix.end or 0.0
    if neighbour is None or neighbour.mix:
        return start if opening else end
    if opening:
        meets = neighbour.end is None or neighbour.end >= end
    else:
        meets = neighbour.start is None or neighbour.start <= start
    return (start + end) / 2.0 if meets else start if opening else end


def _mix(items: list[_Item], index: int, fps: float) -> list[Fade]:
    """The fade of the transition at `index`, if one is there and has a picture beside it."""
    mix = items[index]
    if not mix.mix or mix.end == mix.start or not flag(mix.element, "enabled", True):
        return []
    start, end, alignment = mix.start or 0.0, mix.end or 0.0, text(mix.element, "alignment").lower()
    clips = [item for item in items if not item.mix and item.shown.spans]
    before = [item for item in clips if (item.start or 0.0) < start - 0.5 < (item.end or 0.0)]
    after = [item for item in clips if (item.start or 0.0) < end + 0.5 < (item.end or 0.0)]
    during = [item for item in clips if (item.start or 0.0) < end and (item.end or 0.0) > start]
    if not (before or after or during):
        return []
    butts_before = all((item.end or 0.0) < start + 0.5 for item in before)
    butts_after = all((item.start or 0.0) > end - 0.5 for item in after)
    from_black = not before or (alignment == "start-black" and butts_before)
    to_black = not after or (alignment == "end-black" and butts_after)
    look = max((span.look for item in (*before, *after, *during) for span in item.shown.spans), default=Look.FULL)
    return [Fade(start / fps, end / fps, from_black, to_black, look)]
