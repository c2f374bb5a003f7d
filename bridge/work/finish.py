"""The files of a finished take, written in the worker thread, and told once they are on the disk.

Threads and processes: lives in the composer process, in its main thread, but for the writing itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from hitpoint.bridge.ipc.messages import JobProgress
from hitpoint.bridge.state.store import make_folder
from hitpoint.bridge.work.jobs import Cancelled, Job, Take, Tools, result_of
from hitpoint.bridge.work.keeper import AGAIN_S, Keeper, disk_trouble, publish
from hitpoint.bridge.work.worker import WRITE_TURN, Worker

Back = Callable[[Job, Callable[[], None]], None]
"""In the worker, at a piece's end: what the main thread is to do for a job."""


class Finisher:
    """Writes takes. back: as above; on_failure: told of what cannot be written for another reason than the disk."""

    def __init__(
        self,
        tools: Tools,
        keeper: Keeper,
        worker: Worker,
        send: Callable[[object], None],
        back: Back,
        on_failure: Callable[[str, Exception], None],
    ) -> None:
        self._tools, self._keeper, self._worker, self._send = tools, keeper, worker, send
        self._back, self._on_failure = back, on_failure

    def finish(self, job: Job, number: int, take: Take) -> None:
        """Write the take's files. The job was analysed in this process, and the take has all of its bars."""
        composer = self._tools.composer(job.composer)
        prepared, bars = job.prepared, [take.bars[index] for index in range(len(take.bars))]
        assert prepared is not None
        store, edition = self._keeper.store, job.record.edition
        midi, wav, report = (
            store.output(job.name, number, edition, suffix) for suffix in (".mid", ".wav", ".report.json")
        )
        files = [midi, *([wav] if job.wav else []), report]
        if job.stems and job.wav:
            from hitpoint.model.output.stems import stem_paths

            files += stem_paths(prepared.plan.instruments, wav)
        if job.formats:
            from hitpoint.model.output.base import paths_of, targets_of

            files += paths_of(targets_of(job.formats, midi), prepared.plan.instruments)
        take.midi = midi

        def progress(output: str, share: float) -> None:
            if job.cancelled.is_set():
                raise Cancelled

        def write() -> None:
            """In the worker: write the files, and say how it went."""
            try:
                make_folder(midi.parent)
                sound = wav if job.wav else None
                self._tools.write(
                    prepared, composer, bars, take.seed, midi, sound, report, job.stems, job.formats, progress
                )
                publish(*files)
            except Exception as error:
                self._back(job, self._after(job, take, midi, error))
            else:
                texts = (str(midi), str(wav) if job.wav else "", str(report))
                self._back(job, lambda: self._written(job, number, take, midi, texts, edition))

        self._send(JobProgress(job.name, "write", 0.0))
        self._worker.do(job.name, write, WRITE_TURN, job.cancelled)

    def _written(
        self, job: Job, number: int, take: Take, midi: Path, texts: tuple[str, str, str], edition: int
    ) -> None:
        if take.midi != midi:
            return  # the take was changed meanwhile; its new files follow
        job.record.results[number], job.record.editions[number] = texts, edition
        job.disk_told = False
        self._send(JobProgress(job.name, "write", 1.0))
        self._send(result_of(job, number))
        self._keeper.save(job)  # afterwards: should the process die in between, the result is told twice, not never

    def _after(self, job: Job, take: Take, midi: Path, error: Exception) -> Callable[[], None]:
        """What is to be done where the files were not written: again in a while, if it is for the disk."""
        trouble = disk_trouble(error, midi.parent)

        def follow() -> None:
            """In the main thread."""
            if trouble is not None:
                job.again_s = time.monotonic() + AGAIN_S
                self._keeper.failed(job, trouble)
            if take.midi != midi:
                return
            if trouble is not None:
                take.midi = None
            else:
                take.failed = True
                self._on_failure(job.name, error)

        return follow
