"""What the watchdog keeps of the conversation between clock and composer, so that a process that died can go on.

Threads and processes: one owner, the watchdog. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hitpoint.bridge.ipc.messages import (
    Aim,
    BarsReady,
    CancelJob,
    ClipKept,
    ClipSpec,
    Handled,
    JobDone,
    JobMessage,
    JobResult,
    ListBegun,
    ListDropped,
    ListKnown,
    Planned,
    ScoreJob,
    ScoreList,
)
from hitpoint.bridge.ipc.supervision import (
    DropJob,
    ResumeJob,
    WorkingAt,
)
from hitpoint.bridge.play.lookahead import LIVE_BARS_KEPT, KnownBars

TRIES = 2
"""So often the composer may die on one request unchanged."""
TRIES_WITH_CARE = 3
"""So often it may die on a job that has its plan, each time told to take more care, without getting any further."""


class NowPlaying:
    """The plan that is played and its bars: what a clock that is started again must be told."""

    def __init__(self) -> None:
        self.planned: Planned | None = None
        self._known_bars = KnownBars()

    def hear(self, message: Planned | BarsReady) -> None:
        """Take in what the composer tells the clock."""
        if isinstance(message, Planned):
            if self.planned is None or not self.planned.same_music(message):
                self._known_bars.clear()
            self.planned = message
            self._known_bars.edit(message.edition, message.stale)
        elif self.planned is not None and (message.job, message.take) == (self.planned.job, self.planned.take):
            self._known_bars.add(message.edition, message.bars)
            if self.planned.live is not None:
                self._known_bars.forget_before(message.bars[-1].index - LIVE_BARS_KEPT)

    def retell(self) -> list[Planned | BarsReady]:
        """Plan, bars, and which of them are to be replaced."""
        planned = self.planned
        if planned is None:
            return []
        first = replace(planned, stale=(), kept=True)
        bars = [
            BarsReady(planned.job, planned.take, planned.edition, (bar,), kept=True) for bar in self._known_bars.bars()
        ]
        stale = self._known_bars.stale()
        return [first, *bars, *([replace(first, stale=stale)] if stale else [])]


@dataclass
class _List:
    """An edit's clips so far. clips: by index."""

    fps: float
    count: int
    clips: dict[int, ClipSpec] = field(default_factory=dict)


class Shelf:
    """The lists of clips that the clock takes in piece by piece: it holds none of them itself.

    How many there may be is the clock's to say (`ClipDesk`).
    """

    def __init__(self, lists: Iterable[ScoreJob] = ()) -> None:
        self._lists: dict[str, _List] = {}
        for each in lists:
            clips = (*each.clips, *each.sounds)
            self._lists[each.job] = _List(each.fps, len(clips), dict(enumerate(clips)))

    def note(self, message: ListBegun | ClipKept | ListDropped) -> None:
        """The clock took something in, or dropped a list."""
        if isinstance(message, ListBegun):
            self._lists[message.job] = _List(message.fps, message.count)
        elif isinstance(message, ListDropped):
            self._lists.pop(message.job, None)
        elif message.job in self._lists:
            self._lists[message.job].clips[message.index] = message.clip

    def score(self, message: ScoreList) -> ScoreJob | None:
        """The job that is asked for; None where its list is not there whole (which the clock does not ask for)."""
        listed = self._lists.get(message.job)
        if listed is None or len(listed.clips) < listed.count:
            return None
        clips = [listed.clips[index] for index in range(listed.count)]
        seen, heard = (tuple(clip for clip in clips if clip.heard is which) for which in (False, True))
        return ScoreJob(message.job, seen, message.pairs, listed.fps, heard)

    def retell(self) -> list[ListKnown]:
        """What a clock that is started again must know of them."""
        return [
            ListKnown(job, each.fps, each.count, tuple(i for i in range(each.count) if i not in each.clips))
            for job, each in self._lists.items()
        ]

    def whole(self) -> list[ScoreJob]:
        """The complete ones."""
        return [score for job in self._lists if (score := self.score(ScoreList(job, ()))) is not None]


@dataclass
class Open:
    """A job that the composer has not finished. deaths: how often it died on it without getting further."""

    deaths: int = 0
    planned: bool = False


class Requests:
    """What the composer was asked for and has not done yet: one that is started again goes on with it.

    A request that was not taken in is asked again; a job that was goes on with what is on disk. What kills the
    composer is never tried again unchanged more than once (see ResumeJob.care), and then given up; the others wait.
    """

    def __init__(self) -> None:
        self._waiting: list[JobMessage] = []
        self._open: dict[str, Open] = {}
        self._dropped: list[str] = []
        self._at: tuple[str, ...] = ()
        self.job = ""
        """The job that was worked on last: the one that is played."""

    @property
    def at(self) -> tuple[str, ...]:
        """The jobs that the composer is working at."""
        return self._at

    def reopen(self, jobs: Iterable[str]) -> None:
        """Jobs that a former bridge did not finish."""
        for job in jobs:
            self._open.setdefault(job, Open(planned=True))

    def note(self, message: JobMessage) -> None:
        """The clock asks."""
        if isinstance(message, Aim):
            return
        if isinstance(message, CancelJob):
            self._waiting = [each for each in self._waiting if each.job != message.job]
            self._dropped = [job for job in self._dropped if job != message.job] + [message.job]
            self._open.pop(message.job, None)
            return
        if isinstance(message, ScoreJob):
            self.job = message.job
            self._waiting = [each for each in self._waiting if each.job != message.job]
            self._open[message.job] = Open()
        self._waiting.append(message)
        self._open.setdefault(message.job, Open(planned=True))

    def hear(self, message: object) -> None:
        """The composer answers."""
        if isinstance(message, WorkingAt):
            self._at = message.jobs
        elif isinstance(message, Handled):
            if message.request in self._waiting:
                self._waiting.remove(message.request)
        elif isinstance(message, JobDone):
            self._dropped = [job for job in self._dropped if job != message.job]
            if not any(each.job == message.job for each in self._waiting):
                self._open.pop(message.job, None)
        elif isinstance(message, Planned | BarsReady | JobResult):
            self._got_further(message)

    def _got_further(self, message: Planned | BarsReady | JobResult) -> None:
        if isinstance(message, Planned) and not message.kept:
            self.job = message.job
        if not isinstance(message, JobResult) and message.kept:
            return
        job = self._open.get(message.job)
        if job is not None:
            job.deaths, job.planned = 0, True

    def composer_died(self) -> list[str]:
        """The jobs to be told that what they asked for was given up: the composer died on them time after time."""
        told = []
        for name in self._at:
            job = self._open.get(name)
            if job is None:
                continue
            job.deaths += 1
            edits = [each for each in self._waiting if each.job == name and not isinstance(each, ScoreJob)]
            if edits and job.deaths >= TRIES:
                self._waiting.remove(edits[0])  # the job itself goes on
                job.deaths = 0
            elif job.deaths >= (TRIES_WITH_CARE if job.planned else TRIES):
                self._drop(name)
            else:
                continue
            told.append(name)
        self._at = ()
        return told

    def _drop(self, name: str) -> None:
        self._waiting = [each for each in self._waiting if each.job != name]
        del self._open[name]
        self._dropped.append(name)
        if self.job == name:
            self.job = ""

    def give_up(self) -> list[str]:
        """The jobs that wait for an answer, none of which will get one."""
        jobs = list(self._open)
        self._waiting.clear()
        self._open.clear()
        return jobs

    def ask_again(self) -> list[JobMessage]:
        """What a restarted composer must be told."""
        begun = [name for name in self._open if not any(self._is_score(each, name) for each in self._waiting)]
        if self.job and self.job not in self._open:
            begun.append(self.job)
        resumed = [ResumeJob(name, self._care(name), heard=name == self.job) for name in begun]
        dropped = [DropJob(name) for name in self._dropped]
        return [*dropped, *resumed, *self._waiting]

    def _care(self, name: str) -> int:
        job = self._open.get(name)
        return job.deaths if job is not None else 0

    @staticmethod
    def _is_score(message: JobMessage, job: str) -> bool:
        return isinstance(message, ScoreJob) and message.job == job
