"""The workshop: jobs from clips to bars to files, always working at what the playhead needs next.

Threads and processes: lives in the composer process. Its owner calls `handle` and `step` from one thread; analysing
and writing files, which take long, run in one worker thread. What goes wrong with one job costs that job, or less:
the others go on, and so does the process. A job that was taken in stays in memory until it is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from hitpoint.bridge.errors import HitpointError, UsageError
from hitpoint.bridge.ipc.messages import (
    Aim,
    CancelJob,
    ChooseTake,
    ComposerAsk,
    Edit,
    Handled,
    JobDone,
    JobError,
    JobMessage,
    JobProgress,
    Regenerate,
    ScoreJob,
    SetChord,
    SetScene,
)
from hitpoint.bridge.ipc.questions import Question
from hitpoint.bridge.ipc.supervision import (
    DropJob,
    ResumeJob,
    WorkingAt,
)
from hitpoint.bridge.state.store import JobRecord, Store
from hitpoint.bridge.work.answerer import Answerer
from hitpoint.bridge.work.bar_maker import BarMaker
from hitpoint.bridge.work.edits import Editor
from hitpoint.bridge.work.finish import Finisher
from hitpoint.bridge.work.heed import Waiting, heeding
from hitpoint.bridge.work.jobs import Before, Cancelled, Job, Tools, before_of, checked, pairs_of, take_of
from hitpoint.bridge.work.keeper import Keeper
from hitpoint.bridge.work.stage import BAR_S, EDIT_S, Stage
from hitpoint.bridge.work.troubles import answers, log_line
from hitpoint.bridge.work.worker import ANALYSE_TURN, Worker

if TYPE_CHECKING:
    from hitpoint.model.take import Prepared

DONE_KEPT = 8
"""Finished jobs kept in memory; older ones are read back from disk when asked for."""
MOST_CARE = 2
"""A job that went wrong more often than this while it was composed is given up."""


class Workshop:
    """All jobs. send: to the clock process; never blocks. stage: told what is done. waiting: what was asked besides."""

    def __init__(
        self,
        tools: Tools,
        store: Store,
        send: Callable[[object], None],
        stage: Stage | None = None,
        waiting: Waiting = tuple,
    ) -> None:
        self._tools, self._send, self._stage, self._waiting = tools, send, stage or Stage(), waiting
        self._keeper = Keeper(store, send)
        self._editor = Editor(tools, self._keeper, send)
        self._bars = BarMaker(tools, self._keeper, send)
        self._jobs: dict[str, Job] = {}
        self._current = ""
        self._at = ""
        self._worker = Worker(self._tell_where)
        self._finisher = Finisher(tools, self._keeper, self._worker, send, self._back, self._failed)
        self._answerer = Answerer(tools, store.folder, self._worker, send, self._failed, self._settle)
        self._told_at: tuple[str, ...] = ()

    # Requests.

    def handle(self, message: object) -> None:
        """Obey one request; whatever goes wrong becomes a JobError."""
        if not isinstance(message, JobMessage):
            return
        self._work_at(message.job)
        taken = True
        try:
            taken = self._obey(message)
        except Exception as error:
            self._failed(message.job, error, message.request if isinstance(message, Regenerate | ChooseTake) else 0)
        if taken and isinstance(message, ScoreJob | Edit):
            self._send(Handled(message.job, message))
        if not isinstance(message, Aim | Question):
            self._settle(message.job)

    def _obey(self, message: JobMessage) -> bool:
        """Do what is asked; False where it has to wait for the analysis."""
        if isinstance(message, ScoreJob):
            self._score(message)
        elif isinstance(message, ResumeJob):
            self._resume(message)
        elif isinstance(message, CancelJob | DropJob):
            self._end(message)
        elif isinstance(message, Aim):
            if message.job in self._jobs:
                self._jobs[message.job].aim = message.bar
        elif isinstance(message, Edit):
            return self._edit(message)
        elif isinstance(message, Question):
            self._answerer.answer(message)
            return False
        return True

    def _score(self, message: ScoreJob) -> None:
        pairs = dict(message.pairs)
        takes, wav, stems = checked(pairs)
        if not message.clips:
            raise UsageError("there is only sound in this edit; music is written for picture")
        self._tools.renew(ComposerAsk.taken_from(dict(message.pairs)))
        kept = self._before(message.job, pairs.get("keep", ""))
        if kept is not None:
            message = replace(message, pairs=kept.pairs_with(pairs))
        old = self._jobs.pop(message.job, None)
        if old is not None:
            old.cancelled.set()
            self._keeper.forget(old)
        before = old.record if old is not None else self._keeper.store.load(message.job)
        record = JobRecord(message, edition=before.edition + 1 if before else 0)  # what sounds of it is to be replaced
        job = Job(record, wanted_takes=takes, wav=wav, stems=stems, before=kept)
        self._keeper.begin(record, job)
        self._keep(job)
        self._prepare(job)

    def _before(self, job: str, kept: str) -> Before | None:
        """The job whose music is to be kept. Raises UsageError where that cannot be."""
        if kept and kept == job:
            raise UsageError("a changed edit needs a job of its own; give it another name than the score it keeps has")
        return before_of(self._job(kept), self._keeper.store) if kept else None

    def _resume(self, message: ResumeJob) -> None:
        """Go on with a job that a former process had begun."""
        job = self._job(message.job, quiet=True)
        if job is None:
            return
        job.care = max(job.care, message.care)
        if message.heard:
            self._current = job.name
        if job.plan is None:
            self._prepare(job)
        elif message.heard:
            self._editor.announce(job, kept=True)
            self._editor.send_known(job)

    def _end(self, message: CancelJob | DropJob) -> None:
        """The job is called off, or given up: what is finished of it stays."""
        job = self._job(message.job, quiet=True)
        if job is None:
            return
        cancelled = isinstance(message, CancelJob) and not job.record.done
        self._close(job)
        if cancelled:
            self._send(JobError(job.name, "job", "cancelled"))

    def _close(self, job: Job) -> None:
        """Do nothing more for the job."""
        job.cancelled.set()
        self._jobs.pop(job.name, None)
        if not job.record.done:
            job.record.done = True
            self._keeper.save(job)
        self._keeper.forget(job)

    def _edit(self, message: Edit) -> bool:
        job = self._job(message.job)
        assert job is not None
        if job.plan is None:
            raise UsageError(f"{job.name} has no plan yet; wait for its bars")
        if isinstance(message, ChooseTake):
            self._editor.choose_take(job, message)
            return True
        if isinstance(message, SetChord):
            self._editor.set_chord(job, message)
            return True
        if isinstance(message, SetScene):
            self._editor.set_scene(job, message)
            return True
        if job.prepared is None:
            job.after_prepare.append(message)
            self._prepare(job)
            return False
        composer = self._tools.composer(job.composer)
        stage = self._stage.at("edit", EDIT_S, self._tools.counter(job.composer))
        with suppress(Cancelled), stage, heeding(composer, job.name, self._waiting):
            if isinstance(message, Regenerate):
                self._editor.regenerate(job, message)
            else:
                self._editor.set_control(job, message)
        return True

    # Work.

    @property
    def waits_for_worker(self) -> bool:
        """Whether something is going to come back from the worker thread."""
        return bool(self._worker.at)

    def step(self) -> bool:
        """One piece of work: a worker's result or one bar. False where there is nothing to do."""
        self._keeper.again()
        follow = self._worker.finished()
        if follow is not None:
            follow()
        self._worker.feed()
        return follow is not None or self._compose_some()

    def _compose_some(self) -> bool:
        names = [self._current, *(name for name in self._jobs if name != self._current)]
        for name in names:
            job = self._jobs.get(name)
            if job is None or job.record.done or job.plan is None or job.preparing:
                continue
            self._work_at(name)
            try:
                if self._compose_bar(job):
                    return True
            except HitpointError as error:
                self._close(job)
                self._failed(name, error)
            except MemoryError:
                raise
            except Exception as error:
                self._stumble(job, error)
            self._settle(name)
        self._work_at("")
        return False

    def _compose_bar(self, job: Job) -> bool:
        """The bar that is wanted most; the takes after the one that is heard come last."""
        assert job.plan is not None
        for number in job.in_turn:
            take = take_of(job, number, self._keeper.store)
            with self._stage.at("bar", BAR_S, self._tools.counter(job.composer)):
                if self._bars.make(job, job.plan, number, take):
                    return True
            writable = not take.failed and not job.analysing and time.monotonic() >= job.again_s
            if take.midi is None and writable:
                if job.prepared is None:
                    self._prepare(job)
                else:
                    self._finisher.finish(job, number, take)
                return True
        return False

    def _settle(self, name: str) -> None:
        """Where nothing is left to do for a job, say so."""
        job = self._jobs.get(name)
        if job is not None:
            if self._left(job):
                return
            if not job.record.done:
                job.record.done = True
                self._keeper.save(job)
            self._evict()
        self._send(JobDone(name))

    def _left(self, job: Job) -> bool:
        if job.plan is None or job.analysing or job.after_prepare or self._keeper.waits_for_room(job):
            return True
        return not job.record.done and not all(
            number in job.record.results or take_of(job, number, self._keeper.store).failed for number in job.in_turn
        )

    def _stumble(self, job: Job, error: Exception) -> None:
        """Composing went wrong: go on otherwise (see `Job.care`), or give the job up."""
        job.care += 1
        job.batch = None
        for take in job.takes.values():
            take.stream = take.ahead_stream = None
        if job.care > MOST_CARE:
            self._close(job)
            self._failed(job.name, error)
        else:
            self._send(log_line(job.name, error))

    # Jobs.

    def _prepare(self, job: Job) -> None:
        if job.analysing:
            return
        job.analysing = True
        job.preparing = job.plan is None  # with a plan, bars can be composed meanwhile
        score, pairs, before = job.record.score, pairs_of(job.record.score, job.record.controls), None
        if job.preparing:
            before = job.before = job.before or self._before(job.name, dict(score.pairs).get("keep", ""))

        def progress(stage: str, share: float) -> None:
            if job.cancelled.is_set():
                raise Cancelled
            self._worker.then_if_room(lambda: self._send(JobProgress(job.name, stage, share)))

        def prepare() -> None:
            """In the worker: look at the films and plan, and say how it went."""
            try:
                prepared, kept = self._tools.prepare(score, pairs, progress), dict[int, int]()
                if before is not None:
                    prepared, kept = self._tools.rework(prepared, score, before)
            except Cancelled:
                self._back(job, lambda: None)
            except Exception as error:
                failure = error
                self._back(job, lambda: self._not_prepared(job, failure))
            else:
                self._back(job, lambda: self._prepared(job, prepared, kept))

        self._worker.do(job.name, prepare, ANALYSE_TURN, job.cancelled)

    def _prepared(self, job: Job, prepared: Prepared, kept: dict[int, int]) -> None:
        job.preparing = job.analysing = False
        if job.plan is not None:
            job.prepared = replace(prepared, plan=job.plan)
        else:
            job.record.programs = self._tools.programs(prepared.plan.genre)
            job.prepared, job.plan = prepared, prepared.plan
            self._current = job.name
            job.record.take = job.before.take if job.before is not None else job.record.take
            take_of(job, job.record.take, self._keeper.store)
            self._keeper.save(job)  # first: a plan without its programs cannot be played
            self._keeper.save_plan(job)
            self._editor.announce(job, tuple(range(len(job.plan.bars))))
            self._editor.keep_music(job, kept)
        waiting, job.after_prepare = job.after_prepare, []
        for message in waiting:
            self.handle(message)

    def _not_prepared(self, job: Job, error: Exception) -> None:
        """The film cannot be used. A job that has its plan keeps it, and the music; its edits are refused."""
        job.preparing = job.analysing = False
        self._failed(job.name, error)
        waiting, job.after_prepare = job.after_prepare, []
        for message in waiting:
            assert isinstance(message, JobMessage)
            self._send(Handled(job.name, message))
        self._close(job)

    def _job(self, name: str, quiet: bool = False) -> Job | None:
        """The job, read back from disk where it is not in memory. Raises UsageError where there is none."""
        job = self._jobs.get(name)
        if job is not None:
            return job
        record, plan = self._keeper.store.load_planned(name)
        if record is None:
            if quiet:
                return None
            raise UsageError(f"this score is no longer known; score the film again (there is no job {name!r})")
        takes, wav, stems = checked(dict(record.score.pairs))
        job = Job(record, plan, wanted_takes=takes, wav=wav, stems=stems)
        if job.plan is not None:
            take_of(job, record.take, self._keeper.store)
        self._keep(job)
        return job

    def _keep(self, job: Job) -> None:
        self._jobs[job.name] = job
        self._evict()

    def _evict(self) -> None:
        """Finished jobs beyond DONE_KEPT leave the memory, the oldest first; never one with something left to do."""
        done = [
            job
            for job in self._jobs.values()
            if job.record.done and job.name not in (self._current, self._at) and not self._keeper.waits_for_room(job)
        ]
        for job in done[: max(0, len(done) - DONE_KEPT)]:
            del self._jobs[job.name]

    # The worker.

    def _back(self, job: Job, follow: Callable[[], None]) -> None:
        """In the worker, at a piece's end: what the main thread is to do next, unless the job was called off."""

        def guarded() -> None:
            """In the main thread: what goes wrong closes this job, not the workshop."""
            if not job.cancelled.is_set():
                try:
                    follow()
                except Exception as error:
                    self._close(job)
                    self._failed(job.name, error)
            if self._jobs.get(job.name) in (job, None):  # else another one of that name is under way
                self._settle(job.name)

        self._worker.then(guarded)

    def _work_at(self, name: str) -> None:
        self._at = name
        self._tell_where()

    def _tell_where(self) -> None:
        where = tuple(sorted({self._at, self._worker.at} - {""}))
        if where != self._told_at:
            self._told_at = where
            self._send(WorkingAt(where))

    def _failed(self, name: str, error: Exception, request: int = 0) -> None:
        for message in answers(name, error, request):
            self._send(message)
