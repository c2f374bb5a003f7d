"""FCPXML of Final Cut Pro (and DaVinci Resolve): the spine, its transitions, and connected clips."""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree

from hitpoint.model.video.timeline.tracks import Fade, Span, TimelineError, Track, dissolve, flatten, trim

_SHOTS = {"asset-clip", "clip", "video", "ref-clip", "sync-clip", "mc-clip"}
_MAX_DEPTH = 20


def read(text: str) -> Track:
    """What the first sequence of the file shows, seconds from its start. Raises TimelineError when it holds none."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise TimelineError("it is not valid XML") from error
    spine = root.find(".//project/sequence/spine")
    if spine is None:
        spine = root.find(".//sequence/spine")
    if root.tag != "fcpxml" or spine is None:
        raise TimelineError("there is no sequence in it")
    try:
        return _Reader(root).sequence(spine, 0)
    except (ValueError, ArithmeticError) as error:
        raise TimelineError(str(error) if isinstance(error, TimelineError) else "a time in it is damaged") from error


def _seconds(value: str | None, default: Fraction = Fraction(0)) -> Fraction:
    """`1001/30000s`, `5s` or `2.5s` as a fraction of seconds."""
    return default if value is None else Fraction(value.rstrip("s"))


def _origin(spine: ElementTree.Element) -> Fraction:
    """The second at which a sequence begins: editors count its offsets from its timecode, often an hour."""
    return _seconds(spine[0].get("offset")) if len(spine) else Fraction(0)


def _active(item: ElementTree.Element) -> ElementTree.Element:
    """What an audition shows, which is the first of its clips; any other item itself."""
    return item[0] if item.tag == "audition" and len(item) else item


class _Reader:
    """The resources of one file, by their id."""

    def __init__(self, root: ElementTree.Element) -> None:
        assets = list(root.iter("asset"))
        self.silent = {a.get("id") for a in assets if a.get("hasVideo", "1") == "0" and a.get("hasAudio")}
        self.compounds = {media.get("id"): media.find("sequence/spine") for media in root.iter("media")}

    def sequence(self, spine: ElementTree.Element, depth: int) -> Track:
        """What a sequence shows, seconds from its start. depth: how many compound clips hold it."""
        if depth > _MAX_DEPTH:
            raise TimelineError("its compound clips contain each other")
        layers: dict[int, list[Track]] = {}
        self._spine(spine, -_origin(spine), 0, layers, depth)
        return flatten([track for lane in sorted(layers) for track in layers[lane]])

    def _shot(self, child: ElementTree.Element, at: Fraction, depth: int) -> Track:
        """What a clip shows from timeline second `at` on: one shot, those of a compound clip, or none for a sound."""
        if child.tag not in _SHOTS or child.get("ref") in self.silent:
            return Track()
        at_s, length_s = float(at), float(_seconds(child.get("duration")))
        inner = self.compounds.get(child.get("ref")) if child.tag == "ref-clip" else None
        if inner is None:
            return Track((Span(at_s, at_s + length_s),))
        in_s = float(_seconds(child.get("start"), _origin(inner)) - _origin(inner))
        return trim(self.sequence(inner, depth + 1), in_s, in_s + length_s, at_s)

    def _spine(
        self, spine: ElementTree.Element, start: Fraction, lane: int, layers: dict[int, list[Track]], depth: int
    ) -> None:
        """Adds the spine's shots to `layers[lane]`, and the clips connected to them to their own lanes.

        start: timeline second of the spine's offset 0.
        """
        spans: list[Span] = []
        fades: list[Fade] = []
        cursor = Fraction(0)
        own = layers.setdefault(lane, [])
        children = [_active(item) for item in spine]
        for index, (item, child) in enumerate(zip(spine, children, strict=True)):
            offset = _seconds(item.get("offset"), cursor)
            length = _seconds(child.get("duration"))
            if child.tag == "transition":
                at_s = float(start + offset)
                black_before = index == 0 or children[index - 1].tag == "gap"
                black_after = index + 1 == len(children) or children[index + 1].tag == "gap"
                fades.append(dissolve(at_s, at_s + float(length), black_before, black_after))
                continue
            shown = self._shot(child, start + offset, depth)
            spans += shown.spans
            fades += shown.fades
            if child.tag in _SHOTS or child.tag in ("gap", "title"):
                cursor = offset + length
                self._connected(child, start + offset, lane, layers, depth)
        own.append(Track(tuple(spans), tuple(fades)))

    def _connected(
        self, parent: ElementTree.Element, at: Fraction, lane: int, layers: dict[int, list[Track]], depth: int
    ) -> None:
        """Adds what hangs on `parent`; its children's offsets count in the parent's own time, from its `start`."""
        local_start = _seconds(parent.get("start"))
        for item in parent:
            child = _active(item)
            if item.get("lane") is None or child.get("enabled") == "0":
                continue
            child_lane = lane + int(item.get("lane", "0"))
            begin = at + _seconds(item.get("offset"), local_start) - local_start
            if child.tag == "spine":
                self._spine(child, begin, child_lane, layers, depth)
            else:
                layers.setdefault(child_lane, []).append(self._shot(child, begin, depth))
