"""What a producer of an MLT project shows, and what filters and transitions let through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from hitpoint.model.video.timeline.media_kind import is_sound, is_still_with_alpha
from hitpoint.model.video.timeline.tracks import Look, TimelineError
from hitpoint.model.video.timeline.xmltree import Element

_GRAPHICS = {
    "kdenlivetitle", "qtext", "pango", "text", "glaxnimate", "webvfx", "plain", "noise", "count", "blipflash",
}  # fmt: skip
_TEXTS = {"dynamictext", "qtext", "pango", "richtext", "webvfx", "gpstext", "typewriter"}
_STILLS = {"qimage", "pixbuf", "loader-nogl"}
_SOUND_MIXES = {"mix", "sum", "volume"}
_COMPOSITES = {
    "qtblend", "composite", "affine", "region", "matte", "movit.overlay", "movit.rect", "vqm", "frei0r.cairoblend",
    "frei0r.cairoaffineblend",
}  # fmt: skip
_KEYS = re.compile(
    r"^(chroma|lumakey|mask_start|mask_apply|rotoscoping|shape|qtcrop|crop|frei0r\.(alpha0ps|alphaspot|alphagrad|alphainjection"
    r"|select0r|bluescreen0r|transparency|c0rners|scale0tilt)|movit\.(opacity|rect)|avfilter\.(chromakey|colorkey|lumakey"
    r"|hsvkey|colorkey_hold)|opencv\.mask|affinerotate)$"
)
_FADES = {
    "fade_from_black": True, "fadein": True, "fadeinbrightness": True, "fadeinmovit": True,
    "fade_to_black": False, "fadeout": False, "fadeoutbrightness": False, "fadeoutmovit": False,
}  # fmt: skip
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)%?")


def prop(element: Element, name: str) -> str:
    """A property of an element, empty where it has none."""
    found = next((child.text for child in element.findall("property") if child.get("name") == name), None)
    return (found or "").strip()


def look_of(producer: Element) -> Look | None:
    """How much of the frame a producer fills; None where it shows nothing: sound, black, or switched-off picture."""
    service, resource = prop(producer, "mlt_service").lower(), prop(producer, "resource")
    if prop(producer, "video_index") == "-1" or prop(producer, "set.test_image") == "1" or service in ("tone", "hold"):
        return None
    if service in ("color", "colour"):
        return None if _is_dark(resource) and not writes(producer) else Look.GRAPHIC
    kind = prop(producer, "kdenlive:clip_type")
    if kind == "1" or _holds_sound_only(producer) or is_sound(resource):
        return None
    if service in _GRAPHICS or service.startswith("frei0r.") or kind in ("6", "11", "12"):
        return Look.GRAPHIC
    still = service in _STILLS or not service or service.startswith("avformat")
    return Look.GRAPHIC if still and is_still_with_alpha(resource) and ".all." not in resource else Look.FULL


def writes(element: Element) -> bool:
    """Whether a filter writes a text into the picture, which makes a title card of a colour."""
    filters = [found for found in element.findall("filter") if prop(found, "disable") != "1"]
    return any(prop(found, "mlt_service").lower() in _TEXTS for found in filters)


def _holds_sound_only(producer: Element) -> bool:
    """Whether every stream that Kdenlive or Shotcut found in the file is sound."""
    kinds = [
        (child.text or "").strip()
        for child in producer.findall("property")
        if re.fullmatch(r"meta\.media\.\d+\.stream\.type", child.get("name", ""))
    ]
    return bool(kinds) and "video" not in kinds and "audio" in kinds


def _is_dark(color: str) -> bool:
    """Whether a colour is black or wholly transparent: a name, #RRGGBB, #AARRGGBB or 0xRRGGBBAA."""
    color = color.lower().split("color:")[-1]
    if color in ("black", "transparent", "0", ""):
        return True
    digits = color.removeprefix("#").removeprefix("0x")
    if not re.fullmatch(r"[0-9a-f]{6}|[0-9a-f]{8}", digits):
        return False
    if len(digits) == 6:
        return digits == "000000"
    alpha, rgb = (digits[6:], digits[:6]) if color.startswith("0x") else (digits[:2], digits[2:])
    return alpha == "00" or rgb == "000000"


def fills(element: Element, size: tuple[float, float]) -> bool:
    """Whether the filters on a clip or track leave it opaque and as large as the frame, `size` pixels."""
    filters = [found for found in element.findall("filter") if prop(found, "disable") != "1"]
    return not any(_takes_away(found, size) for found in filters)


def _takes_away(filter: Element, size: tuple[float, float]) -> bool:
    service = prop(filter, "mlt_service").lower()
    if _fade(filter) is not None:
        return False
    if service == "qtblend":
        return not _covers(prop(filter, "rect"), size) or prop(filter, "compositing") not in ("", "0") or _turns(filter)
    if service == "affine":
        rect = prop(filter, "transition.rect") or prop(filter, "transition.geometry")
        return not _covers(rect, size) or _turns(filter)
    if service == "brightness":
        return not all(value >= 1.0 for value in _keyed(prop(filter, "alpha")))
    if service == "crop":
        return any(value > 0 for name in ("left", "right", "top", "bottom") for value in _keyed(prop(filter, name)))
    return bool(_KEYS.match(service))


def _turns(filter: Element) -> bool:
    names = ["rotation", *(f"transition.{kind}rotate_{axis}" for kind in ("fix_", "") for axis in "xyz")]
    return any(value != 0.0 for name in names for value in _keyed(prop(filter, name)))


def _keyed(text: str) -> list[float]:
    """The first number of each key frame of an animated property."""
    numbers = [_NUMBER.findall(part.rsplit("=", 1)[-1]) for part in text.split(";") if part.strip()]
    return [float(found[0].rstrip("%")) for found in numbers if found]


def _covers(text: str, size: tuple[float, float]) -> bool:
    """Whether every key frame of a rectangle, "x y w h opacity" or "x/y:wxh:opacity", covers a frame of that size."""
    geometry = "/" in text
    for part in text.split(";"):
        values = _NUMBER.findall(part.rsplit("=", 1)[-1].replace("x", " ").replace("/", " ").replace(":", " "))
        if len(values) < 4:
            continue
        share = [
            float(value[:-1]) / 100.0 if value.endswith("%") else float(value) / (size[index % 2] or 1.0)
            for index, value in enumerate(values[:4])
        ]
        opacity = 1.0
        if len(values) > 4:
            percent = geometry or values[4].endswith("%")
            opacity = float(values[4].rstrip("%")) / (100.0 if percent else 1.0)
        x, y, width, height = share
        if not size[0] and not values[0].endswith("%"):  # the frame's size is not known
            x, y, width, height = 0.0, 0.0, 1.0, 1.0
        if x > 0.001 or y > 0.001 or x + width < 0.999 or y + height < 0.999 or opacity < 0.999:
            return False
    return True


def _fade(filter: Element) -> bool | None:
    """True for a fade in, False for a fade out, None for any other filter."""
    for name in ("kdenlive_id", "shotcut:filter", "mlt_service"):
        found = _FADES.get(prop(filter, name).lower())
        if found is not None:
            return found
    return None


def edge_fades(element: Element, seconds: Callable[[str], float]) -> Iterator[tuple[float, bool, bool]]:
    """(length in seconds, whether it opens the clip, whether to black itself) of each fade filter on a clip.

    One that changes opacity, not brightness, fades to what lies beneath.
    """
    for found in element.findall("filter"):
        opening = _fade(found)
        if opening is None or prop(found, "disable") == "1":
            continue
        first, last = found.get("in", prop(found, "in") or "0"), found.get("out", prop(found, "out"))
        if not last:
            continue
        length_s = seconds(last) - seconds(first)
        if length_s < 0:
            raise TimelineError("a time in it is damaged", found.line)
        alpha = prop(found, "alpha")
        yield length_s, opening, alpha in ("", "1") and "=" not in alpha


def is_mix(transition: Element, tractor: Element) -> bool:
    """Whether a transition turns one picture into another, rather than lay one over the other or mix sounds."""
    service = prop(transition, "mlt_service").lower()
    if service in _SOUND_MIXES or prop(transition, "always_active") == "1" or prop(transition, "internal_added"):
        return False
    if prop(transition, "kdenlive:mixcut") or prop(tractor, "shotcut:transition"):
        return True
    named = prop(transition, "kdenlive_id").lower()
    return service in ("luma", "dissolve", "movit.luma_mix") or named in ("dissolve", "luma", "wipe", "slide")


def lets_through(transition: Element, size: tuple[float, float]) -> bool:
    """Whether a composition lays its upper track over the lower one smaller, blended, or not quite opaque."""
    service = prop(transition, "mlt_service").lower()
    if service in ("frei0r.cairoblend",):
        return prop(transition, "1") not in ("", "normal") or prop(transition, "blend_mode") not in ("", "normal")
    if service.startswith("frei0r."):
        return True
    if service not in _COMPOSITES or service in ("movit.overlay",):
        return False
    rect = prop(transition, "rect") or prop(transition, "geometry")
    return not _covers(rect, size) or prop(transition, "compositing") not in ("", "0")
