"""What an item of an FCPXML timeline shows: its resources, and how much of the frame it fills."""

from __future__ import annotations

import re
from fractions import Fraction

from hitpoint.model.video.timeline.media_kind import is_sound, is_still_with_alpha
from hitpoint.model.video.timeline.opacity import ramps
from hitpoint.model.video.timeline.tracks import Look, TimelineError
from hitpoint.model.video.timeline.xmltree import Element

_KEYS = re.compile(r"\b(key(er)?|mask|chroma|luma key|matte|vignette mask)\b", re.IGNORECASE)
_LEAD_S = 60
"""As for an EDL: a timeline whose first item lies less than this after a whole hour begins on the hour, in black."""
_NTSC_HOUR = Fraction(36036, 10)
"""An hour of 23.976 or 29.97 without drop frame, in seconds."""
_MEDIA_CHILDREN = {"video", "asset-clip", "clip", "ref-clip", "sync-clip", "mc-clip", "title", "audio", "spine"}


_RATIONAL = re.compile(r"-?(\d{1,25}(\.\d{0,25})?|\.\d{1,25})(/\d{1,20})?")


def rational(text: str) -> Fraction:
    """`1001/30000s`, `5s`, `2.5s` or `5` as a fraction of seconds. Raises ValueError or ArithmeticError for another."""
    text = text.replace(" ", "").removesuffix("s")
    if not _RATIONAL.fullmatch(text):
        raise ValueError(text)
    numerator, _, denominator = text.partition("/")
    return Fraction(numerator) / Fraction(denominator or "1")


class Resources:
    """The assets, effects and compound clips that items refer to by id."""

    def __init__(self, root: Element) -> None:
        self.by_id = {item.get("id", ""): item for found in root.findall("resources") for item in found}
        for item in root.iter("media"):
            self.by_id.setdefault(item.get("id", ""), item)
        self.starts: dict[Element, str | None] = {}
        for item in root.iter():
            if item.tag in ("sequence", "multicam"):
                for inner in (*item.findall("spine"), *item.findall("mc-angle")):
                    self.starts[inner] = item.get("tcStart")

    def of(self, item: Element) -> Element | None:
        """What `item` refers to, or None. Raises TimelineError where it refers to what the file does not hold."""
        name = item.get("ref")
        if not name or item.tag in ("title", "gap"):
            return None
        found = self.by_id.get(name)
        if found is None and item.tag in ("ref-clip", "mc-clip"):
            raise TimelineError(f"it refers to '{name}', which it does not contain", item.line)
        return found

    def compound(self, item: Element) -> Element | None:
        """The spine that a compound clip, a multicam clip's picture angle or a synchronised clip holds; else None."""
        if item.tag in ("sync-clip", "clip"):
            return next((spine for spine in item.findall("spine") if spine.get("lane") is None), None)
        media = self.of(item)
        if media is None or media.tag != "media":
            return None
        sequence = _child(media, "sequence")
        if sequence is not None:
            return _child(sequence, "spine")
        angles = media.findall("multicam/mc-angle")
        wanted = _picture_angle(item)
        chosen = [angle for angle in angles if angle.get("angleID") == wanted] or angles[:1]
        return chosen[0] if chosen else None

    def origin(self, spine: Element) -> Fraction:
        """The second at which a timeline begins: editors count its offsets from its timecode, often an hour.

        spine: or a multicam angle. Where nothing says the timecode, it is the whole hour shortly before its first item.
        """
        try:
            first = rational(spine[0].get("offset", "0")) if len(spine) else Fraction(0)
            told = self.starts.get(spine)
            start = None if told is None else rational(told)
        except (ValueError, ArithmeticError):
            raise TimelineError("a time in it is damaged", spine.line) from None
        if start is not None:
            return start if first >= start else min(first, Fraction(0))
        hours = first // 3600
        return Fraction(3600 * hours) if first - 3600 * hours <= _LEAD_S and first != _NTSC_HOUR * hours else first

    def rate(self, sequence: Element) -> float | None:
        """Frames a second of a sequence, where its format says them."""
        held = self.by_id.get(sequence.get("format", ""))
        try:
            frame = rational(held.get("frameDuration", "")) if held is not None else Fraction(0)
        except (ValueError, ArithmeticError):
            return None
        return float(1 / frame) if frame > 0 else None

    def length(self, item: Element) -> Fraction:
        """How long an item is that does not say it: as long as what it plays."""
        held = self.of(item)
        if held is not None and held.tag == "media":
            held = _child(held, "sequence")
        value = held.get("duration") if held is not None else None
        try:
            return rational(value) if value else Fraction(0)
        except (ValueError, ArithmeticError):
            raise TimelineError("a time in it is damaged", item.line) from None


def _child(item: Element, tag: str) -> Element | None:
    return item.find(tag)


def _picture_angle(item: Element) -> str | None:
    """The angle whose picture a multicam clip shows; None where it says none of them, "" where it shows no picture."""
    sources = item.findall("mc-source")
    shown = [source.get("angleID") for source in sources if source.get("srcEnable", "all") in ("all", "video")]
    if not shown and any(source.get("srcEnable") in ("audio", "none") for source in sources):
        return ""
    return shown[0] if shown else None


def look_of(item: Element, resources: Resources) -> Look | None:
    """How much of the frame a story element fills; None where it has no picture."""
    if item.get("srcEnable") in ("audio", "none"):
        return None
    if item.tag in ("title", "live-drawing"):
        return Look.GRAPHIC
    media = resources.of(item)
    if media is not None and media.tag == "effect":  # a generator
        return None if _is_black(media, item) else Look.GRAPHIC
    if item.tag == "mc-clip" and _picture_angle(item) == "":
        return None
    if media is not None and media.tag == "asset" and not _has_picture(media):
        return None
    if item.tag in ("clip", "sync-clip") and _holds_sound_only(item, resources):
        return None
    if media is not None and media.tag == "asset" and is_still_with_alpha(_source(media)):
        return Look.GRAPHIC
    inner = _child(item, "video") if item.tag == "clip" else None
    if inner is not None and inner.get("lane") is None:
        held = look_of(inner, resources)
        return held if held is None or held < Look.FULL or fills(item) else Look.PARTIAL
    return Look.FULL if fills(item) else Look.PARTIAL


def _is_black(effect: Element, item: Element) -> bool:
    names = f"{effect.get('name', '')} {item.get('name', '')} {effect.get('uid', '')}".lower()
    return bool(re.search(r"\bblack\b|\bslug\b", names))


def _source(asset: Element) -> str:
    """The address of an asset's file."""
    own = asset.get("src")
    if own:
        return own
    return next((rep.get("src", "") for rep in asset.findall("media-rep") if rep.get("src")), "")


def _has_picture(asset: Element) -> bool:
    """Final Cut leaves `hasVideo` out for sound."""
    if asset.get("hasVideo") is not None:
        return asset.get("hasVideo") == "1"
    return asset.get("hasAudio") != "1" and not is_sound(_source(asset))


def _holds_sound_only(item: Element, resources: Resources) -> bool:
    """Whether a clip's own content, which has no lane, is sound."""
    own = [child for child in item if child.tag in _MEDIA_CHILDREN and child.get("lane") is None]
    pictures = [child for child in own if child.tag != "audio"]
    if not own:
        return False
    if not pictures:
        return True
    if pictures[0].tag == "spine":
        return False  # looked into as a compound clip
    return all(look_of(child, resources) is None for child in pictures if child.tag != "spine")


def fills(item: Element) -> bool:
    """Whether the adjustments of an item leave it opaque and as large as the frame."""
    transform, crop, blend = (_child(item, f"adjust-{name}") for name in ("transform", "crop", "blend"))
    if transform is not None and transform.get("enabled") != "0" and not _keeps_the_frame(transform):
        return False
    if crop is not None and crop.get("enabled") != "0" and crop.get("mode") == "trim" and _takes(crop):
        return False
    if blend is not None and blend.get("enabled") != "0" and not _opaque(item, blend):
        return False
    corners = _child(item, "adjust-corners")
    if corners is not None and corners.get("enabled") != "0" and _moved(corners):
        return False
    filters = [child for child in item if child.tag.startswith("filter-video") and child.get("enabled") != "0"]
    return not any(child.tag == "filter-video-mask" or _KEYS.search(child.get("name", "")) for child in filters)


def _numbers(text: str | None) -> list[float]:
    return [float(value) for value in re.findall(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", text or "")]


def _values(item: Element, name: str) -> list[list[float]]:
    """What an adjustment holds under a name: its attribute and every key frame of the parameter of that name."""
    texts = [item.get(name)]
    for param in item.iter("param"):
        if param.get("name", "").strip().lower() == name or param.get("key", "").lower() == name:
            texts += [param.get("value"), *(key.get("value") for key in param.iter("keyframe"))]
    return [_numbers(text) for text in texts if text]


def _keeps_the_frame(transform: Element) -> bool:
    """Whether the picture still reaches every edge. Positions are in percent of the frame's height, from its middle."""
    scales = [min(abs(value) for value in values) for values in _values(transform, "scale") if values] or [1.0]
    places = [max(abs(value) for value in values) for values in _values(transform, "position") if values] or [0.0]
    turned = any(abs(value) > 0.01 for values in _values(transform, "rotation") for value in values)
    room = (min(scales) - 1.0) * 50.0  # what a larger picture reaches beyond the frame
    return not turned and min(scales) >= 0.999 and max(places) <= room + 0.1


def _takes(crop: Element) -> bool:
    """Whether a trim takes anything off."""
    rects = [crop, *crop.findall("trim-rect")]
    names = ("left", "right", "top", "bottom")
    found = [value for rect in rects for name in names for values in _values(rect, name) for value in values]
    return any(abs(value) > 0.05 for value in found)


def edge_fades(item: Element) -> list[tuple[Fraction, bool]]:
    """(length, whether it opens the clip) of each fade by opacity at an edge of an item, as its fade handles make."""
    blend = _child(item, "adjust-blend")
    if blend is None or blend.get("enabled") == "0":
        return []
    found = [(fade, tag == "fadeIn") for tag in ("fadeIn", "fadeOut") for fade in blend.iter(tag)]
    try:
        handles = [(rational(fade.get("duration", "0")), opening) for fade, opening in found]
    except (ValueError, ArithmeticError):
        raise TimelineError("a time in it is damaged", blend.line) from None
    opening_s, closing_s = _ramps(item, blend) or (0.0, 0.0)
    keyed = [(Fraction(opening_s), True)] * bool(opening_s) + [(Fraction(closing_s), False)] * bool(closing_s)
    return handles + keyed


def _ramps(item: Element, blend: Element) -> tuple[float, float] | None:
    """The fades that the key frames of its amount make at the edges of an item, seconds, as `opacity.ramps`."""
    keys = [(key.get("time", "0s"), _numbers(key.get("value"))) for key in blend.iter("keyframe")]
    try:
        placed = [(float(rational(time)), values[0]) for time, values in keys if values]
        start, length = (rational(item.get(name, "0s")) for name in ("start", "duration"))
    except (ValueError, ArithmeticError):
        raise TimelineError("a time in it is damaged", blend.line) from None
    return ramps(placed, float(start), float(length))


def _opaque(item: Element, blend: Element) -> bool:
    """Whether nothing shines through, but for fades at the edges."""
    amounts = _numbers(blend.get("amount"))
    if next(blend.iter("keyframe"), None) is None:
        amounts = [value for values in _values(blend, "amount") + _values(blend, "opacity") for value in values]
    elif _ramps(item, blend) is None:
        return False
    mode = (blend.get("mode") or "0").strip().lower()
    return all(amount >= 0.999 for amount in amounts) and mode in ("0", "normal", "")


def _moved(corners: Element) -> bool:
    texts = [text for name, text in corners.attrib.items() if name != "enabled"]
    return any(abs(value) > 0.05 for text in texts for value in _numbers(text))
