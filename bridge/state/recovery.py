"""What the watchdog keeps of the conversation between clock and composer, so that a process that died can go on.

Threads and processes: one owner, the watchdog. Pure.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from hitpoint.bridge.ipc.messages import (
    Aim,
    BarsReady,
    CancelJob,
    JobError,
    JobMessage,
    JobResult,
    Planned,
    ResumeJob,
    ScoreJob,
)
from hitpoint.bridge.play.lookahead import Library

DEATHS_ON_ONE_REQUEST = 3
UNANSWERED_KEPT = 32


class Music:
    """The plan that is played and its bars: what a clock that is started again must be told."""

    def __init__(self) -> None:
        self.planned: Planned | None = None
        self._library = Library()

    def hear(self, message: Planned | BarsReady) -> None:
        """Take in what the composer tells the clock."""
        if isinstance(message, Planned):
            if self.planned is None or not self.planned.same_music(message):
                self._library.clear()
            self.planned = message
            self._library.edit(message.edition, message.stale)
        elif self.planned is not None and (message.job, message.take) == (self.planned.job, self.planned.take):
            self._library.add(message.edition, message.bars)

    def retell(self) -> list[Planned | BarsReady]:
        """Plan, bars, and which of them are to be replaced."""
        planned = self.planned
        if planned is None:
            return []
        first = replace(planned, stale=(), kept=True)
        bars = [
            BarsReady(planned.job, planned.take, planned.edition, (bar,), kept=True) for bar in self._library.bars()
        ]
        stale = self._library.stale()
        return [first, *bars, *([replace(first, stale=stale)] if stale else [])]


@dataclass
class Request:
    """A request to the composer that is not answered yet. deaths: how often the composer died meanwhile."""

    message: JobMessage
    deaths: int = 0


class Requests:
    """What the composer was asked for and has not answered: one that is started again is asked again."""

    def __init__(self) -> None:
        self._kept: deque[Request] = deque(maxlen=UNANSWERED_KEPT)
        self.job = ""
        """The job that is worked on."""

    def note(self, message: JobMessage) -> None:
        """The clock asks."""
        if isinstance(message, ScoreJob):
            self.job = message.job
        if isinstance(message, CancelJob):
            self.forget(message.job)
        elif not isinstance(message, Aim):
            self._kept.append(Request(message))

    def hear(self, message: JobMessage) -> None:
        """The composer answers."""
        if isinstance(message, Planned):
            self.job = message.job
        elif isinstance(message, JobResult | JobError):
            self.forget(message.job)

    def forget(self, job: str) -> None:
        """What was asked for about this job needs no answer any more."""
        kept = (request for request in self._kept if request.message.job != job)
        self._kept = deque(kept, UNANSWERED_KEPT)

    def composer_died(self) -> list[str]:
        """The jobs with a request that the composer died on DEATHS_ON_ONE_REQUEST times: they are given up."""
        for request in self._kept:
            request.deaths += 1
        given_up = [request.message for request in self._kept if request.deaths >= DEATHS_ON_ONE_REQUEST]
        kept = (request for request in self._kept if request.deaths < DEATHS_ON_ONE_REQUEST)
        self._kept = deque(kept, UNANSWERED_KEPT)
        if any(isinstance(message, ScoreJob) and message.job == self.job for message in given_up):
            self.job = ""
        return sorted({message.job for message in given_up})

    def give_up(self) -> list[str]:
        """The jobs that wait for an answer; none of them gets one any more."""
        jobs = sorted({request.message.job for request in self._kept})
        self._kept.clear()
        return jobs

    def ask_again(self) -> list[JobMessage]:
        """What a composer that is started anew is to be told."""
        wanted = tuple(request.message for request in self._kept)
        if self.job and not any(isinstance(message, ScoreJob) and message.job == self.job for message in wanted):
            return [ResumeJob(self.job, wanted)]
        return list(wanted)
