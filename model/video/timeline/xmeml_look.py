"""What a clip of a Final Cut Pro 7 XML file shows: its media, and how much of the frame it fills."""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.etree import ElementTree

from hitpoint.model.video.timeline.media_kind import is_sound, is_still_with_alpha, look_of_name
from hitpoint.model.video.timeline.opacity import ramps
from hitpoint.model.video.timeline.tracks import Look, TimelineError
from hitpoint.model.video.timeline.xmltree import Element

_KEYS = ("key", "matte", "mask", "corner", "distort", "crop", "drop shadow")
_LETTERBOX = 0.7
"""A picture that reaches two edges and this share of the way to the others is fitted, not made small."""


def text(item: ElementTree.Element, name: str) -> str:
    """The text of a child, empty where there is none."""
    return (item.findtext(name) or "").strip()


def flag(item: ElementTree.Element, name: str, default: bool) -> bool:
    """A TRUE or FALSE child."""
    found = text(item, name).lower()
    return default if not found else found in ("true", "1", "yes")


def number(item: Element, name: str) -> float | None:
    """The number in a child, None where there is none. Raises TimelineError with the line where it is none."""
    child = item.find(name)
    if not isinstance(child, Element) or not (child.text or "").strip():
        return None
    try:
        value = float((child.text or "").strip())
    except ValueError:
        raise TimelineError("a time in it is damaged", child.line) from None
    if not math.isfinite(value):
        raise TimelineError("a time in it is damaged", child.line)
    return value


@dataclass(frozen=True)
class Frame:
    """The size of a picture in pixels, 0 where it is not known; square: its pixels are."""

    width: float = 0.0
    height: float = 0.0
    square: bool = True

    @classmethod
    def of(cls, characteristics: ElementTree.Element | None) -> Frame:
        """From a `samplecharacteristics` element."""
        if not isinstance(characteristics, Element):
            return cls()
        aspect = text(characteristics, "pixelaspectratio").lower()
        width, height = (number(characteristics, name) or 0.0 for name in ("width", "height"))
        return cls(width, height, aspect in ("", "square"))

    def shares(self, frame: Frame) -> tuple[float, float]:
        """How much of `frame` it fills at 100 %: across, and down; 1 where either size is not known."""
        if not (self.width and self.height and frame.width and frame.height):
            return 1.0, 1.0
        down = self.height / frame.height
        across = self.width / frame.width if self.square == frame.square else down
        return across, down


def look_of(item: Element, file: Element | None, frame: Frame) -> Look | None:
    """How much of the frame an item fills; None where it is switched off or has no picture."""
    if not flag(item, "enabled", True):
        return None
    name = text(item, "name")
    effects = [found for found in item.iter("effect") if isinstance(found, Element)]
    if item.tag == "generatoritem":
        kinds = {name.lower(), *(text(effect, part).lower() for effect in effects[:1] for part in ("name", "effectid"))}
        return None if kinds & {"slug", "black", "black video"} else Look.GRAPHIC
    if any(text(effect, "effectid") == "GraphicAndType" for effect in effects) or "adjustment" in name.lower():
        return Look.GRAPHIC
    held = _file_look(file, name) if file is not None else Look.FULL
    if held is None:
        return None
    if file is None and item.find("sequence") is None and look_of_name(name) is not None:
        return Look.GRAPHIC
    if text(item, "alphatype").lower() not in ("", "none") and held == Look.FULL:
        held = Look.GRAPHIC if flag(item, "stillframe", False) else Look.PARTIAL
    size = Frame.of(file.find("media/video/samplecharacteristics")) if file is not None else Frame()
    whole = text(item, "compositemode").lower() in ("", "normal", "none") and _fills(item, size.shares(frame))
    return held if whole else min(held, Look.PARTIAL)


def _file_look(file: Element, name: str) -> Look | None:
    """What a file or an editor's own source shows; None for sound and for black video."""
    path, made = text(file, "pathurl"), text(file, "mediaSource").lower()
    media = file.find("media")
    if made == "slug":
        return None if "adjust" not in f"{name} {text(file, 'name')}".lower() else Look.GRAPHIC
    if made:
        return Look.GRAPHIC
    if is_sound(path) or (media is not None and media.find("video") is None and media.find("audio") is not None):
        return None
    if "adjustment layer" in text(file, "name").lower():
        return Look.GRAPHIC
    return Look.GRAPHIC if is_still_with_alpha(path) or path.lower().endswith((".prtl", ".motn")) else Look.FULL


def _fills(item: Element, shares: tuple[float, float]) -> bool:
    """Whether the filters of a clip leave it opaque and as large as the frame."""
    for found in item.findall("filter"):
        effect = found.find("effect")
        if not isinstance(effect, Element) or not flag(found, "enabled", True) or flag(effect, "pproBypass", False):
            continue
        kind = text(effect, "effectid").lower()
        if kind == "opacity" and _see_through(effect, item):
            return False
        if kind == "basic" and not _motion_fills(effect, shares):
            return False
        if kind == "crop":
            if any(value > 0.05 for side in ("left", "right", "top", "bottom") for value in _values(effect, side, 0.0)):
                return False
        elif kind not in ("basic", "opacity") and text(effect, "mediatype").lower() != "audio":
            names = f"{kind} {text(effect, 'name').lower()} {text(effect, 'effectcategory').lower()}"
            if any(word in names for word in _KEYS) and not _is_neutral_distort(kind, effect):
                return False
    return True


def _opacity_keys(effect: Element) -> list[tuple[float, float]]:
    """(frame, opacity 0..1) of its key frames."""
    keys = []
    for parameter in effect.findall("parameter"):
        for key in parameter.findall("keyframe") if text(parameter, "parameterid").lower() == "opacity" else ():
            keys.append((number(key, "when") or 0.0, (number(key, "value") or 0.0) / 100.0))
    return keys


def _ramps(effect: Element, item: Element) -> tuple[float, float] | None:
    first, last = number(item, "in") or 0.0, number(item, "out") or 0.0
    return ramps(_opacity_keys(effect), first, max(last - first, 0.0))


def _see_through(effect: Element, item: Element) -> bool:
    """Whether its opacity is under 100 % but for fades at the clip's edges."""
    if _opacity_keys(effect):
        return _ramps(effect, item) is None
    return any(value < 99.9 for value in _values(effect, "opacity", 100.0))


def edge_fades(item: Element) -> tuple[float, float]:
    """Frames of the fades by opacity that open and close a clip, 0 where there is none."""
    for found in item.findall("filter"):
        effect = found.find("effect")
        if effect is None or text(effect, "effectid").lower() != "opacity" or not flag(found, "enabled", True):
            continue
        return _ramps(effect, item) or (0.0, 0.0)
    return 0.0, 0.0


def _is_neutral_distort(kind: str, effect: Element) -> bool:
    """Whether it is Final Cut's aspect ratio at rest, which every exported clip may carry."""
    corners = ("ulcorner", "urcorner", "lrcorner", "llcorner")
    moved = any(value not in (-0.5, 0.5, 0.0) for name in corners for value in _values(effect, name, 0.0))
    return kind == "deformation" and not moved


def _values(effect: Element, name: str, default: float) -> list[float]:
    """A parameter's value and those of its key frames; `default` where it has none."""
    found: list[float] = []
    for parameter in effect.findall("parameter"):
        if text(parameter, "parameterid").lower() != name:
            continue
        for place in (parameter, *parameter.findall("keyframe")):
            value = place.find("value")
            parts = [] if value is None else [value.text, *(child.text for child in value)]
            for part in parts:
                try:
                    found.append(float(part or ""))
                except ValueError:
                    continue
    return found or [default]


def _motion_fills(effect: Element, shares: tuple[float, float]) -> bool:
    """Whether scale, place and rotation leave the frame covered. Places are shares of the frame, from its middle."""
    if any(abs(value) > 0.01 for value in _values(effect, "rotation", 0.0)):
        return False
    scale = min(abs(value) for value in _values(effect, "scale", 100.0)) / 100.0
    across, down = (share * scale for share in shares)
    if max(across, down) < 0.999 or min(across, down) < _LETTERBOX:
        return False
    moved = max(abs(value) for value in _values(effect, "center", 0.0))
    return moved <= max(0.0, (max(across, down) - 1.0) / 2.0) + 0.005
