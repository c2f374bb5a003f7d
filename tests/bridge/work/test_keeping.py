"""What is kept on disk, and what happens where the disk will not have it."""

import errno
import os
import time
from pathlib import Path

import pytest
from job_bench import Bench, score
from live_fakes import telling_bar

from hitpoint.bridge.ipc.messages import (
    Aim,
    BarsReady,
    JobDone,
    JobError,
    JobResult,
    Planned,
    Regenerate,
)
from hitpoint.bridge.ipc.supervision import ResumeJob
from hitpoint.bridge.state import store as stores
from hitpoint.bridge.state.store import Store, folder_name
from hitpoint.bridge.work import finish, keeper
from hitpoint.model.errors import MissingError


@pytest.fixture
def quick(monkeypatch):
    """Tries again at once."""
    monkeypatch.setattr(keeper, "AGAIN_S", 0.05)
    monkeypatch.setattr(finish, "AGAIN_S", 0.05)


class Disk:
    """Opening a file below the state's folder fails while it is full."""

    def __init__(self, monkeypatch, number):
        self.full, real, disk = False, Path.open, self

        def opened(path, mode="r", *arguments, **options):
            if disk.full and set(mode) & set("wa+"):
                raise OSError(number, "no")
            return real(path, mode, *arguments, **options)

        monkeypatch.setattr(Path, "open", opened)


@pytest.mark.parametrize(
    ("number", "words", "full_from"),
    [
        (errno.ENOSPC, "the disk is full", "the start"),
        (errno.EROFS, "read-only", "the first bars"),
        (errno.EDQUOT, "quota", "the files"),
    ],
)
def test_a_full_disk_costs_nothing_but_a_sentence(tmp_path, monkeypatch, quick, number, words, full_from):
    bench = Bench(tmp_path)
    disk = Disk(monkeypatch, number)
    disk.full = full_from == "the start"
    bench.ask(score(name="16.mp4"))
    if full_from != "the start":
        count = 4 if full_from == "the first bars" else 16
        bench.work(until=lambda sent: len([m for m in sent if isinstance(m, BarsReady)]) >= count)
        disk.full = True
    bench.work(idle_s=0.4, most_s=1.0)
    assert bench.bars() == bench.played(telling_bar(index) for index in range(16)), "the music goes on from memory"
    assert not bench.of(JobResult)
    (error,) = bench.of(JobError)
    assert error.code == "disk" and words in error.text and str(tmp_path / "jobs" / "film") in error.text
    disk.full = False
    bench.work(until=lambda sent: any(isinstance(m, JobDone) for m in sent))
    assert [result.job for result in bench.of(JobResult)] == ["film"]
    assert bench.played(bench.store.load_bars("film", 0).values()) == bench.bars()
    assert bench.store.load("film").done and bench.store.load_plan("film") is not None


def test_a_writer_that_says_the_disk_is_full_is_asked_again(tmp_path, quick):
    bench = Bench(tmp_path)
    real, tries = bench.tools.write, []

    def write(*arguments):
        tries.append(1)
        if len(tries) < 3:
            raise MissingError("the disk is full") from OSError(errno.ENOSPC, "no space")
        real(*arguments)

    bench.tools.write = write
    bench.ask(score())
    bench.work(until=lambda sent: any(isinstance(m, JobDone) for m in sent))
    assert len(bench.of(JobResult)) == 1 and [error.code for error in bench.of(JobError)] == ["disk"]


def test_a_folder_that_vanished_is_made_again(tmp_path, quick):
    bench = Bench(tmp_path)
    bench.ask(score(name="16.mp4"))
    bench.work(until=lambda sent: len([m for m in sent if isinstance(m, BarsReady)]) >= 4)
    (tmp_path / "jobs").rename(tmp_path / "elsewhere")
    bench.work(until=lambda sent: any(isinstance(m, JobDone) for m in sent))
    assert len(bench.of(JobResult)) == 1
    assert bench.played(bench.store.load_bars("film", 0).values()) == bench.bars()


def test_a_file_that_cannot_be_written_for_another_reason_is_told_and_is_the_end(tmp_path):
    bench = Bench(tmp_path)

    def write(*arguments):
        raise MissingError("there is no synthesiser; install one")

    bench.tools.write = write
    bench.ask(score())
    bench.work(idle_s=0.5)
    assert [error.code for error in bench.of(JobError)] == ["missing"]
    assert bench.of(JobDone)


@pytest.mark.parametrize(
    "job", ["latest", "jobs", "live.json", "lock", "job.json", "plan.json", "take-0.jsonl", "con", "a."]
)
def test_no_name_of_a_job_collides_with_files_of_ours(tmp_path, job):
    bench = Bench(tmp_path)
    bench.ask(score("first"), score(job))
    bench.work(until=lambda sent: len([m for m in sent if isinstance(m, JobDone)]) == 2)
    assert {result.job for result in bench.of(JobResult)} == {"first", job}
    assert not bench.of(JobError)
    assert bench.store.load(job).score.job == job
    assert bench.store.latest() in ("first", job)


def test_every_job_has_a_folder_of_its_own_on_systems_that_know_no_case_and_have_names_of_devices():
    jobs = ["Film", "film", "FILM", "CON", "con", "nul.txt", "a.", "a", "A.", "com1", "f-ilm"]
    folders = [folder_name(job, case_counts=False) for job in jobs]
    assert len({folder.lower() for folder in folders}) == len(jobs)
    assert not any(folder.endswith(".") or folder.split(".")[0].lower() in ("con", "nul", "com1") for folder in folders)
    assert folder_name("Film", case_counts=True) == "Film"


def test_results_are_told_after_their_files_and_folder_are_on_the_disk(tmp_path, monkeypatch):
    bench = Bench(tmp_path)
    real_file, real_folder, synced, folders = stores.os.fsync, stores.sync_folder, [], []
    monkeypatch.setattr(stores.os, "fsync", lambda number: synced.append(len(bench.of(JobResult))) or real_file(number))
    monkeypatch.setattr(stores, "sync_folder", lambda folder: folders.append(folder) or real_folder(folder))
    wanted = []
    monkeypatch.setattr(keeper, "sync_file", lambda path: wanted.append(path) or stores.sync_file(path))
    bench.ask(score())
    bench.work(until=lambda sent: any(isinstance(m, JobResult) for m in sent))
    (result,) = bench.of(JobResult)
    assert [str(path) for path in wanted] == [result.midi, result.wav, result.report]
    assert synced[:3] == [0, 0, 0] and synced.count(0) >= 6, "three files and their folder, before the result"
    assert set(folders) == {tmp_path, tmp_path / "jobs", tmp_path / "jobs" / "film"}


def test_litter_of_a_killed_run_is_swept_and_nothing_else(tmp_path):
    bench = Bench(tmp_path)
    bench.ask(score())
    bench.work()
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for name in (".job.json.ab12.part", ".film-take-0.1f2e.part.wav", ".plan.json.part"):
        (tmp_path / "jobs" / "film" / name).write_text("half")
    (tmp_path / ".live.json.99.part").write_text("half")
    Store(tmp_path).sweep()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == kept


def test_jobs_that_a_stopped_bridge_left_unfinished_are_known(tmp_path):
    bench = Bench(tmp_path)
    bench.ask(score("done"))
    bench.work()
    bench.ask(score("begun", "64.mp4"))
    bench.work(until=lambda sent: len([m for m in sent if isinstance(m, BarsReady)]) > 12)
    assert Store(tmp_path).unfinished() == ["begun"]


class FaultyComposer:
    """As its model, but that what `fails` names goes wrong."""

    def __init__(self, real, fails):
        self.real, self.fails, self.seeds = real, fails, []

    def __getattr__(self, name):
        return getattr(self.real, name)

    def stream(self, plan, seed, history=()):
        self.seeds.append(seed)
        for bar in self.real.stream(plan, seed, history):
            self.fails(plan, seed, bar)
            yield bar


def faulty(bench, fails):
    composer = FaultyComposer(bench.tools.composer(), fails)
    bench.tools.composer = lambda key="": composer
    return composer


def test_look_ahead_that_goes_wrong_costs_the_look_ahead_only(tmp_path):
    bench = Bench(tmp_path)

    def fails(plan, seed, bar):
        if len(plan.bars) < 64:
            raise ZeroDivisionError("a splice that cannot be composed")

    faulty(bench, fails)
    bench.ask(score(name="64.mp4"))
    bench.work(until=lambda sent: len([m for m in sent if isinstance(m, BarsReady)]) > 3)
    bench.ask(Aim("film", 50))
    bench.work(until=lambda sent: any(isinstance(m, JobDone) for m in sent))
    assert bench.bars() == bench.played(telling_bar(index) for index in range(64))
    assert len(bench.of(JobResult)) == 1 and not bench.of(JobError)


def test_a_bar_that_one_seed_cannot_write_is_written_with_another(tmp_path):
    bench = Bench(tmp_path)

    def fails(plan, seed, bar):
        if seed == 0 and bar.index == 5:
            raise RuntimeError("stuck")

    composer = faulty(bench, fails)
    bench.ask(score())
    bench.work(until=lambda sent: any(isinstance(m, JobDone) for m in sent))
    assert len(bench.of(JobResult)) == 1 and len(bench.bars()) == 8
    assert len(set(composer.seeds)) == 2


def test_a_job_that_cannot_be_composed_is_told_and_the_others_are_done(tmp_path):
    bench = Bench(tmp_path)

    def fails(plan, seed, bar):
        if len(plan.bars) == 16:
            raise RuntimeError("never")

    faulty(bench, fails)
    bench.ask(score("bad", "16.mp4"), score("good"))
    bench.work(until=lambda sent: len([m for m in sent if isinstance(m, JobDone)]) == 2)
    assert [(error.job, error.code) for error in bench.of(JobError)] == [("bad", "given-up")]
    assert [result.job for result in bench.of(JobResult)] == ["good"]
    assert Store(tmp_path).unfinished() == []


def test_fifty_jobs_at_once_all_get_their_results_and_few_stay_in_memory(tmp_path):
    bench = Bench(tmp_path)
    bench.ask(*(score(f"job{index}", "2.mp4", wav="0") for index in range(50)))
    bench.work(until=lambda sent: len([m for m in sent if isinstance(m, JobDone)]) == 50, idle_s=5, most_s=60)
    assert sorted(result.job for result in bench.of(JobResult)) == sorted(f"job{index}" for index in range(50))
    assert len(bench.workshop._jobs) <= 10
    assert all(Path(result.midi).is_file() for result in bench.of(JobResult))
    bench.ask(Regenerate("job0", 0, 0, None))
    bench.work()
    assert bench.of(JobResult)[-1].job == "job0", "one that left the memory can be edited"


def test_resumed_jobs_that_are_not_heard_do_not_take_the_player_over(tmp_path):
    bench = Bench(tmp_path)
    bench.ask(score("one"), score("two"))
    bench.work()
    other = Bench(tmp_path)
    other.ask(ResumeJob("one", heard=False), ResumeJob("two"))
    time.sleep(0.05)
    other.work()
    assert [planned.job for planned in other.of(Planned)] == ["two"]


def test_a_pipe_in_the_place_of_a_file_of_ours_holds_nothing_up(tmp_path):
    bench = Bench(tmp_path)
    (tmp_path / "jobs" / "film").mkdir(parents=True)
    for name in ("job.json", "plan.json", "take-0.jsonl", "../../latest", "../../live.json", "../../lists.json"):
        os.mkfifo(tmp_path / "jobs" / "film" / name)
    assert bench.store.unfinished() == [] and bench.store.latest() == ""
    assert bench.store.load("film") is None and bench.store.load_bars("film", 0) == {}
    assert bench.store.load_live() is None and bench.store.load_lists() == []
