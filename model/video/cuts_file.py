"""The list of cuts an editor already has: `--cuts` of the command line."""

from __future__ import annotations

import json
import math
import re
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.video.timeline import aaf, edl, fcpxml, mlt, otio, xmeml, xmltree
from hitpoint.model.video.timeline.text import decode
from hitpoint.model.video.timeline.timecode import Timecode, standard
from hitpoint.model.video.timeline.tracks import Reading, TimelineError, changes
from hitpoint.model.video.types import Boundary

XML_ENDINGS = (".fcpxml", ".fcpxmld", ".xml", ".xmeml", ".mlt", ".kdenlive")
ENDINGS = (".edl", ".otio", ".otioz", ".otiod", ".json", *XML_ENDINGS, ".aaf")
MAX_BYTES = 64 * 1024 * 1024
_FOLDERS = {".fcpxmld": "Info.fcpxml", ".otiod": "content.otio"}
_TIMECODE = re.compile(r"\d{1,2}[:;]\d{2}[:;]\d{2}[:;.,]\d{2,3}")


@dataclass(frozen=True)
class CutList:
    """What a list says.

    cuts: in order, seconds from the film's start; notes: what was passed over, in sentences; fps: frames a second in
    which its timecodes were read, None where it has none.
    """

    cuts: tuple[Boundary, ...]
    notes: tuple[str, ...] = ()
    fps: float | None = None

    def unused(self, fps: float | None) -> tuple[str, ...]:
        """A sentence where the rate given contradicts the list itself."""
        if fps is None or (self.fps is not None and abs(self.fps - standard(fps)) < 1e-6):
            return ()
        own = "its times are not timecodes" if self.fps is None else f"it states its own rate, {self.fps:.5g}"
        return (f"the {fps:.5g} frames a second given were not used, as {own}",)


def read_cuts(path: Path, fps: float) -> tuple[Boundary, ...]:
    """The changes of shot in `path`, as `read_list` finds them."""
    return read_list(path, fps).cuts


def read_list(path: Path, fps: float, start: str | None = None, film_s: float | None = None) -> CutList:
    """The changes of shot in `path`, in order, seconds from the film's start, each of weight 1, and what to tell.

    path: an EDL (CMX 3600), `.otio` (`.otioz`, `.otiod`), FCPXML (or the folder `.fcpxmld`), Final Cut Pro 7 `.xml`,
    `.mlt`, `.kdenlive`, `.aaf`, or `.json` with `{"cuts": [s, …], "fades": [s, …]}` or a plain list of seconds. fps:
    nominal frames a second where the list does not say it, above 0. start: the list's timecode at the film's first
    frame, `HH:MM:SS:FF` or seconds; None where the programme begins there. film_s: how long the film is, if known.

    Raises InputError when the file cannot be read, is of another kind, is damaged (with the line), goes back in time,
    or holds no change of shot; UsageError for another `start`; MissingError for an AAF without its library.
    """
    if not (math.isfinite(fps) and fps > 0.0):
        raise InputError(f"the timecodes of {path.name} need a frame rate above 0, not {fps:g}")
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(f"{path.name} is not a list of cuts that can be read; give one of {', '.join(ENDINGS)}")
    try:
        found, notes, rate = _changes(path, ending, standard(fps), start, film_s)
    except TimelineError as error:
        where = f", line {error.line}," if error.line else ""
        raise InputError(f"{path.name}{where} cannot be used as a list of cuts: {error}") from error
    if not found:
        raise InputError(f"{path.name} holds no cut; leave --cuts out to have them detected")
    return CutList(tuple(Boundary(time_s, kind, 1.0) for time_s, kind in found), notes, rate)


def _bytes(path: Path) -> bytes:
    """The list itself: the file's content, or that of the one file that matters in a folder or an archive."""
    ending = path.suffix.lower()
    inside = path / _FOLDERS[ending] if ending in _FOLDERS and path.is_dir() else path
    try:
        if inside.stat().st_size > MAX_BYTES:
            raise InputError(f"{path.name} is too large for a list of cuts; export the timeline by itself")
        data = inside.read_bytes()
        if ending == ".otioz":
            with zipfile.ZipFile(path) as archive:
                if archive.getinfo("content.otio").file_size > MAX_BYTES:
                    raise InputError(f"{path.name} is too large for a list of cuts; export the timeline by itself")
                data = archive.read("content.otio")
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror}); check the path") from error
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError) as error:
        raise TimelineError("it is not an OpenTimelineIO archive, or is damaged") from error
    if not data.strip(b" \t\r\n\x00\x1a\xef\xbb\xbf\xff\xfe"):
        raise InputError(f"{path.name} is empty; export the list of cuts again")
    return data


def _changes(
    path: Path, ending: str, fps: float, start: str | None, film_s: float | None
) -> tuple[list[tuple[float, str]], tuple[str, ...], float | None]:
    """((time_s, kind) in order, notes, frames a second of its timecodes), whatever the format."""
    if ending == ".aaf":
        _bytes(path)  # says what is wrong with the file itself
        reading = aaf.read(path)
    elif ending == ".json":
        return _json(decode(_bytes(path))), (), None
    else:
        reading = _read(decode(_bytes(path)), ending, fps, film_s)
    shift_s = 0.0 if start is None else reading.start_s - start_second(start, reading.fps or fps, reading.drop)
    found, seams = changes(reading.track, shift_s > 0.0)
    notes = list(reading.notes)
    if seams:
        many = "seams at which a take runs on were not counted as cuts"
        notes.append(f"{seams} {many}" if seams > 1 else "1 seam at which a take runs on was not counted as a cut")
    moved = [(time_s + shift_s, kind) for time_s, kind in found if time_s + shift_s > 0.0]
    if len(moved) < len(found):
        notes.append(f"{len(found) - len(moved)} of its changes of shot lie before the film's first frame")
    return moved, tuple(notes), reading.fps


def _read(text: str, ending: str, fps: float, film_s: float | None) -> Reading:
    """What a list of a format written as text says."""
    if ending == ".edl":
        return edl.read(text, fps, film_s)
    if ending not in XML_ENDINGS:
        return otio.read(text)
    root = xmltree.parse(text)
    if root.tag == "mlt":
        return mlt.read(root, fps)
    if root.tag == "xmeml":
        return xmeml.read(root, fps)
    if root.tag == "fcpxml":
        return fcpxml.read(root)
    raise TimelineError(f"its first element is <{root.tag}>, not <fcpxml>, <xmeml> or <mlt>", root.line)


def start_second(start: str, fps: float, drop: bool = False) -> float:
    """Seconds of a timecode `HH:MM:SS:FF` at `fps`, or of a number of seconds. Raises UsageError for other text."""
    if _TIMECODE.fullmatch(start.strip()):
        return Timecode(start.strip(), 0, drop).count(fps) / fps
    try:
        seconds = float(start)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise UsageError(f"'{start}' is not a start time; give a timecode HH:MM:SS:FF, or a number of seconds")
    return seconds


def _json(text: str) -> list[tuple[float, str]]:
    """Cuts and fades of the plain form; the film's own start at 0 is not a change of shot."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TimelineError("it is not valid JSON") from error
    lists = {"cuts": data} if isinstance(data, list) else data
    if not isinstance(lists, dict) or not {"cuts", "fades"} & set(lists):
        raise TimelineError('it needs {"cuts": [seconds, …], "fades": [seconds, …]} or a list of seconds')
    found = [(time_s, "cut") for time_s in _seconds(lists.get("cuts", []), "cuts")]
    found += [(time_s, "fade") for time_s in _seconds(lists.get("fades", []), "fades")]
    return sorted((time_s, kind) for time_s, kind in found if time_s > 0.0)


def _seconds(values: Any, name: str) -> list[float]:
    """The numbers of one list; raises TimelineError when one is not a number, is negative, or not above the one
    before."""
    if not isinstance(values, list):
        raise TimelineError(f'"{name}" must be a list of seconds')
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise TimelineError(f'"{name}" must hold numbers of seconds, not {value!r}')
        if value < 0:
            raise TimelineError(f'"{name}" holds {value:g}, which lies before the film')
    for before, after in pairwise(values):
        if after <= before:
            raise TimelineError(f'"{name}" goes back from {before:g} to {after:g} s')
    return [float(value) for value in values]
