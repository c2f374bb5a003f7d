"""An edit as a list that editors read: OpenTimelineIO and CMX 3600 EDL."""

from __future__ import annotations

from pathlib import Path

from hitpoint.model.cut.edit import Cutting
from hitpoint.model.errors import UsageError
from hitpoint.model.files import atomic
from hitpoint.model.music.score import Marker
from hitpoint.model.output.edl import FIRST_HOUR_S, timecode
from hitpoint.model.output.otio_file import write_timeline

LISTS = (".otio", ".edl")
MOST_EVENTS = 999


def write_list(cutting: Cutting, path: Path, force: bool = False) -> None:
    """Write the edit as the ending of `path` says, one of LISTS. Raises UsageError as `hitpoint.model.files.atomic`,
    and for an EDL of more cuts than it can hold."""
    if path.suffix.lower() == ".edl":
        _write_edl(cutting, path, force)
        return
    markers = [Marker.section(section.start_s, section.label) for section in cutting.music.sections]
    sound = None if cutting.music.is_midi else cutting.music.path
    about = {"hitpoint": {"music": cutting.music.path.name}}
    write_timeline(cutting.clips, cutting.duration_s, cutting.fps, path, markers, about, sound, force)


def _write_edl(cutting: Cutting, path: Path, force: bool) -> None:
    """Record times from 01:00:00:00; source times count the timeline's frames from each file's beginning."""
    if len(cutting.parts) > MOST_EVENTS:
        raise UsageError(
            f"an EDL holds {MOST_EVENTS} events, and this edit has {len(cutting.parts)} shots; write it as .otio"
        )
    fps = cutting.fps
    lines = [f"TITLE: {path.stem}", "FCM: NON-DROP FRAME", ""]
    origin = FIRST_HOUR_S * round(fps)
    for number, part in enumerate(cutting.parts, 1):
        source = round(part.clip.in_s * fps)
        frames = (source, source + part.slot.frames, origin + part.slot.first, origin + part.slot.end)
        times = " ".join(timecode(frame, fps) for frame in frames)
        lines += [f"{number:03d}  AX       V     C        {times}", f"* FROM CLIP NAME: {part.clip.path.name}"]
        lines += [f"* SOURCE FILE: {part.clip.path.absolute()}", *([] if number > 1 else [f"* FRAME RATE: {fps:.6g}"])]
    with atomic(path, force) as file:
        file.write_text("\n".join(lines), encoding="utf-8", newline="\n")
