"""Clip lists: an edit's clips as they come in packet by packet, and the job that they become.

Threads and processes: one owner (the clock process). Pure, but that paths are resolved on the disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from hitpoint.bridge.ipc.messages import ClipSpec, ScoreJob
from hitpoint.bridge.osc.protocol import ProtocolError, Request

_Kept = TypeVar("_Kept")

MAX_CLIP_LISTS = 16
"""Lists kept; the oldest goes first."""


@dataclass
class ClipList:
    """One edit's clips so far. clips: by index."""

    fps: float
    count: int
    clips: dict[int, ClipSpec] = field(default_factory=dict)

    def missing(self) -> list[int]:
        """The indexes not there yet."""
        return [index for index in range(self.count) if index not in self.clips]


class ClipDesk:
    """Collects clip lists. roots: the folders, resolved, that clips may be read from.

    Every method raises ProtocolError for what is wrong with the request.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)
        self._lists: dict[str, ClipList] = {}
        self._complete: dict[str, ScoreJob] = {}

    def begin(self, request: Request) -> None:
        """`/hitpoint/clips/begin`: a list starts anew."""
        _keep(self._lists, request.text("job"), ClipList(request.number("fps"), request.whole("count")))

    def add(self, request: Request) -> None:
        """`/hitpoint/clip`: one clip; twice does no harm."""
        job, index = request.text("job"), request.whole("index")
        clips = self._lists.get(job)
        if clips is None or index >= clips.count:
            raise ProtocolError("job", f"clip {index} of {job}: no /hitpoint/clips/begin announced it")
        path = allowed_path(request.text("path"), self._roots)
        in_s, out_s = request.number("in"), request.number("out")
        if 0 <= out_s <= in_s:
            raise ProtocolError("arguments", f"clip {index}: its out point {out_s:g} s is not after its in {in_s:g} s")
        out = None if out_s < 0 else out_s
        clips.clips[index] = ClipSpec(path, request.number("timeline_start"), in_s, out, request.number("rate", 1.0))

    def end(self, request: Request) -> list[int]:
        """`/hitpoint/clips/end`: the indexes that are missing; none where the list is complete."""
        job = request.text("job")
        clips = self._lists.get(job)
        if clips is None:
            if job in self._complete:
                return []
            raise ProtocolError("job", f"{job}: /hitpoint/clips/begin was never heard; send the list again")
        if request.whole("count") != clips.count:
            raise ProtocolError("arguments", f"{job}: clips/begin said {clips.count} clips, clips/end says otherwise")
        missing = clips.missing()
        if not missing:
            specs = tuple(clips.clips[index] for index in range(clips.count))
            _keep(self._complete, job, ScoreJob(job, specs, (), clips.fps))
        return missing

    def score(self, request: Request) -> ScoreJob:
        """`/hitpoint/score`: the job with its wishes."""
        job, rest = request.text("job"), request.rest
        complete = self._complete.get(job)
        if complete is None:
            raise ProtocolError("job", f"{job}: its list of clips is not complete; send clips/begin, clip, clips/end")
        if len(rest) % 2:
            raise ProtocolError("arguments", f"{job}: the wishes must come as pairs of key and value")
        pairs = zip(rest[::2], rest[1::2], strict=True)
        return replace(complete, pairs=tuple((str(key), str(value)) for key, value in pairs))

    def complete_lists(self) -> tuple[ScoreJob, ...]:
        """The complete lists, for a successor."""
        return tuple(self._complete.values())

    def restore(self, lists: Sequence[ScoreJob]) -> None:
        """Take a predecessor's complete lists over; those heard since are newer."""
        self._complete = {score.job: score for score in lists} | self._complete


def allowed_path(text: str, roots: Sequence[Path]) -> str:
    """The path, resolved; ProtocolError where it leaves the allowed folders (links and .. followed)."""
    path = Path(text)
    if "\0" in text or not path.is_absolute():
        raise ProtocolError("path", f"{text!r} is not an absolute path")
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError, ValueError):
        raise ProtocolError("path", f"{text!r} cannot be followed") from None
    if not any(resolved.is_relative_to(root) for root in roots):
        raise ProtocolError(
            "path", f"{resolved} lies outside the folders that the bridge may read: start it with --root FOLDER"
        )
    return str(resolved)


def _keep(kept: dict[str, _Kept], job: str, value: _Kept) -> None:
    kept.pop(job, None)
    while len(kept) >= MAX_CLIP_LISTS:
        del kept[next(iter(kept))]
    kept[job] = value
