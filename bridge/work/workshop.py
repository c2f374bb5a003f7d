"""The workshop: jobs from clips to bars to files, always working at what the playhead needs next.

Threads and processes: lives in the composer process. Its owner calls `handle` and `step` from one thread; analysing
and writing files, which take long, run in one worker thread and come back through a bounded queue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hitpoint.bridge.errors import HitpointError, UsageError
from hitpoint.bridge.ipc.messages import (
    Aim,
    CancelJob,
    ChooseTake,
    JobError,
    JobProgress,
    JobResult,
    Regenerate,
    ResumeJob,
    ScoreJob,
    SetControl,
)
from hitpoint.bridge.state.store import JobRecord, Store
from hitpoint.bridge.work.bar_maker import BarMaker
from hitpoint.bridge.work.jobs import SEED_STEP, Cancelled, Job, Take, Tools, announcement, ready
from hitpoint.bridge.work.worker import Worker
from hitpoint.model.compose.base import COMPOSERS, DEFAULT

if TYPE_CHECKING:
    from hitpoint.model.take import Prepared

OWN_PAIRS = ("takes", "wav", "cuts", "composer")
"""Keys of a score request that are no wishes of the plan."""
MAX_JOBS = 8
"""Jobs kept in memory; older ones are read back from disk when asked for."""


class Workshop:
    """All jobs. send: to the clock process (through the watchdog); never blocks."""

    def __init__(self, tools: Tools, store: Store, send: Callable[[object], None]) -> None:
        self._tools, self._store, self._send = tools, store, send
        self._jobs: dict[str, Job] = {}
        self._current = ""
        self._worker = Worker()
        self._bars = BarMaker(tools, store, send)

    # Requests.

    def handle(self, message: object) -> None:
        """Obey one request; what goes wrong becomes a JobError."""
        name = getattr(message, "job", "")
        try:
            if isinstance(message, ScoreJob):
                self._score(message)
            elif isinstance(message, ResumeJob):
                self._resume(message)
            elif isinstance(message, CancelJob):
                self._cancel(name)
            elif isinstance(message, Aim):
                if name in self._jobs:
                    self._jobs[name].aim = message.bar
            elif isinstance(message, Regenerate | ChooseTake | SetControl):
                self._edit(message)
        except HitpointError as error:
            self._fail(name, error)

    def _score(self, message: ScoreJob) -> None:
        pairs = dict(message.pairs)
        takes = _whole(pairs.pop("takes", "1"), "takes", 1, 16)
        wav = _whole(pairs.pop("wav", "1"), "wav", 0, 1)
        cuts = pairs.pop("cuts", "auto")
        if cuts not in ("auto", "strips"):
            raise UsageError(f"cuts must be auto or strips, not {cuts!r}")
        COMPOSERS.check(pairs.pop("composer", DEFAULT))
        old = self._jobs.pop(message.job, None)
        if old is not None:
            old.cancelled.set()
        before = self._store.load(message.job)
        record = JobRecord(message, edition=before.edition + 1 if before else 0)  # what sounds of it is to be replaced
        self._store.begin(record)
        job = Job(record, wanted_takes=takes, wav=bool(wav))
        self._keep(job)
        self._prepare(job)

    def _resume(self, message: ResumeJob) -> None:
        """Go on with a job that a former process had begun."""
        job = self._job(message.job, quiet=True)
        if job is None:
            return
        self._current = job.name
        if job.plan is None:
            self._prepare(job)
        else:
            self._announce(job, kept=True)
            self._send_known(job)
        for wanted in message.wanted:
            self.handle(wanted)

    def _cancel(self, name: str) -> None:
        job = self._jobs.pop(name, None)
        if job is not None:
            job.cancelled.set()
            self._send(JobError(name, "job", "cancelled"))

    def _edit(self, message: Regenerate | ChooseTake | SetControl) -> None:
        job = self._job(message.job)
        assert job is not None
        if job.plan is None:
            raise UsageError(f"{job.name} has no plan yet; wait for its bars")
        if isinstance(message, ChooseTake):
            self._choose_take(job, message)
        elif job.prepared is None:
            job.after_prepare.append(message)
            self._prepare(job)
        elif isinstance(message, Regenerate):
            self._regenerate(job, message)
        else:
            self._set_control(job, message)

    def _choose_take(self, job: Job, message: ChooseTake) -> None:
        assert job.plan is not None
        job.record.take = message.take
        self._take(job, message.take)
        job.aim = message.from_bar
        self._raise_edition(job, range(len(job.plan.bars)))
        self._send_known(job)
        files = job.record.results.get(message.take)
        if files is not None:
            self._send(JobResult(job.name, message.take, *files))

    def _regenerate(self, job: Job, message: Regenerate) -> None:
        assert job.plan is not None
        take, last = job.take, message.last_bar
        if last >= len(job.plan.bars):
            raise UsageError(f"{job.name} has bars 0..{len(job.plan.bars) - 1}; bar {last} is none of them")
        upto = 0
        while upto in take.bars:
            upto += 1
        if upto <= last:
            raise UsageError(f"bar {upto} is not composed yet; regenerate bars {message.first_bar}..{last} after it is")
        seed = take.seed + SEED_STEP * (job.record.edition + 1)
        bars = [take.bars[index] for index in range(upto)]
        composer = self._tools.composer(job.composer)
        new = composer.regenerate(job.plan, bars, message.first_bar, last, message.instruments, seed)
        changed = [bar for bar in new if take.bars.get(bar.index) != bar and message.first_bar <= bar.index <= last]
        self._forget_files(job)
        self._raise_edition(job, range(message.first_bar, last + 1))
        take.bars.update({bar.index: bar for bar in new if message.first_bar <= bar.index <= last})
        take.stream = None
        self._store.save_bars(job.name, job.record.take, take.bars)
        self._send(ready(job, changed))
        kept = [take.bars[i] for i in range(message.first_bar, last + 1) if take.bars[i] not in changed]
        self._send(ready(job, kept, kept=True))

    def _set_control(self, job: Job, message: SetControl) -> None:
        assert job.plan is not None and job.prepared is not None
        job.record.controls[message.name] = message.value
        new = self._tools.replan(job.prepared, self._pairs(job))
        bars = len(job.plan.bars)
        if len(new.bars) != bars or new.tempo_map != job.plan.tempo_map:
            raise UsageError(f"{message.name} {message.value:g} would change the tempo of {job.name}; score it again")
        first = min(message.from_bar, bars)
        hits = [hit for hit in job.plan.hits if hit.bar < first] + [hit for hit in new.hits if hit.bar >= first]
        job.plan = replace(
            job.plan,
            bars=job.plan.bars[:first] + new.bars[first:],
            hits=tuple(hits),
            control=new.control,
            ending=new.ending if first < bars else job.plan.ending,
        )
        job.prepared = replace(job.prepared, plan=job.plan)
        take = job.take
        take.bars = {index: bar for index, bar in take.bars.items() if index < first}
        take.provisional.clear()
        take.stream = take.ahead_stream = None
        self._forget_files(job)
        job.aim = first
        self._store.save_plan(job.name, job.plan)
        self._store.save_bars(job.name, job.record.take, take.bars)
        self._raise_edition(job, range(first, bars))

    def _forget_files(self, job: Job) -> None:
        """The take that is heard changes: its files are those of another edition."""
        job.take.midi = None
        job.record.results.pop(job.record.take, None)

    def _raise_edition(self, job: Job, stale: range) -> None:
        job.record.edition += 1
        self._store.save(job.record)
        self._announce(job, tuple(stale))

    def _announce(self, job: Job, stale: tuple[int, ...] = (), kept: bool = False) -> None:
        assert job.plan is not None
        self._send(announcement(job.record, job.plan, stale, kept))

    def _send_known(self, job: Job) -> None:
        bars = [bar for _, bar in sorted({**job.take.provisional, **job.take.bars}.items())]
        if bars:
            self._send(ready(job, bars, kept=True))

    # Work.

    def step(self) -> bool:
        """One piece of work: a worker's result or one bar. False where there is nothing to do."""
        follow = self._worker.finished()
        if follow is None:
            return self._compose_some()
        follow()
        return True

    def _compose_some(self) -> bool:
        names = [self._current, *(name for name in self._jobs if name != self._current)]
        for name in names:
            job = self._jobs.get(name)
            if job is None or job.plan is None or job.preparing:
                continue
            try:
                if self._compose_bar(job):
                    return True
            except HitpointError as error:
                self._fail(name, error)
        return False

    def _compose_bar(self, job: Job) -> bool:
        """The bar that is wanted most; the takes after the one that is heard come last."""
        assert job.plan is not None
        heard = job.record.take
        order = [heard, *(take for take in range(job.wanted_takes) if take != heard)]
        for number in order:
            take = self._take(job, number)
            if self._bars.make(job, job.plan, number, take):
                return True
            if take.midi is None and not job.analysing:
                self._finish(job, number, take)
                return True
        return False

    def _finish(self, job: Job, number: int, take: Take) -> None:
        """Write the take's files, in the worker."""
        if job.prepared is None:
            self._prepare(job)
            return
        composer = self._tools.composer(job.composer)
        prepared, bars = job.prepared, [take.bars[index] for index in range(len(take.bars))]
        edition = job.record.edition
        paths = [self._store.output(job.name, number, edition, suffix) for suffix in (".mid", ".wav", ".report.json")]
        wav = paths[1] if job.wav else None
        take.midi = paths[0]

        def write() -> None:
            self._tools.write(prepared, composer, bars, take.seed, paths[0], wav, paths[2])
            self._worker.then(lambda: self._written(job, number, take, paths[0], wav, paths[2]))

        self._send(JobProgress(job.name, "write", 0.0))
        self._in_worker(job, write)

    def _written(self, job: Job, number: int, take: Take, midi: Path, wav: Path | None, report: Path) -> None:
        if job.cancelled.is_set() or take.midi != midi:
            return  # the take was changed meanwhile; its new files follow
        texts = (str(midi), str(wav) if wav else "", str(report))
        job.record.results[number] = texts
        self._store.save(job.record)
        self._send(JobProgress(job.name, "write", 1.0))
        self._send(JobResult(job.name, number, *texts))

    # Jobs.

    def _prepare(self, job: Job) -> None:
        if job.analysing:
            return
        job.analysing = True
        job.preparing = job.plan is None  # with a plan, bars can be composed meanwhile
        score, pairs = job.record.score, self._pairs(job)

        def progress(stage: str, share: float) -> None:
            if job.cancelled.is_set():
                raise Cancelled
            self._worker.then_if_room(lambda: self._send(JobProgress(job.name, stage, share)))

        def prepare() -> None:
            prepared = self._tools.prepare(score, pairs, progress)
            self._worker.then(lambda: self._prepared(job, prepared))

        self._in_worker(job, prepare)

    def _prepared(self, job: Job, prepared: Prepared) -> None:
        if job.cancelled.is_set():
            return
        job.preparing = job.analysing = False
        if job.plan is not None:
            job.prepared = replace(prepared, plan=job.plan)
        else:
            job.prepared, job.plan = prepared, prepared.plan
            job.record.programs = self._tools.programs(prepared.plan.genre)
            self._current = job.name
            self._take(job, job.record.take)
            self._store.save_plan(job.name, prepared.plan)
            self._store.save(job.record)
            self._announce(job, tuple(range(len(job.plan.bars))))
        waiting, job.after_prepare = job.after_prepare, []
        for message in waiting:
            self.handle(message)

    def _pairs(self, job: Job) -> dict[str, str]:
        pairs = {key: value for key, value in job.record.score.pairs if key not in OWN_PAIRS}
        for name, value in job.record.controls.items():
            pairs[name] = str(round(value)) if name == "density" else repr(value)
        return pairs

    def _take(self, job: Job, number: int) -> Take:
        assert job.plan is not None
        take = job.takes.get(number)
        if take is None:
            seed = job.plan.seed + number * SEED_STEP
            take = job.takes[number] = Take(seed, self._store.load_bars(job.name, number))
            files = job.record.results.get(number)
            if files is not None and len(take.bars) == len(job.plan.bars):
                take.midi = Path(files[0])
        return take

    def _job(self, name: str, quiet: bool = False) -> Job | None:
        """The job, read back from disk where it is not in memory. Raises UsageError where there is none."""
        job = self._jobs.get(name)
        if job is not None:
            return job
        record = self._store.load(name)
        if record is None:
            if quiet:
                return None
            raise UsageError(f"this score is not known any more; score the film again (there is no job {name!r})")
        pairs = dict(record.score.pairs)
        job = Job(record, self._store.load_plan(name), wav=pairs.get("wav", "1") != "0")
        job.wanted_takes = int(pairs.get("takes", "1"))
        if job.plan is not None:
            self._take(job, record.take)
        self._keep(job)
        return job

    def _keep(self, job: Job) -> None:
        self._jobs[job.name] = job
        while len(self._jobs) > MAX_JOBS:
            oldest = next(name for name in self._jobs if name not in (job.name, self._current))
            self._jobs.pop(oldest).cancelled.set()

    def _in_worker(self, job: Job, work: Callable[[], None]) -> None:
        def guarded() -> None:
            """The work; what it raises is raised, or told, by the main thread."""
            try:
                if not job.cancelled.is_set():
                    work()
            except Cancelled:
                return
            except Exception as error:
                failure = error
                self._worker.then(lambda: self._worker_failed(job, failure))

        self._worker.do(guarded)

    def _worker_failed(self, job: Job, error: Exception) -> None:
        job.preparing = job.analysing = False
        if job.plan is None:
            self._jobs.pop(job.name, None)
        if not isinstance(error, HitpointError):
            raise error
        self._fail(job.name, error)

    def _fail(self, name: str, error: HitpointError) -> None:
        codes = {2: "usage", 3: "input", 4: "missing"}
        self._send(JobError(name, codes.get(error.exit_code, "input"), str(error)))


def _whole(text: str, name: str, low: int, high: int) -> int:
    try:
        number = int(float(text))
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise UsageError(f"{name} must be a whole number within {low}..{high}, not {text!r}")
    return number
