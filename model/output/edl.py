"""Hit points and sections -> the list of markers that DaVinci Resolve imports as "Timeline Markers from EDL"."""

from __future__ import annotations

from pathlib import Path

from hitpoint.model.files import atomic
from hitpoint.model.music.score import Score
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.take import Prepared, Take
from hitpoint.model.video.smpte import fields_of

FIRST_HOUR_S = 3600
"""Timelines begin at 01:00:00:00, Resolve's default."""
COLORS = {
    "section": "ResolveColorGreen",
    "cut": "ResolveColorRed",
    "fade": "ResolveColorPurple",
    "beat": "ResolveColorYellow",
}
_MOST_EVENTS = 999


def write_edl_markers(score: Score, fps: float, path: Path, force: bool = False, first_s: float = FIRST_HOUR_S) -> None:
    """Write one event of one frame for each marker, at its nearest frame; of markers on one frame the first stays.

    A list of this format holds 999 events: of more markers, those after the 999th are left out.

    fps: frames a second of the timeline, 1 or more; timecodes count whole frames without drop. first_s: timecode of
    the timeline's first frame, whole seconds. Raises UsageError as `hitpoint.model.files.atomic`.
    """
    lines = [f"TITLE: {path.stem}", "FCM: NON-DROP FRAME", ""]
    taken: set[int] = set()
    origin = round(first_s) * round(fps)
    for marker in score.markers:
        frame = origin + round(marker.time_s * fps)
        if frame in taken or len(taken) >= _MOST_EVENTS:
            continue
        taken.add(frame)
        first, following = timecode(frame, fps), timecode(frame + 1, fps)
        color = COLORS.get(marker.kind, "ResolveColorCyan")
        text = " ".join(marker.text.replace("|", "/").split())
        lines.append(f"{len(taken):03d}  001      V     C        {first} {following} {first} {following}")
        lines.append(f" |C:{color} |M:{text} |D:1")
        lines.append("")
    with atomic(path, force) as part:
        part.write_text("\n".join(lines), encoding="utf-8", newline="\n")


def timecode(frame: int, fps: float) -> str:
    """HH:MM:SS:FF of a frame, counted without drop at the nearest whole rate."""
    return ":".join(f"{field:02d}" for field in fields_of(frame, round(fps)))


class EdlOutput(Output):
    """Markers for DaVinci Resolve."""

    key = "edl"
    suffix = ".edl"

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """As `write_edl_markers`."""
        write_edl_markers(take.score, prepared.rhythm.media[0].fps, path, writing.force)
