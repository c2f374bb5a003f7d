"""CMX 3600 edit decision lists, as every editor writes them."""

from __future__ import annotations

import re

from hitpoint.model.video.timeline.tracks import Fade, Span, TimelineError, Track, dissolve

_TIMECODE = r"(\d{1,2}[:;]\d{2}[:;]\d{2}[:;.]\d{2,3})"
_EVENT = re.compile(
    r"^\s*\d+\s+(?P<reel>\S+)\s+(?P<channels>\S+)\s+(?P<kind>C|D|W\d+|KB?|KO)\s*(?P<frames>\d+)?\s+"
    + rf"{_TIMECODE}\s+{_TIMECODE}\s+{_TIMECODE}\s+{_TIMECODE}\s*$",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"^(V1?|B|[A0-9/]*/V1?|[A0-9/]*V1?|NONE)$", re.IGNORECASE)
"""Channels that hold the main picture: V, V1, B (both), A/V, AA/V. Higher video tracks are overlays."""


def frames_of(timecode: str, fps: float, drop: bool) -> int:
    """Frames from 00:00:00:00 to `timecode` at `fps`; drop-frame counting (SMPTE 12M) where `drop` holds.

    Raises TimelineError when a field is out of range for that rate.
    """
    hours, minutes, seconds, frames = (int(part) for part in re.split(r"[:;.]", timecode))
    nominal = round(fps)
    if minutes > 59 or seconds > 59 or frames >= nominal:
        raise TimelineError(f"the timecode {timecode} is impossible at {fps:g} frames a second")
    count = ((hours * 60 + minutes) * 60 + seconds) * nominal + frames
    if drop:
        total_minutes = hours * 60 + minutes
        count -= nominal // 15 * (total_minutes - total_minutes // 10)
    return count


def read(text: str, fps: float) -> Track:
    """The picture track of an EDL, seconds from the programme's start (its first record-in).

    text: the whole file. fps: frames a second of its timecodes, which the format does not hold. A dissolve or wipe
    changes in its middle; one to black (reel BL) at its end, one from black at its start: the darkest moment.
    """
    events = []
    for line in text.splitlines():
        match = _EVENT.match(line)
        if match and match["kind"][0].upper() != "K" and _PICTURE.match(match["channels"]):
            events.append(match)
    if not events:
        raise TimelineError("there is no picture event in it")
    declared_drop = bool(re.search(r"^FCM:\s*DROP", text, re.IGNORECASE | re.MULTILINE))
    timed = []
    for match in events:
        record_in, record_out = match.group(7), match.group(8)
        drop = (declared_drop or ";" in record_in) and round(fps) in (30, 60) and abs(fps - round(fps)) > 1e-3
        first, end = frames_of(record_in, fps, drop), frames_of(record_out, fps, drop)
        if end < first:
            raise TimelineError(f"the event at {record_in} ends before it begins")
        timed.append((first, end, match))
    timed.sort(key=lambda event: event[:2])
    return _track(timed, fps)


def _track(timed: list[tuple[int, int, re.Match[str]]], fps: float) -> Track:
    """Spans and fades of events sorted by record-in: (first frame, end frame, the event's fields)."""
    origin = timed[0][0]
    spans: list[Span] = []
    fades: list[Fade] = []
    previous_reel = "BL"
    for first, end, match in timed:
        start_s, end_s = (first - origin) / fps, (end - origin) / fps
        reel = match["reel"].upper()
        if match["kind"].upper() != "C" and match["frames"]:
            until_s = start_s + int(match["frames"]) / fps
            fades.append(dissolve(start_s, until_s, previous_reel == "BL", reel == "BL"))
        if end > first:
            spans.append(Span(start_s, end_s))
        previous_reel = reel
    return Track(tuple(spans), tuple(fade for fade in fades if fade.time_s > 0.0))
