"""How much of the frame an OpenTimelineIO item fills, as its media and its effects tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hitpoint.model.video.timeline.media_kind import is_sound, is_still_with_alpha, look_of_name
from hitpoint.model.video.timeline.tracks import Look

Item = dict[str, Any]

_RENAMED = {"Sequence": "Track", "Filler": "Gap", "SerializeableCollection": "SerializableCollection"}
"""Schemas under the names that OpenTimelineIO gave them before its first release."""
_WORDS = re.compile("[A-Z]?[a-z]+|[A-Z]+")
_NEUTRAL_MODES = {"", "normal", "none", "over", "alpha over", "default", "0"}


def schema(item: Any) -> str:
    """`Clip` for `Clip.2`, today's name for an old one; empty for anything that is not an object of the format."""
    name = str(item.get("OTIO_SCHEMA") or "").split(".")[0] if isinstance(item, dict) else ""
    return _RENAMED.get(name, name)


def plays(item: Item) -> Item:
    """The active media reference of a clip, empty where it has none."""
    references = item.get("media_references")
    chosen = None
    if isinstance(references, dict):
        chosen = references.get(item.get("active_media_reference_key") or "DEFAULT_MEDIA")
    chosen = chosen or item.get("media_reference")
    return chosen if isinstance(chosen, dict) else {}


def look_of(item: Item) -> Look | None:
    """How much of the frame an item fills; None where it has no picture: sound, or a black generator."""
    media = plays(item)
    kind = str(media.get("OTIO_SCHEMA") or "").split(".")[0]
    if kind == "GeneratorReference":
        names = [str(media.get("generator_kind") or ""), str(media.get("name") or ""), str(item.get("name") or "")]
        return None if any(name.strip().lower() in ("black", "slug", "black video") for name in names) else Look.GRAPHIC
    url = str(media.get("target_url") or "")
    if is_sound(url):
        return None
    named = look_of_name(str(item.get("name") or "")) if kind in ("MissingReference", "MediaReference", "") else None
    if named is not None:
        return named
    if is_still_with_alpha(url) or (kind == "MissingReference" and _draws_text(item, media)):
        return Look.GRAPHIC
    effects = [effect for effect in item.get("effects") or [] if isinstance(effect, dict)]
    return Look.PARTIAL if any(_lets_through(effect) for effect in effects) else Look.FULL


def _draws_text(item: Item, media: Item) -> bool:
    """Whether Resolve's own metadata call it a title."""
    words = ("rich text", "text+", "fusion title", "adjustment clip")
    told = [item.get("metadata"), media.get("metadata"), item.get("effects")]
    return any(isinstance(value, str) and value.lower() in words for _, value in _leaves(told))


def _lets_through(effect: Item) -> bool:
    """Whether an enabled effect makes the picture smaller than the frame, moves it off, or blends it."""
    if effect.get("enabled") is False:
        return False
    for own in _objects(effect):
        if "Parameter ID" in own:
            name, neutral = str(own["Parameter ID"]), own.get("Default Parameter Value")
            if any(_moves(name, value, neutral) for value in (own.get("Parameter Value"), *_keyed(own))):
                return True
    generic = [(name, value) for name, value in _leaves(effect) if "arameter" not in name]
    return any(_moves(name, value, None) for name, value in generic)


def _keyed(parameter: Item) -> Iterator[Any]:
    """The values at its key frames."""
    for _, value in _leaves(parameter.get("Key Frames")):
        yield value


def _moves(name: str, value: Any, neutral: Any) -> bool:
    """Whether one value of a picture effect lets something through beside or beneath the picture."""
    words = {word.lower() for word in _WORDS.findall(name)}
    if isinstance(value, str):
        return bool(words & {"blend", "composite"}) and value.strip().lower() not in _NEUTRAL_MODES
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if words & {"blend", "composite"}:
        return value != (neutral or 0) and bool(words & {"mode", "type", "blend"})
    if "opacity" in words:
        return value < 1.0 or 1.0 < value < 100.0
    if words & {"zoom", "scale"}:
        return 0.0 <= value < 1.0 or 5.0 < value < 100.0
    if words & {"pan", "tilt", "position", "translate", "translation", "crop", "rotation"}:
        return value not in (neutral, 0, 0.5)
    return False


def _objects(value: Any) -> Iterator[Item]:
    """Every object in `value` that is not switched off."""
    if isinstance(value, dict):
        if value.get("Enabled") is False:
            return
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(child)


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _leaves(child, str(key))
    elif isinstance(value, list):
        for child in value:
            yield from _leaves(child, name)
    else:
        yield name, value
