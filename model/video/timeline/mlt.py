"""MLT XML: the projects of Kdenlive and Shotcut."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

from hitpoint.model.video.timeline.tracks import Fade, Span, TimelineError, Track, dissolve, flatten, trim

_BLACK = {"black", "0", "#000000", "#ff000000", "0x000000ff", "#00000000", "transparent"}
_MIXES = {"luma", "mix", "dissolve"}
_MAX_DEPTH = 20


def read(text: str, fps: float) -> Track:
    """What the project's last tractor shows, seconds from its start. Raises TimelineError when it holds none.

    fps: frames a second where the project's profile does not say it.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise TimelineError("it is not valid XML") from error
    profile = root.find("profile")
    tractors = root.findall("tractor")
    if root.tag != "mlt" or profile is None or not tractors:
        raise TimelineError("there is no timeline in it")
    try:
        if profile.get("frame_rate_num") is not None:
            fps = int(profile.get("frame_rate_num", "")) / int(profile.get("frame_rate_den", "1"))
        project = _Project({element.get("id", ""): element for element in root}, fps)
        return project.tractor(tractors[-1], 0)
    except (ValueError, ArithmeticError) as error:
        raise TimelineError(str(error) if isinstance(error, TimelineError) else "a time in it is damaged") from error


def _property(element: ElementTree.Element, name: str) -> str:
    found = next((child.text for child in element.findall("property") if child.get("name") == name), None)
    return (found or "").strip()


@dataclass(frozen=True)
class _Project:
    """The elements of a project by id, and its frames a second."""

    by_id: dict[str, ElementTree.Element]
    fps: float

    def seconds(self, value: str | None, frames_more: int = 0) -> float:
        """A frame count or HH:MM:SS.mmm in seconds; `frames_more` 1 turns an inclusive out point into an end."""
        if value is None:
            raise ValueError("a time is absent")
        if ":" not in value:
            return (float(value) + frames_more) / self.fps
        total_s = 0.0
        for part in value.replace(",", ".").split(":"):
            total_s = total_s * 60.0 + float(part)
        return round(total_s * self.fps + frames_more) / self.fps

    def content(self, name: str, depth: int) -> Track | None:
        """The picture of a producer, playlist or tractor; None where it is one unbroken shot, empty where it is none.

        depth: how many references led here; a project that contains itself ends in TimelineError.
        """
        element = self.by_id.get(name)
        if element is None:
            raise TimelineError(f"it refers to '{name}', which it does not contain")
        if depth > _MAX_DEPTH:
            raise TimelineError("its tracks contain each other")
        if element.tag == "playlist":
            return self.playlist(element, depth)
        if element.tag == "tractor":
            return self.tractor(element, depth)
        black = _property(element, "mlt_service") in ("color", "colour") and (
            _property(element, "resource").lower() in _BLACK
        )
        return Track() if black or _property(element, "video_index") == "-1" else None

    def playlist(self, playlist: ElementTree.Element, depth: int) -> Track:
        """Entries and blanks one after the other."""
        spans: list[Span] = []
        fades: list[Fade] = []
        at_s = 0.0
        for child in playlist:
            if child.tag == "blank":
                at_s += self.seconds(child.get("length"))
            if child.tag != "entry":
                continue
            name = child.get("producer", "")
            inner = self.content(name, depth + 1)
            in_s = self.seconds(child.get("in", "0"))
            if child.get("out") is not None:
                end_s = self.seconds(child.get("out"), 1)
            else:  # as long as what it plays
                end_s = inner.end_s if inner is not None else self.seconds(self.by_id[name].get("out"), 1)
            shown = trim(inner, in_s, end_s, at_s) if inner is not None else Track((Span(at_s, at_s + end_s - in_s),))
            spans += shown.spans
            fades += shown.fades
            at_s += end_s - in_s
        return Track(tuple(spans), tuple(fades))

    def tractor(self, tractor: ElementTree.Element, depth: int) -> Track:
        """The visible tracks on top of each other, with the mixes between neighbours of one track as fades."""
        layers: list[Track] = []
        for track in tractor.iter("track"):
            if track.get("hide") in ("video", "both"):
                continue
            inner = self.content(track.get("producer", ""), depth + 1)
            if inner is None:
                in_s, end_s = self.seconds(track.get("in", "0")), self.seconds(track.get("out", tractor.get("out")), 1)
                inner = Track((Span(0.0, end_s - in_s),))
            layers.append(inner)
        seen = flatten(layers)
        mixes = tuple(
            dissolve(self.seconds(mix.get("in", tractor.get("in", "0"))), self.seconds(self._out(mix, tractor), 1))
            for mix in tractor.findall("transition")
            if _property(mix, "mlt_service") in _MIXES
        )
        mixes = tuple(mix for mix in mixes if not any(f.start_s <= mix.time_s <= f.end_s for f in seen.fades))
        return Track(seen.spans, seen.fades + mixes)

    @staticmethod
    def _out(mix: ElementTree.Element, tractor: ElementTree.Element) -> str | None:
        return mix.get("out", tractor.get("out"))
