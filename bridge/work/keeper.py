"""What is kept on disk of the jobs in memory, also while the disk is full or gone.

Threads and processes: lives in the composer process, in its main thread. A write that fails is told once, in one
sentence that names the folder; the job goes on in memory, and is written whole as soon as there is room.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from pathlib import Path

from hitpoint.bridge.ipc.messages import JobError
from hitpoint.bridge.state.store import JobRecord, Store, sync_file
from hitpoint.bridge.work.jobs import Job
from hitpoint.model.music.score import Bar

AGAIN_S = 2.0
"""Between two tries to write what could not be written."""


class Keeper:
    """Writes jobs. send: tells the clients; never blocks. The store is for reading; what is written goes through here.

    No method raises OSError but `publish`.
    """

    def __init__(self, store: Store, send: Callable[[object], None]) -> None:
        self.store, self._send = store, send
        self._unwritten: dict[str, Job] = {}
        self._next_s = 0.0

    def begin(self, record: JobRecord, job: Job) -> None:
        """A job starts again."""
        self._try(job, lambda: self.store.begin(record))

    def save(self, job: Job) -> None:
        """The record changed."""
        self._try(job, lambda: self.store.save(job.record))

    def save_plan(self, job: Job) -> None:
        """The plan changed."""
        plan = job.plan
        if plan is not None:
            self._try(job, lambda: self.store.save_plan(job.name, plan))

    def add_bar(self, job: Job, take: int, bar: Bar) -> None:
        """A bar was composed."""
        self._try(job, lambda: self.store.add_bar(job.name, take, bar))

    def save_bars(self, job: Job, take: int) -> None:
        """Bars of a take changed."""
        self._try(job, lambda: self.store.save_bars(job.name, take, job.takes[take].bars))

    def keep_edition(self, job: Job, take: int) -> None:
        """A finished take is going to be changed."""
        plan, edition = job.plan, job.record.editions.get(take)
        if plan is not None and edition is not None and take in job.record.results:
            bars = dict(job.takes[take].bars)
            self._try(job, lambda: self.store.keep_edition(job.name, take, edition, plan, bars))

    def failed(self, job: Job, error: OSError) -> None:
        """Something of the job could not be written: say so once, and write all of it when there is room."""
        if not job.disk_told:
            job.disk_told = True
            self._send(JobError(job.name, "disk", disk_sentence(self.store.folder(job.name), error)))
        self._unwritten[job.name] = job
        self._next_s = time.monotonic() + AGAIN_S

    def waits_for_room(self, job: Job) -> bool:
        """Whether something of the job is not on disk."""
        return job.name in self._unwritten

    def forget(self, job: Job) -> None:
        """The job is no longer worked on, or was started again."""
        self._unwritten.pop(job.name, None)

    def again(self) -> None:
        """Try to write what could not be written, every AGAIN_S."""
        if not self._unwritten or time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + AGAIN_S
        for job in list(self._unwritten.values()):
            try:
                self._write_whole(job)
            except OSError:
                return
            del self._unwritten[job.name]

    def _write_whole(self, job: Job) -> None:
        if job.plan is not None:
            self.store.save_plan(job.name, job.plan)
        for number, take in job.takes.items():
            self.store.save_bars(job.name, number, take.bars)
        self.store.save(job.record)

    def _try(self, job: Job, write: Callable[[], None]) -> None:
        if job.name in self._unwritten:
            return  # it is written whole later
        try:
            write()
        except OSError as error:
            self.failed(job, error)


def publish(*paths: Path) -> None:
    """Have finished files on the disk before anybody is told of them. Raises OSError."""
    for path in paths:
        sync_file(path)


def disk_trouble(error: Exception, folder: Path) -> OSError | None:
    """The OSError behind what went wrong with writing into `folder`; None where the disk is not at fault."""
    if isinstance(error, OSError):
        return error
    if isinstance(error.__cause__, OSError):
        return error.__cause__
    return None if folder.is_dir() else FileNotFoundError(errno.ENOENT, "the folder is gone", str(folder))


def disk_sentence(folder: Path, error: OSError) -> str:
    """What is wrong with the disk, for the user."""
    what = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: "the folder may not be written",
        errno.EPERM: "the folder may not be written",
    }.get(error.errno or 0, error.strerror or str(error))
    return f"cannot write in {folder}: {what}. The music goes on from memory, and is written as soon as there is room"
