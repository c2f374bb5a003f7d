"""What the clock remembers of the work that clients wait for: how much of it there is, and that it goes on.

Threads and processes: one owner (the clock process). Pure: moments are handed in.
"""

from __future__ import annotations

from dataclasses import dataclass

from hitpoint.bridge.ipc.messages import JobProgress
from hitpoint.bridge.osc.protocol import ProtocolError

MAX_JOBS = 320
"""Jobs that may be under way at once; more are refused at once."""
MAX_EDITS = 256
"""Edits of one job that may wait to be done."""
QUIET_S = 60.0
"""The owner of a job that waits its turn is told so again after so long without news."""
LOOK_EVERY_S = 1.0


@dataclass
class _Waiting:
    told_s: float
    edits: int = 0
    stage: str = "analyse"
    share: float = 0.0


class WorkList:
    """The jobs that are under way."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._looked_s = float("-inf")

    @property
    def jobs(self) -> set[str]:
        """Their names."""
        return set(self._waiting)

    def check_room(self, job: str) -> None:
        """Raise ProtocolError where one more job is too much."""
        if job not in self._waiting and len(self._waiting) >= MAX_JOBS:
            raise ProtocolError("busy", f"{job}: {MAX_JOBS} jobs are under way already; try again when some are done")

    def check_edit(self, job: str) -> None:
        """Raise ProtocolError where one more edit of this job is too much."""
        self.check_room(job)
        waiting = self._waiting.get(job)
        if waiting is not None and waiting.edits >= MAX_EDITS:
            raise ProtocolError("busy", f"{job}: {MAX_EDITS} edits wait to be done; try again in a while")

    def begin(self, job: str, now_s: float) -> None:
        """A job is under way."""
        self._waiting[job] = _Waiting(now_s)

    def edited(self, job: str, now_s: float) -> None:
        """An edit of a job is under way."""
        self._waiting.setdefault(job, _Waiting(now_s, stage="compose")).edits += 1

    def progress(self, message: JobProgress, now_s: float) -> None:
        """The owner is told of progress."""
        waiting = self._waiting.get(message.job)
        if waiting is not None:
            waiting.told_s, waiting.stage, waiting.share = now_s, message.stage, message.share

    def done(self, job: str) -> None:
        """Nothing is left to do for a job."""
        self._waiting.pop(job, None)

    def quiet(self, now_s: float) -> list[tuple[str, str, float]]:
        """(job, stage, share) of the jobs whose owners have not heard of them for QUIET_S."""
        if now_s - self._looked_s < LOOK_EVERY_S:
            return []
        self._looked_s = now_s
        found = []
        for job, waiting in self._waiting.items():
            if now_s - waiting.told_s > QUIET_S:
                waiting.told_s = now_s
                found.append((job, waiting.stage, waiting.share))
        return found
