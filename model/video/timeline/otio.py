"""OpenTimelineIO files (`.otio`): read as the JSON they are, so that no library is needed, old schemas too."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_left
from typing import Any

from hitpoint.model.video.timeline.otio_look import Item, look_of, plays, schema
from hitpoint.model.video.timeline.timecode import standard
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

_MAX_DEPTH = 50
_PAIR = re.compile(r"^\s*(-?[\d.eE+]+)\s*[/@]\s*([\d.eE+]+)\s*$")
_NO_PICTURE = {"Marker", "Effect", "LinearTimeWarp", "FreezeFrame", "TimeEffect"}


def read(text: str) -> Reading:
    """What the first timeline of the file shows, seconds from its start. Raises TimelineError when it holds none."""
    try:
        root = json.loads(text)
    except ValueError as error:
        raise TimelineError("it is not valid JSON", getattr(error, "lineno", None)) from error
    except RecursionError as error:
        raise TimelineError("its objects contain each other without end") from error
    try:
        return _Reader().timeline(root)
    except TimelineError as error:
        if error.line is None:
            _Reader().timeline(_located(text))  # the same again, with lines to tell
        raise
    except RecursionError as error:
        raise TimelineError("its objects contain each other without end") from error
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise TimelineError("its timeline is damaged") from error


class _Located(dict[str, Any]):
    """An object that knows its line."""

    line: int = 0


def _located(text: str) -> Any:
    """The JSON of `text` whose objects know their lines; slow, for the sake of an error only."""
    ends = [index for index, letter in enumerate(text) if letter == "\n"]

    class Decoder(json.JSONDecoder):
        def __init__(self) -> None:
            super().__init__()
            plain = self.parse_object = json.decoder.JSONObject  # type: ignore[attr-defined]

            def placed(start: tuple[str, int], *rest: Any) -> tuple[_Located, int]:
                content, end = plain(start, *rest)
                found = _Located(content)
                found.line = bisect_left(ends, start[1]) + 1
                return found, end

            self.parse_object = placed
            self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]

    return Decoder().decode(text)


def _line(item: Any) -> int | None:
    return item.line if isinstance(item, _Located) else None


def _children(item: Item) -> list[Any]:
    children = item.get("children") or []
    if not isinstance(children, list):
        raise TimelineError("its timeline is damaged", _line(item))
    return children


class _Reader:
    """One file: what it passed over, and the content of the items it has been through."""

    def __init__(self) -> None:
        self.notes = Notes()
        self.known: dict[int, Track] = {}

    def timeline(self, root: Any) -> Reading:
        """The first timeline, or a bare stack, track or clip where the file holds nothing else."""
        found = self._timelines(root, 0)
        if not found:
            raise TimelineError("there is no timeline in it")
        if len(found) > 1:
            self.notes.add(f"of its {len(found)} timelines the first was read")
        first = found[0]
        if schema(first) == "Timeline":
            tracks = first.get("tracks")
            if isinstance(tracks, list):  # as the very first versions wrote it
                tracks = {"OTIO_SCHEMA": "Stack.1", "children": tracks}
            if not isinstance(tracks, dict):
                raise TimelineError("its timeline is damaged", _line(first))
            if schema(tracks) not in ("Stack", "Track"):
                tracks = {**tracks, "OTIO_SCHEMA": "Stack.1"}
            start_s = self.seconds(first.get("global_start_time"), first)
            return Reading(
                self.content(tracks, 0), start_s, self.notes.sentences(), _rate(first.get("global_start_time"))
            )
        return Reading(self.content(first, 0), 0.0, self.notes.sentences())

    def _timelines(self, root: Any, depth: int) -> list[Item]:
        kind = schema(root)
        if kind == "Timeline" or (kind in ("Stack", "Track") and depth == 0):
            return [root]
        if not isinstance(root, dict) or depth > _MAX_DEPTH:
            return []
        return [found for child in _children(root) for found in self._timelines(child, depth + 1)]

    def seconds(self, time: Any, where: Item) -> float:
        """A RationalTime in seconds, also as "48/24", "48@24" or a bare number of seconds; None counts as 0."""
        try:
            seconds = _seconds(time)
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
            raise TimelineError("a time in it is damaged", _line(time) or _line(where)) from None
        if not math.isfinite(seconds):
            raise TimelineError("a time in it is damaged", _line(time) or _line(where))
        return seconds

    def range(self, item: Item) -> tuple[float, float] | None:
        """(start, length) of its source range, seconds; None where it plays all it has."""
        found = item.get("source_range")
        if found is None:
            return None
        if not isinstance(found, dict):
            raise TimelineError("a time in it is damaged", _line(item))
        if found.get("duration") is None:
            raise TimelineError(f"its clip '{item.get('name') or ''}' has no length", _line(item))
        start_s, length_s = self.seconds(found.get("start_time"), item), self.seconds(found["duration"], item)
        if length_s < 0.0:
            raise TimelineError("a time in it is damaged", _line(item))
        return start_s, length_s

    def media_range(self, item: Item) -> tuple[float, float] | None:
        """(start, length) of the media a clip plays."""
        available = plays(item).get("available_range")
        return None if available is None else self.range({"source_range": available, "name": item.get("name")})

    def length(self, item: Item, depth: int) -> float:
        """How long an item holds its track, in seconds."""
        kind = schema(item)
        found = self.range(item)
        if found is None and kind in ("Stack", "Track", "Timeline"):
            return self.content(item, depth).end_s
        found = found or self.media_range(item)
        if found is None:
            raise TimelineError(f"its clip '{item.get('name') or ''}' has no length", _line(item))
        return found[1]

    def content(self, item: Item, depth: int) -> Track:
        """The whole content of an item, from second 0 of its own time, trimmed to its source range."""
        if id(item) not in self.known:
            self.known[id(item)] = self._content(item, depth)
        return self.known[id(item)]

    def _content(self, item: Item, depth: int) -> Track:
        if depth > _MAX_DEPTH:
            raise TimelineError("its objects contain each other without end", _line(item))
        kind = schema(item)
        if kind == "Timeline":
            return self.content(item["tracks"], depth + 1)
        if kind not in ("Stack", "Track"):
            return self._clip(item, depth)
        whole = self._stack(item, depth) if kind == "Stack" else self._sequence(item, depth)
        found = self.range(item)
        if found is None:
            return whole
        if (found[0] >= whole.end_s or sum(found) <= 0.0) and whole.spans:
            # the EDL adapter writes a track's timecode there
            self.notes.add("a range that lies outside of what it trims was taken for a timecode", _line(item))
            found = 0.0, found[1]
        return trim(whole, found[0], sum(found), 0.0)

    def _clip(self, item: Item, depth: int) -> Track:
        """One shot, or none where it has no picture."""
        length_s, look = self.length(item, depth), look_of(item)
        if look is None:
            return Track(length_s=length_s)
        start_s = (self.range(item) or self.media_range(item) or (0.0, 0.0))[0]
        source, speed = _source(item)
        return Track((Span(0.0, length_s, look, source, start_s, speed),), (), length_s)

    def _stack(self, stack: Item, depth: int) -> Track:
        """Its enabled picture tracks and clips on top of each other, bottom first."""
        layers = []
        for child in _children(stack):
            if not schema(child):
                raise TimelineError("its timeline is damaged", _line(child) or _line(stack))
            kind = str(child.get("kind") or "Video")
            if schema(child) == "Track" and kind.lower() not in ("video", "audio"):
                self.notes.add(f"a track of kind '{kind}' was passed over", _line(child))
            if child.get("enabled", True) is False or (schema(child) == "Track" and kind.lower() != "video"):
                continue
            layers.append(self.content(child, depth + 1))
        return flatten(layers)

    def _sequence(self, item: Item, depth: int) -> Track:
        """The items of a Track one after the other; a transition takes no time of its own."""
        spans: list[Span] = []
        fades: list[Fade] = []
        shown: list[Track] = []  # of each child, to know what lies beside a transition
        at_s = 0.0
        children = [child for child in _children(item) if schema(child) not in _NO_PICTURE]
        mixes: list[tuple[int, float]] = []
        for index, child in enumerate(children):
            kind = schema(child)
            if not kind:
                raise TimelineError("its timeline is damaged", _line(child) or _line(item))
            placed = Track()
            if kind == "Transition":
                mixes.append((index, at_s))
            else:
                length_s = self.length(child, depth + 1)
                if kind != "Gap" and child.get("enabled", True) is not False:
                    placed = trim(self.content(child, depth + 1), 0.0, length_s, at_s, look_of(child) or Look.FULL)
                at_s += length_s
            spans += placed.spans
            fades += placed.fades
            shown.append(placed)
        for index, time_s in mixes:
            before = shown[index - 1] if index > 0 else Track()
            after = shown[index + 1] if index + 1 < len(shown) else Track()
            fades += self._mix(children[index], time_s, before, after)
        return track(spans, fades, at_s)

    def _mix(self, mix: Item, time_s: float, before: Track, after: Track) -> list[Fade]:
        """The fade of a transition at `time_s`, where it has a length and a picture beside it."""
        start_s = time_s - self.seconds(mix.get("in_offset"), mix)
        end_s = time_s + self.seconds(mix.get("out_offset"), mix)
        sides = [side.spans[edge] for side, edge in ((before, -1), (after, 0)) if side.spans]
        if end_s < start_s:
            raise TimelineError("a time in it is damaged", _line(mix))
        if end_s == start_s or not sides:
            return []
        look = max(span.look for span in sides)
        return [Fade(start_s, end_s, not before.spans, not after.spans, look)]


def _seconds(time: Any) -> float:
    if time is None:
        return 0.0
    if isinstance(time, str):
        pair = _PAIR.match(time)
        return float(pair[1]) / float(pair[2]) if pair else float(time.rstrip("s"))
    if isinstance(time, (int, float)) and not isinstance(time, bool):
        return float(time)
    return float(time["value"]) / float(time["rate"])


def _rate(time: Any) -> float | None:
    """Frames a second of a RationalTime, None where there is none."""
    rate = time.get("rate") if isinstance(time, dict) else None
    return standard(float(rate)) if isinstance(rate, (int, float)) and rate > 0 else None


def _source(item: Item) -> tuple[str, float]:
    """(what a clip plays, its speed); nothing where a warp of time makes the place in it unknown."""
    media = plays(item)
    source = str(media.get("target_url") or media.get("target_url_base") or "")
    speed = 1.0
    for effect in item.get("effects") or []:
        kind = schema(effect)
        if kind in ("LinearTimeWarp", "FreezeFrame"):
            scalar = effect.get("time_scalar")
            speed = 0.0 if kind == "FreezeFrame" else float(scalar) if isinstance(scalar, (int, float)) else 1.0
        elif kind == "TimeEffect":
            source = ""
    return source, speed
