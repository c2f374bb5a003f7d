"""MLT XML: the projects of Kdenlive and Shotcut."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from itertools import pairwise

from hitpoint.model.video.timeline.mlt_look import edge_fades, fills, is_mix, lets_through, look_of, prop, writes
from hitpoint.model.video.timeline.timecode import Timecode
from hitpoint.model.video.timeline.tracks import (
    Fade,
    Look,
    Notes,
    Reading,
    Span,
    TimelineError,
    Track,
    flatten,
    soften,
    track,
    trim,
)
from hitpoint.model.video.timeline.xmltree import Element

_MAX_DEPTH = 20
_CLOCK = re.compile(r"^(?:(\d+):)?(?:(\d+):)?(\d+(?:[.,]\d+)?)$")
_KNOWN = {
    "property", "properties", "entry", "blank", "filter", "transition", "track", "multitrack", "profile", "producer",
    "chain", "playlist", "tractor", "consumer", "link",
}  # fmt: skip


def read(root: Element, fps: float) -> Reading:
    """What the project's last tractor shows, seconds from its start. Raises TimelineError when it holds none.

    fps: frames a second where the project's profile does not say it.
    """
    profile = root.find("profile")
    timelines = root.findall("tractor") or root.findall("playlist")
    if root.tag != "mlt" or not timelines:
        raise TimelineError("there is no timeline in it", root.line)
    size = (0.0, 0.0)
    if profile is not None:
        try:
            size = float(profile.get("width", "0")), float(profile.get("height", "0"))
            if profile.get("frame_rate_num") is not None:
                fps = int(profile.get("frame_rate_num", "")) / int(profile.get("frame_rate_den", "1"))
        except (ValueError, ArithmeticError):
            raise TimelineError("its profile is damaged", profile.line) from None
    if not 0.0 < fps < 1e6:
        raise TimelineError("its profile is damaged", profile.line if profile is not None else root.line)
    project = _Project({element.get("id", ""): element for element in root}, fps, size)
    last = _programme(root, timelines)
    shown = project.tractor(last, 0) if last.tag == "tractor" else project.playlist(last, 0)
    return Reading(shown, 0.0, project.notes.sentences(), fps)


def _programme(root: Element, timelines: list[Element]) -> Element:
    """The timeline of a project: the one that its editor marks, else that which the root names, else the last."""
    marked = [
        item for item in timelines if prop(item, "kdenlive:projectTractor") == "1" or prop(item, "shotcut") == "1"
    ]
    named = [item for item in timelines if item.get("id") == root.get("producer")]
    return (marked or named or timelines)[-1]


@dataclass
class _Project:
    """The elements of a project by id, its frames a second, its frame size, and what was passed over."""

    by_id: dict[str, Element]
    fps: float
    size: tuple[float, float]
    notes: Notes = field(default_factory=Notes)
    known: dict[str, Track | None] = field(default_factory=dict)

    def seconds(self, value: str | None, where: Element, frames_more: int = 0) -> float:
        """Frames, `HH:MM:SS.mmm` or `HH:MM:SS:FF` in seconds; `frames_more` 1 makes an inclusive out point an end."""
        if value is None:
            raise TimelineError("a time is absent", where.line)
        value = value.strip()
        try:
            frames = self._frames(value)
        except (ValueError, ArithmeticError) as error:
            if isinstance(error, TimelineError):
                raise TimelineError(str(error), where.line) from None
            raise TimelineError("a time in it is damaged", where.line) from None
        if not math.isfinite(frames):
            raise TimelineError("a time in it is damaged", where.line)
        return (frames + frames_more) / self.fps

    def _frames(self, value: str) -> float:
        if ":" not in value and ";" not in value:
            return float(value)
        if "." in value or "," in value:
            clock = _CLOCK.match(value)
            if clock is None:
                raise ValueError(value)
            first, second, rest = clock.groups()
            hours, minutes = (first, second) if second is not None else ("0", first or "0")
            return round((int(hours) * 3600 + int(minutes) * 60 + float(rest.replace(",", "."))) * self.fps)
        parts = re.split("[:;]", value)
        if len(parts) > 4 or not all(part.isdigit() for part in parts):
            raise ValueError(value)
        filled = ":".join(["00"] * (4 - len(parts)) + parts)
        return Timecode(filled, 0, ";" in value).count(self.fps)

    def content(self, name: str, where: Element, depth: int) -> Track | None:
        """The picture of a producer, playlist or tractor; None where it is one unbroken shot, empty where it is none.

        depth: how many references led here; a project that contains itself ends in TimelineError.
        """
        element = self.by_id.get(name)
        if element is None:
            raise TimelineError(f"it refers to '{name}', which it does not contain", where.line)
        if depth > _MAX_DEPTH:
            raise TimelineError("its tracks contain each other", element.line)
        if name not in self.known:
            if element.tag == "playlist":
                self.known[name] = self.playlist(element, depth)
            elif element.tag == "tractor":
                self.known[name] = self.tractor(element, depth)
            else:
                self.known[name] = Track() if look_of(element) is None else None
        return self.known[name]

    def _shown(self, entry: Element, in_s: float, end_s: float, at_s: float, inner: Track | None) -> Track:
        """What an entry of a playlist shows from `at_s` on."""
        played = self.by_id[entry.get("producer", "")]
        if inner is not None and not inner.spans and inner.end_s == 0.0 and writes(entry):
            inner = None  # a title card: black with a text on it
        opaque = fills(entry, self.size) and fills(played, self.size)
        if inner is not None:
            inner = Track(inner.spans, inner.fades, max(inner.end_s, end_s))
            return trim(inner, in_s, end_s, at_s, Look.FULL if opaque else Look.PARTIAL)
        look = _picture(played)
        length_s = end_s - in_s
        span = Span(at_s, at_s + length_s, look if opaque else min(look, Look.PARTIAL), _source(played), in_s)
        fades = []
        for item in (entry, played):
            for frames, opening, solid in edge_fades(item, lambda value, item=item: self.seconds(value, item)):  # type: ignore[misc]
                first_s = at_s if opening else at_s + length_s - frames
                fades.append(Fade(first_s, first_s + frames, opening, not opening, span.look, solid))
        return Track((span,), tuple(fades), at_s + length_s)

    def playlist(self, playlist: Element, depth: int) -> Track:
        """Entries and blanks one after the other."""
        spans: list[Span] = []
        fades: list[Fade] = []
        at_s = 0.0
        for child in playlist:
            if child.tag == "blank":
                at_s += self.seconds(child.get("length"), child)
            if child.tag not in _KNOWN:
                self.notes.add(f"elements <{child.tag}> are not known and were passed over", child.line)
            if child.tag != "entry":
                continue
            name = child.get("producer", "")
            inner = self.content(name, child, depth + 1)
            in_s = self.seconds(child.get("in", "0"), child)
            if child.get("out") is not None:
                end_s = self.seconds(child.get("out"), child, 1)
            elif inner is not None and self.by_id[name].tag in ("playlist", "tractor"):  # as long as what it plays
                end_s = inner.end_s
            else:
                end_s = self.seconds(self.by_id[name].get("out"), child, 1)
            if end_s < in_s - 0.5 / self.fps:
                raise TimelineError("a time in it is damaged", child.line)
            shown = self._shown(child, in_s, end_s, at_s, inner)
            spans += shown.spans
            fades += shown.fades
            at_s += end_s - in_s
        return track(spans, fades, 0.0 if playlist.get("id") == "background" else at_s)

    def _layers(self, tractor: Element, depth: int) -> list[Track]:
        """The picture of each track, bottom first; nothing where it is switched off."""
        layers: list[Track] = []
        for item in tractor.iter("track"):
            if item.get("hide") in ("video", "both"):
                layers.append(Track())
                continue
            name = item.get("producer", "")
            inner = self.content(name, item, depth + 1)
            if inner is None:
                in_s = self.seconds(item.get("in", "0"), item)
                end_s = self.seconds(item.get("out", tractor.get("out")), item, 1)
                if end_s < in_s:
                    raise TimelineError("a time in it is damaged", item.line)
                played = self.by_id[name]
                look = _picture(played)
                look = look if fills(played, self.size) else min(look, Look.PARTIAL)
                inner = Track((Span(0.0, end_s - in_s, look, _source(played), in_s),), (), end_s - in_s)
            elif not fills(self.by_id[name], self.size):
                inner = trim(inner, 0.0, inner.end_s, 0.0, Look.PARTIAL)
            layers.append(inner)
        return layers

    def tractor(self, tractor: Element, depth: int) -> Track:
        """The visible tracks on top of each other, with the mixes between them as fades."""
        layers = self._layers(tractor, depth)
        for mix in tractor.findall("transition"):
            if prop(mix, "disable") == "1":
                continue
            lower, upper = self._sides(mix, len(layers))
            whole = mix.get("in") is None and mix.get("out") is None
            start_s = self.seconds(mix.get("in", "0" if whole else tractor.get("in", "0")), mix)
            until = mix.get("out", tractor.get("out"))
            end_s = self.seconds(until, mix, 1) if until is not None else max(layer.end_s for layer in layers)
            if is_mix(mix, tractor):
                _mix(layers, lower, upper, start_s, end_s)
            elif lets_through(mix, self.size) and upper < len(layers):
                layers[upper] = _seen_through(layers[upper], start_s, math.inf if whole else end_s)
        return flatten(layers)

    def _sides(self, mix: Element, count: int) -> tuple[int, int]:
        """The tracks between which a transition works, the lower one first; the first two where it does not say."""
        try:
            sides = sorted((int(prop(mix, "a_track") or "0"), int(prop(mix, "b_track") or "1")))
        except ValueError:
            raise TimelineError("a track in it is not a number", mix.line) from None
        if count and not 0 <= sides[1] < max(count, 2):
            raise TimelineError(f"a transition in it works on track {sides[1]}, which it does not contain", mix.line)
        return max(sides[0], 0), sides[1]


def _picture(played: Element) -> Look:
    """How much of the frame a producer fills that shows something."""
    look = look_of(played)
    return Look.GRAPHIC if look is None else look


def _source(played: Element) -> str:
    """What a producer plays: its file, so that copies of one producer count as one."""
    return prop(played, "resource") or played.get("id", "")


def _at(layer: Track, time_s: float) -> Span | None:
    return next((span for span in layer.spans if span.start_s <= time_s < span.end_s), None)


def _mix(layers: list[Track], lower: int, upper: int, start_s: float, end_s: float) -> None:
    """Puts a mix between two tracks on the upper one, and makes the edges inside it soft on both."""
    sides = [index for index in (lower, upper) if index < len(layers)]
    middle_s = (start_s + end_s) / 2.0
    beside = [_at(layers[index], time_s) for index in sides for time_s in (start_s + 1e-3, middle_s, end_s - 1e-3)]
    found = [span for span in beside if span is not None]
    if not found or end_s <= start_s:
        return
    before = any(_at(layers[index], start_s - 1e-3) or _in_both(layers, sides, start_s + 1e-3) for index in sides)
    after = any(_at(layers[index], end_s + 1e-3) or _in_both(layers, sides, end_s - 1e-3) for index in sides)
    fade = Fade(start_s, end_s, not before, not after, max(span.look for span in found))
    for index in sides:
        layers[index] = soften(layers[index], [fade])
    lit = [index for index in sides if any(_at(layers[index], time_s) for time_s in (start_s + 1e-3, end_s - 1e-3))]
    top = (lit or sides)[-1]
    layers[top] = replace(layers[top], fades=(*layers[top].fades, fade))


def _in_both(layers: list[Track], sides: list[int], time_s: float) -> bool:
    return all(_at(layers[index], time_s) is not None for index in sides)


def _seen_through(layer: Track, start_s: float, end_s: float) -> Track:
    """The track whose spans between those moments let others through."""
    spans: list[Span] = []
    for span in layer.spans:
        inner = [edge for edge in (start_s, end_s) if span.start_s < edge < span.end_s]
        for first_s, last_s in pairwise(sorted({span.start_s, span.end_s, *inner})):
            inside = start_s <= (first_s + last_s) / 2.0 < end_s
            part = span.part(first_s, last_s)
            spans.append(replace(part, look=min(part.look, Look.PARTIAL)) if inside else part)
    return replace(layer, spans=tuple(spans))
