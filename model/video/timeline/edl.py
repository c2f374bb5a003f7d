"""CMX 3600 edit decision lists, as every editor writes them: each line becomes an event, or is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from hitpoint.model.video.timeline.text import lines
from hitpoint.model.video.timeline.timecode import NTSC_30, Timecode, can_drop, stated_rate
from hitpoint.model.video.timeline.tracks import Fade, Notes, Reading, Span, TimelineError, Track, track

_TIMECODE = r"\d{1,2}[:;.,]\d{2}[:;.,]\d{2}[:;.,]\d{2,3}"
_FOUR = r"\s+".join(f"({_TIMECODE})" for _ in range(4))
_EVENT = re.compile(rf"^\s*\d+[A-Z]?\s+(?P<middle>.*?)\s+{_FOUR}(\s.*)?$", re.IGNORECASE)
_NUMBERED = re.compile(rf"^\s*\d+[A-Z]?\s.*{_TIMECODE}", re.IGNORECASE)
_CHANNELS = re.compile(r"^(NONE|B|AUD(IO)?[\d/,-]*|VID(EO)?\d*|[AV][AV0-9/,&+-]*)$", re.IGNORECASE)
_KIND = re.compile(r"^(C|D|W\d+|KB?|KO)$", re.IGNORECASE)
_FRAMES = re.compile(r"^(\d{1,5})([.(].*)?$")
_FCM = re.compile(r"^\s*FCM:\s*(NON[- ]?)?DROP", re.IGNORECASE)
_NAME = re.compile(r"^\s*\*\s*(FROM|TO) CLIP NAME:\s*(.*?)\s*$", re.IGNORECASE)
_REMARK = re.compile(
    r"^\s*($|[*>|;#@]|TITLE|FCM|M2|AUD\b|SPLIT|EFFECTS? NAME|FINAL CUT|DLEDL|BLANK|SMPTE|FROM |TO |KEY|GPI|SWM|REEL"
    r"|SOURCE|CLIP|FPS|FRAME|VERSION|COMMENT|NOTE|STILL|PTZ|SPEED|AUDIO|MARKER|LOC|ASC_|TOTAL|END|\d+\s*$)",
    re.IGNORECASE,
)
_BLACK = {"BL", "BLK", "BLACK"}
_NO_REEL = {"", "AX", *_BLACK}
_HIGHER = "events on higher video tracks were passed over, as the list does not say what they hide"
_LEAD_S = 60.0
"""A list whose first event lies less than this after a whole hour begins at that hour, in black."""


@dataclass(frozen=True)
class Event:
    """One line. channel: number of its video track, 0 for sound only; kind: C, D, W, K or KB; frames: of its mix."""

    line: int
    reel: str
    channel: int
    kind: str
    frames: int
    times: tuple[Timecode, ...]  # source in and out, record in and out
    name: str = ""

    @property
    def black(self) -> bool:
        """Whether it shows nothing."""
        return self.reel.upper() in _BLACK


def read(text: str, fps: float, film_s: float | None = None) -> Reading:
    """The picture of an EDL, seconds from the programme's start.

    fps: frames a second of its timecodes where the list does not state them. film_s: how long the film is, which may
    tell whether a list that begins a little after the hour begins in black. Raises TimelineError with the line of an
    event that cannot be read.
    """
    notes = Notes()
    events, fps = _events(text, fps, notes)
    picture = [event for event in events if event.channel and event.kind != "K"]
    if not picture:
        raise TimelineError("there is no picture event in it")
    lowest = min(event.channel for event in picture)
    for event in picture:
        if event.channel > lowest:
            notes.add(_HIGHER, event.line)
    placed = _placed([event for event in picture if event.channel == lowest], fps)
    origin = _origin(placed, fps, film_s, notes)
    drop = placed[0][2].times[2].drop
    return Reading(_track(placed, origin, fps), origin / fps, notes.sentences(), fps, drop)


def _events(text: str, fps: float, notes: Notes) -> tuple[list[Event], float]:
    """Every event in the order of the file, and frames a second of their timecodes."""
    events: list[Event] = []
    declared_drop: bool | None = None
    for number, line in enumerate(lines(text), 1):
        match = _EVENT.match(line)
        if match:
            drop = bool(declared_drop)
            times = tuple(Timecode(value, number, drop) for value in match.groups()[1:5])
            events.append(_event(number, match["middle"], times))
        elif _NUMBERED.match(line):
            raise TimelineError("it looks like an event but lacks its four timecodes", number)
        elif fcm := _FCM.match(line):
            declared_drop = not fcm[1]
        elif name := _NAME.match(line):
            _name(events, name[1].upper(), name[2])
        elif (stated := stated_rate(line)) is not None:
            fps = stated
        elif not _REMARK.match(line):
            notes.add("lines of another kind than the format's were passed over", number)
    fps = _checked_rate(events, fps, notes)
    return _one_count(events, fps), fps


def _event(line: int, middle: str, times: tuple[Timecode, ...]) -> Event:
    """The fields between an event's number and its timecodes, read from the right: a reel may be blank or hold blanks,
    and Avid leaves the kind blank.
    """
    words = middle.split()
    frames, kind = None, ""
    if len(words) > 2 and _FRAMES.match(words[-1]) and (_KIND.match(words[-2]) or words[-2].upper() in "OB"):
        frames = int(re.split(r"\D", words.pop())[0])
    elif len(words) > 1 and _FRAMES.match(words[-1]) and _CHANNELS.match(words[-2]):
        frames, kind = int(re.split(r"\D", words.pop())[0]), "D"
    if len(words) > 2 and words[-2].upper() == "K" and words[-1].upper() in ("B", "O"):
        kind = "K" + words.pop().upper()
        words.pop()
    elif len(words) > 1 and _KIND.match(words[-1]):
        kind = words.pop().upper()
    if not words or not _CHANNELS.match(words[-1]):
        known = len(words) > 1 and _CHANNELS.match(words[-2])
        what = f"kind of edit '{words[-1]}' is" if known else "channels are"
        raise TimelineError(f"its {what} not known", line)
    channel = _video_track(words.pop())
    if kind[:1] in ("D", "W") and frames is None and channel:
        raise TimelineError("its dissolve or wipe has no length", line)
    kind = {"": "C", "KO": "K"}.get(kind, kind if kind == "KB" else kind[0] if kind else "C")
    return Event(line, " ".join(words), channel, kind, frames or 0, times)


def _video_track(channels: str) -> int:
    """The lowest video track of `V`, `AA/V`, `V2`, `B` (sound and picture); 0 where there is none, as in `NONE`."""
    channels = channels.upper()
    if channels == "B":
        return 1
    found = [int(number or 1) for number in re.findall(r"V(?:IDEO|ID)?(\d*)", channels)] if channels != "NONE" else []
    return min(found, default=0)


def _name(events: list[Event], which: str, name: str) -> None:
    """Gives a clip's name to the event above it; of the two lines of a mix, FROM names the first and TO the second."""
    if not events:
        return
    index = len(events) - 1
    if which == "FROM" and events[index].kind in ("D", "W") and index > 0:
        index -= 1
    if not events[index].name:
        events[index] = replace(events[index], name=name)


def _one_count(events: list[Event], fps: float) -> list[Event]:
    """The events with one way of counting where drop frame and none are mixed on the record side, which is one tape.

    Each event counts as the FCM line above it says, unless its own ";" says it. That holds where the count goes on
    from one to the other. Else the FCM line in mid-list speaks of a source, or ":" was written for both: the list then
    counts as its ";" say, or as its first event does.
    """
    genuine = True
    for before, after in pairwise(event for event in events if event.channel):
        last, first = before.times[3], after.times[2]
        if last.drop != first.drop:
            genuine = genuine and last.label != first.label and last.count(fps) == first.count(fps)
    if genuine or not events:
        return events
    drop = events[0].times[2].drop or any(time.marked_drop for event in events for time in event.times[2:])
    return [replace(event, times=_counted(event.times, drop)) for event in events]


def _counted(times: tuple[Timecode, ...], drop: bool) -> tuple[Timecode, ...]:
    return times[0], times[1], times[2].counted(drop), times[3].counted(drop)


def _checked_rate(events: list[Event], fps: float, notes: Notes) -> float:
    """Frames a second: as given, unless the drop-frame marks in the timecodes say that it is 29.97."""
    times = [time for event in events if event.channel for time in event.times[2:]]
    if any(time.marked_drop for time in times) and not can_drop(fps):
        notes.add(f"its drop-frame timecodes were read at 29.97 frames a second, as {fps:g} has none")
        fps = NTSC_30
    if round(fps) >= 48 and len(times) > 20 and max(time.frames for time in times) < round(fps) / 2:
        half = f"{fps / 2:.5g}"
        notes.add(f"it was read at {fps:.5g} frames a second; give --cuts-fps {half} if it counts only so far")
    return fps


def _placed(events: list[Event], fps: float) -> list[tuple[int, int, Event]]:
    """(first frame, end frame, event) in the order of the record side, which may pass midnight."""
    day = Timecode("24:00:00:00", 0, False).count(fps)
    placed = []
    for event in events:
        first, end = (time.count(fps) for time in event.times[2:])
        if first - end > day // 2:
            end += day
        if end < first:
            if event.black:
                continue  # some editors close a list with such a line
            raise TimelineError(f"the event at {event.times[2].text} ends before it begins", event.line)
        placed.append((first, end, event))
    starts = [first for first, _, _ in placed]
    if starts and max(starts) - min(starts) > day // 2:
        later = [day if first < day // 2 else 0 for first in starts]
        placed = [(item[0] + more, item[1] + more, item[2]) for item, more in zip(placed, later, strict=True)]
    return sorted(placed, key=lambda item: item[:2])


def _origin(placed: list[tuple[int, int, Event]], fps: float, film_s: float | None, notes: Notes) -> int:
    """The frame at which the programme begins: the first event, or the hour shortly before it."""
    if not placed:
        raise TimelineError("there is no picture event in it")
    first, end = placed[0][0], max(item[1] for item in placed)
    hour_label = placed[0][2].times[2]
    hour = hour_label.hour().count(fps)
    if not 0 < first - hour <= _LEAD_S * fps:
        return first
    if film_s is not None and abs((end - first) / fps - film_s) < abs((end - hour) / fps - film_s):
        return first
    notes.add(
        f"its first event lies at {hour_label.text}: the programme was taken to begin in black on the hour; "
        "give --cuts-start if it does not"
    )
    return hour


def _track(placed: list[tuple[int, int, Event]], origin: int, fps: float) -> Track:
    """Spans and fades of events in order."""
    spans: list[Span] = []
    fades: list[Fade] = []
    covered = -1  # the frame up to which there is picture
    before: Event | None = None
    for first, end, event in placed:
        start_s, end_s = (first - origin) / fps, (end - origin) / fps
        if event.kind in ("D", "W") and event.frames:
            from_black = covered < first or (before is not None and before.black)
            until_s = min(start_s + event.frames / fps, max(end_s, start_s))
            fades.append(Fade(start_s, until_s, from_black, event.black))
        if end > first and not event.black:
            spans.append(_span(start_s, end_s, event, fps))
            covered = max(covered, end)
        before = event
    length_s = max((end - origin) / fps for _, end, _ in placed)
    return track(spans, fades, length_s)


def _span(start_s: float, end_s: float, event: Event, fps: float) -> Span:
    """The stretch of one event, with what it plays where reel or clip name tell."""
    source = "" if event.reel.upper() in _NO_REEL and not event.name else f"{event.reel}\n{event.name}"
    try:
        source_s, source_end_s = (time.count(fps) / fps for time in event.times[:2])
    except TimelineError:  # another rate than the list's
        return Span(start_s, end_s)
    return Span(start_s, end_s, source=source, source_s=source_s, speed=(source_end_s - source_s) / (end_s - start_s))
