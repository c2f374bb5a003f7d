"""FCPXML of Final Cut Pro (and DaVinci Resolve): the spine, its transitions, and connected clips."""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree

from hitpoint.model.video.timeline.tracks import Fade, Span, TimelineError, Track, dissolve, flatten

_SHOTS = {"asset-clip", "clip", "video", "ref-clip", "sync-clip", "mc-clip", "audition"}


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
    silent = {
        asset.get("id") for asset in root.iter("asset") if asset.get("hasVideo", "1") == "0" and asset.get("hasAudio")
    }
    try:
        layers: dict[int, list[Track]] = {}
        _spine(spine, Fraction(0), 0, layers, silent)
    except (ValueError, ZeroDivisionError) as error:
        raise TimelineError("a time in it is damaged") from error
    return flatten([track for lane in sorted(layers) for track in layers[lane]])


def _seconds(value: str | None, default: Fraction = Fraction(0)) -> Fraction:
    """`1001/30000s`, `5s` or `2.5s` as a fraction of seconds."""
    return default if value is None else Fraction(value.rstrip("s"))


def _spine(
    spine: ElementTree.Element, start: Fraction, lane: int, layers: dict[int, list[Track]], silent: set[str | None]
) -> None:
    """Adds the spine's shots to `layers[lane]`, and the clips connected to them to their own lanes.

    start: timeline second of the spine's offset 0. silent: ids of assets without picture.
    """
    spans: list[Span] = []
    fades: list[Fade] = []
    cursor = Fraction(0)
    own = layers.setdefault(lane, [])
    for child in spine:
        offset = _seconds(child.get("offset"), cursor)
        length = _seconds(child.get("duration"))
        at_s = float(start + offset)
        if child.tag == "transition":
            fades.append(dissolve(at_s, at_s + float(length)))
            continue
        if child.tag in _SHOTS and child.get("ref") not in silent:
            spans.append(Span(at_s, at_s + float(length)))
        if child.tag in _SHOTS or child.tag in ("gap", "title"):
            cursor = offset + length
            _connected(child, start + offset, lane, layers, silent)
    own.append(Track(tuple(spans), tuple(fades)))


def _connected(
    parent: ElementTree.Element, at: Fraction, lane: int, layers: dict[int, list[Track]], silent: set[str | None]
) -> None:
    """Adds what hangs on `parent`; its children's offsets count in the parent's own time, from its `start`."""
    local_start = _seconds(parent.get("start"))
    for child in parent:
        if child.get("lane") is None or child.get("enabled") == "0":
            continue
        child_lane = lane + int(child.get("lane", "0"))
        begin = at + _seconds(child.get("offset"), local_start) - local_start
        if child.tag == "spine":
            _spine(child, begin, child_lane, layers, silent)
        elif child.tag in _SHOTS and child.get("ref") not in silent:
            span = Span(float(begin), float(begin + _seconds(child.get("duration"))))
            layers.setdefault(child_lane, []).append(Track((span,)))
