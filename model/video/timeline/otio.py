"""OpenTimelineIO files (`.otio`): read as the JSON they are, so that no library is needed."""

from __future__ import annotations

import json
import math
from typing import Any

from hitpoint.model.video.timeline.tracks import Fade, Span, TimelineError, Track, dissolve, flatten, trim

Item = dict[str, Any]


def read(text: str) -> Track:
    """What the first timeline of the file shows, seconds from its start. Raises TimelineError when it holds none."""
    try:
        root = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TimelineError("it is not valid JSON") from error
    timeline = _first_timeline(root)
    if timeline is None:
        raise TimelineError("there is no timeline in it")
    try:
        return _stack(timeline["tracks"])
    except TimelineError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise TimelineError("its timeline is damaged") from error


def _schema(item: Any) -> str:
    """`Clip` for `Clip.2`; empty for anything that is no object of the format."""
    return str(item.get("OTIO_SCHEMA", "")).split(".")[0] if isinstance(item, dict) else ""


def _first_timeline(root: Any) -> Item | None:
    if _schema(root) == "Timeline":
        return dict(root)
    children = root.get("children") or [] if isinstance(root, dict) else []
    return next((dict(child) for child in children if _schema(child) == "Timeline"), None)


def _seconds(time: Item | None) -> float:
    """A RationalTime in seconds; None counts as 0. Raises TimelineError for one that is no moment."""
    seconds = 0.0 if time is None else float(time["value"]) / float(time["rate"])
    if not math.isfinite(seconds):
        raise TimelineError("a time in it is damaged")
    return seconds


def _stack(stack: Item) -> Track:
    """The picture of a Stack: its enabled tracks and clips, bottom first."""
    layers = [child for child in stack.get("children") or [] if child.get("enabled", True)]
    return flatten([_content(child) for child in layers if child.get("kind", "Video") == "Video"])


def _content(item: Item) -> Track:
    """The whole content of an item, from second 0 of its own time, trimmed to its source range."""
    schema = _schema(item)
    if schema == "Stack":
        whole = _stack(item)
    elif schema == "Track":
        whole = _sequence(item)
    else:
        return Track((Span(0.0, _duration(item)),))
    if item.get("source_range") is None:
        return whole
    start_s = _seconds(item["source_range"]["start_time"])
    return trim(whole, start_s, start_s + _seconds(item["source_range"]["duration"]), 0.0)


def _duration(item: Item) -> float:
    """How long an item holds its track, in seconds."""
    if item.get("source_range") is not None:
        return _seconds(item["source_range"]["duration"])
    if _schema(item) in ("Stack", "Track"):
        lengths = [_duration(child) for child in item.get("children") or [] if _schema(child) != "Transition"]
        return sum(lengths) if _schema(item) == "Track" else max(lengths, default=0.0)
    references = item.get("media_references") or {}
    media = item.get("media_reference") or references.get(item.get("active_media_reference_key", "DEFAULT_MEDIA")) or {}
    if media.get("available_range") is None:
        raise TimelineError(f"its clip '{item.get('name', '')}' has no length")
    return _seconds(media["available_range"]["duration"])


def _sequence(track: Item) -> Track:
    """The items of a Track one after the other; a transition takes no time of its own."""
    spans: list[Span] = []
    fades: list[Fade] = []
    at_s = 0.0
    children = track.get("children") or []
    for index, child in enumerate(children):
        if _schema(child) == "Transition":
            start_s, end_s = at_s - _seconds(child.get("in_offset")), at_s + _seconds(child.get("out_offset"))
            black_before = index == 0 or _schema(children[index - 1]) == "Gap"
            black_after = index + 1 == len(children) or _schema(children[index + 1]) == "Gap"
            fades.append(dissolve(start_s, end_s, black_before, black_after))
            continue
        length_s = _duration(child)
        if _schema(child) != "Gap" and child.get("enabled", True):
            placed = trim(_content(child), 0.0, length_s, at_s)
            spans += placed.spans
            fades += placed.fades
        at_s += length_s
    return Track(tuple(spans), tuple(fades))
