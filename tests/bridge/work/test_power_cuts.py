"""The power goes while jobs are composed and written: what was told is there, whole, and the rest is made again."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from job_bench import Bench, score
from power_cuts import PowerCuts

from hitpoint.bridge.ipc.messages import (
    Handled,
    JobDone,
    JobResult,
    Regenerate,
)
from hitpoint.bridge.ipc.supervision import ResumeJob

CUTS, SEEDS = int(os.environ.get("HITPOINT_CUTS", "12")), int(os.environ.get("HITPOINT_SEEDS", "3"))
JOBS = ("one", "two", "three")
MOST_S = 300.0
"""A busy disk takes its time for an fsync, and each job makes dozens."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into files by /proc")


def read(left, state, path):
    """A finished file, where the state's folder was moved."""
    return (left / path.relative_to(state) if path.is_relative_to(state) else path).read_text()


def done(bench):
    """The jobs with nothing left to do."""
    return {message.job for message in bench.of(JobDone)}


def run_with_cuts(state, into, monkeypatch, seed):
    """Three jobs and an edit; [(what is left on the disk, jobs that were taken in, results that were told)]."""
    cuts, bench = [], Bench(state)

    def on_cut(left):
        cuts.append((left, {message.job for message in bench.of(Handled)}, bench.of(JobResult)))

    disk = PowerCuts(state, into, on_cut, monkeypatch, seed, min(0.9, CUTS / 60))
    try:
        for name in JOBS:
            bench.ask(score(name, "6.mp4", wav="0"))
        bench.work(until=lambda sent: done(bench) >= set(JOBS), most_s=MOST_S)
        bench.sent[:] = [message for message in bench.sent if not isinstance(message, JobDone)]
        bench.ask(Regenerate("two", 1, 2, None))
        bench.work(until=lambda sent: "two" in done(bench), most_s=MOST_S)
    finally:
        disk.close()
    return cuts


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_power_cut_takes_nothing_that_was_told(tmp_path, monkeypatch, seed):
    state = tmp_path / "state"
    state.mkdir()
    with monkeypatch.context() as patch:
        cuts = run_with_cuts(state, tmp_path / "left", patch, seed)
    assert len(cuts) >= CUTS
    for left, taken, results in cuts[:: max(1, len(cuts) // CUTS)]:
        for path in (Path(name) for result in results for name in (result.midi, result.report)):
            assert (left / path.relative_to(state)).read_bytes() == path.read_bytes(), "told, and whole"
        after = Bench(left)
        after.store.sweep()
        assert not [path for path in left.rglob("*") if path.name.endswith(".part")]
        for job in taken:
            assert after.store.load(job) is not None, f"{job} was taken in and is known"
        unfinished = after.store.unfinished()
        after.ask(*(ResumeJob(job, heard=False, care=0) for job in unfinished))
        after.work(until=lambda sent, after=after, jobs=set(unfinished): done(after) >= jobs, most_s=MOST_S)
        assert done(after) >= set(unfinished), "the rest is made again"
        for job in taken:
            files = [Path(path) for path in after.store.load(job).results[0] if path]
            assert len(files) == 2 and all("6 bars" in read(left, state, path) for path in files)
        shutil.rmtree(left)
