"""The list of cuts an editor already has: `--cuts` of the command line."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

from hitpoint.model.errors import InputError
from hitpoint.model.video.timeline import edl, fcpxml, mlt, otio
from hitpoint.model.video.timeline.tracks import TimelineError, changes
from hitpoint.model.video.types import Boundary

ENDINGS = (".edl", ".otio", ".json", ".fcpxml", ".fcpxmld", ".mlt", ".kdenlive")
MAX_BYTES = 64 * 1024 * 1024


def read_cuts(path: Path, fps: float) -> tuple[Boundary, ...]:
    """The changes of shot in `path`, in order, seconds from the programme's start; each has weight 1.

    path: CMX 3600 `.edl`, `.otio`, `.fcpxml` (or the folder `.fcpxmld`), `.mlt`, `.kdenlive`, or `.json` with
    `{"cuts": [s, …], "fades": [s, …]}` or a plain list of seconds. fps: frames a second of the timecodes of an EDL (and
    of an MLT project without a profile), which do not say it; above 0. Raises InputError when the file cannot be read,
    is of another kind, is damaged, goes back in time, or holds no change of shot.
    """
    if not (math.isfinite(fps) and fps > 0.0):
        raise InputError(f"The timecodes of {path.name} need a frame rate above 0, not {fps:g}.")
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(f"{path.name} is not a list of cuts that can be read; give one of {', '.join(ENDINGS)}.")
    text = _text(path / "Info.fcpxml" if ending == ".fcpxmld" and path.is_dir() else path)
    try:
        found = _changes(text, ending, fps)
    except TimelineError as error:
        raise InputError(f"{path.name} cannot be used as a list of cuts: {error}.") from error
    if not found:
        raise InputError(f"{path.name} holds no cut; leave --cuts away to have them detected.")
    return tuple(Boundary(time_s, kind, 1.0) for time_s, kind in found)


def _text(path: Path) -> str:
    """The file's text: UTF-8 with or without a mark, else Latin-1, which older editors write into clip names."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path.name} is larger than a list of cuts can be; export the timeline alone.")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror}); check the path.") from error
    if not data.strip():
        raise InputError(f"{path.name} is empty; export the list of cuts again.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _changes(text: str, ending: str, fps: float) -> list[tuple[float, str]]:
    """(time_s, kind) in order, whatever the format."""
    if ending == ".json":
        return _json(text)
    if ending == ".edl":
        return changes(edl.read(text, fps))
    if ending == ".otio":
        return changes(otio.read(text))
    if ending in (".fcpxml", ".fcpxmld"):
        return changes(fcpxml.read(text))
    return changes(mlt.read(text, fps))


def _json(text: str) -> list[tuple[float, str]]:
    """Cuts and fades of the plain form; the film's own start at 0 is no change of shot."""
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
    """The numbers of one list; raises TimelineError when one is no number, negative, or not above the one before."""
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
