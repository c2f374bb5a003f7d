"""Clip lists: an edit's clips as they come in packet by packet. The clips themselves go straight on to the watchdog.

Threads and processes: one owner (the clock process). Pure, but that paths are resolved on the disk. Nothing here takes
longer for a longer edit, but naming what is missing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hitpoint.bridge.ipc.messages import (
    ClipKept,
    ClipSpec,
    JobMessage,
    ListBegun,
    ListDropped,
    ListKnown,
    ScoreList,
)
from hitpoint.bridge.ipc.questions import CutList, SuggestList
from hitpoint.bridge.osc.protocol import ProtocolError, Request
from hitpoint.bridge.session.paths import allowed_path, wishes_told

MAX_LISTS, MAX_CLIPS = 512, 100_000
"""Lists, and clips in all of them, that are kept; those that were scored already give way."""
ABANDONED_S = 300.0
"""A list that nothing was heard of for so long gives way, too."""
SLOWEST = 0.01
"""A clip that plays slower shows a still."""


@dataclass
class ClipList:
    """One edit's list. missing: the indexes not there yet. scored: it has done its duty."""

    fps: float
    count: int
    missing: set[int]
    touched_s: float
    scored: bool = False


class ClipDesk:
    """Collects clip lists. roots: the folders, resolved, that clips may be read from.

    Every method raises ProtocolError for what is wrong with the request; what it returns is for the watchdog.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)
        self._lists: dict[str, ClipList] = {}
        self._clips = 0

    def begin(self, request: Request, now_s: float) -> list[JobMessage]:
        """`/hitpoint/clips/begin`: a list starts again."""
        job, fps, count = request.text("job"), request.number("fps"), request.whole("count")
        self._drop(job)
        dropped: list[JobMessage] = []
        while len(self._lists) >= MAX_LISTS or self._clips + count > MAX_CLIPS:
            dropped.append(ListDropped(self._give_way(now_s, job)))
        self._lists[job] = ClipList(fps, count, set(range(count)), now_s)
        self._clips += count
        return [*dropped, ListBegun(job, fps, count)]

    def _give_way(self, now_s: float, job: str) -> str:
        """Drop the list that is missed the least; its job's name."""
        for name, each in self._lists.items():
            if each.scored or now_s - each.touched_s > ABANDONED_S:
                self._drop(name)
                return name
        raise ProtocolError("busy", f"{job}: too many lists of clips wait to be scored; try again in a while")

    def _drop(self, job: str) -> None:
        dropped = self._lists.pop(job, None)
        self._clips -= dropped.count if dropped is not None else 0

    def add(self, request: Request, now_s: float) -> ClipKept:
        """`/hitpoint/clip`: one clip; twice does no harm."""
        job, index = request.text("job"), request.whole("index")
        clips = self._lists.get(job)
        if clips is None or index >= clips.count:
            raise ProtocolError("job", f"clip {index} of {job}: no /hitpoint/clips/begin announced it")
        path = allowed_path(request.text("path"), self._roots)
        in_s, out_s = request.number("in"), request.number("out")
        if 0 <= out_s <= in_s:
            raise ProtocolError("arguments", f"clip {index}: its out point {out_s:g} s is not after its in {in_s:g} s")
        rate = request.number("rate", 1.0)
        if abs(rate) < SLOWEST:
            raise ProtocolError("arguments", f"clip {index}: its rate {rate:g} is slower than {SLOWEST:g}")
        out = None if out_s < 0 else out_s
        clips.missing.discard(index)
        clips.touched_s = now_s
        start_s, fade_s, heard = request.number("timeline_start"), request.number("fade"), request.whole("heard") == 1
        clip = ClipSpec(path, start_s, in_s, out, rate, fade_s, heard)
        return ClipKept(job, index, clip)

    def end(self, request: Request, now_s: float, most: int) -> list[int]:
        """`/hitpoint/clips/end`: at most `most` of the missing indexes; none where the list is complete."""
        job = request.text("job")
        clips = self._lists.get(job)
        if clips is None:
            raise ProtocolError("job", f"{job}: /hitpoint/clips/begin was never heard; send the list again")
        if request.whole("count") != clips.count:
            raise ProtocolError("arguments", f"{job}: clips/begin said {clips.count} clips, clips/end says otherwise")
        clips.touched_s = now_s
        return sorted(clips.missing)[:most]

    def score(self, request: Request, now_s: float) -> ScoreList:
        """`/hitpoint/score`: the job with its wishes."""
        job = request.text("job")
        self._whole(job).touched_s = now_s
        return ScoreList(job, wishes_told(request.rest, self._roots))

    def suggest(self, request: Request, now_s: float) -> SuggestList:
        """`/hitpoint/suggest`: the job with the words for it."""
        job = request.text("job")
        self._whole(job).touched_s = now_s
        return SuggestList(job, request.text("describe") if "describe" in request.values else "")

    def cut(self, request: Request, now_s: float) -> CutList:
        """`/hitpoint/cut`: the job with the music for it."""
        job = request.text("job")
        self._whole(job).touched_s = now_s
        return CutList(job, allowed_path(request.text("music"), self._roots))

    def _whole(self, job: str) -> ClipList:
        """The job's list. Raises ProtocolError where it is not complete."""
        clips = self._lists.get(job)
        if clips is None or clips.missing:
            raise ProtocolError("job", f"{job}: its list of clips is not complete; send clips/begin, clip, clips/end")
        return clips

    def scored(self, job: str) -> None:
        """The composer was asked: the list may give way to others from now on."""
        self._lists[job].scored = True

    def restore(self, known: ListKnown, now_s: float) -> None:
        """Take a predecessor's list over; one heard since is newer."""
        if known.job not in self._lists:
            self._lists[known.job] = ClipList(known.fps, known.count, set(known.missing), now_s)
            self._clips += known.count
