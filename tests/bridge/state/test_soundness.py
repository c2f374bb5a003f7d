"""A state folder that somebody changed, or another version kept: what cannot be played is left out."""

import json
import socket

import pytest
from job_bench import Bench, score
from live_fakes import plain_plan, telling_bar
from recorder import Recorder

from hitpoint.bridge.clock.clock import TestClock
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.ipc.channel import Channel
from hitpoint.bridge.play.player import Player
from hitpoint.bridge.process.children import Child
from hitpoint.bridge.process.watchdog import LEAVES_MUSIC_OUT, Watchdog
from hitpoint.bridge.session.session import Session
from hitpoint.bridge.state.store import JobRecord, Store


def watchdog_on(state):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return Watchdog(sock, Config(state_dir=str(state)), "0", [])


@pytest.fixture
def kept(tmp_path):
    """A finished score of four bars; its folder."""
    store = Store(tmp_path)
    store.begin(JobRecord(score(), programs=(0, 0, 25, 33, 48), done=True))
    store.save_plan("film", plain_plan(4))
    for index in range(4):
        store.add_bar("film", 0, telling_bar(index))
    return tmp_path / "jobs" / "film"


def change(path, place, value):
    """Put a value into a JSON file; place: keys and indexes to it."""
    whole = part = json.loads(path.read_bytes())
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    path.write_text(json.dumps(whole))


def start_and_play(state):
    """What a bridge that is started on the folder does first: the jobs it knows, and how many notes it plays in 8 s."""
    watchdog = watchdog_on(state)
    watchdog._load_latest()
    clock = TestClock(100.0)
    recorder = Recorder(clock)
    session = Session(clock, Config(), "0", lambda *_: None, lambda _: True, lambda *_: None)
    player = session.player = Player(clock, recorder, Config(), session)
    told = watchdog._now_playing.retell()
    for message in told:
        session.on_composer(message)
    player.play(clock.now())
    for _ in range(800):
        player.tick()
        clock.advance(0.01)
    notes = [message for _, message in recorder.events if message[0] & 0xF0 == 0x90]
    return bool(told), len(notes)


def test_what_is_whole_is_played(kept):
    assert start_and_play(kept.parents[1]) == (True, 4 * 5)


@pytest.mark.parametrize(
    ("file", "place", "value"),
    [
        ("plan.json", ("bars",), []),
        ("plan.json", ("bars", 0, "index"), 3),
        ("plan.json", ("tempo_map", "points"), []),
        ("plan.json", ("tempo_map", "points", 0, "bpm"), 0),
        ("plan.json", ("tempo_map", "points", 0, "bpm"), -120.0),
        ("plan.json", ("tempo_map", "points", 0, "time_s"), 1e300),
        ("plan.json", ("hits", 0, "time_s"), 1e300),
        ("plan.json", ("tempo_map", "meter"), "7/11"),
        ("plan.json", ("tempo_map", "odd_bars"), [[1, 0]]),
        ("job.json", ("programs",), []),
        ("job.json", ("programs",), [0, 1]),
        ("job.json", ("programs",), [0, 1, 2, 3, 999]),
        ("job.json", ("score", "clips"), []),
        ("job.json", ("score", "fps"), 0),
        ("job.json", ("score", "job"), "../../elsewhere"),
        ("job.json", ("take",), -1),
        ("job.json", ("schema",), "hitpoint.job/1"),
    ],
)
def test_a_score_that_cannot_be_played_is_left_out(kept, file, place, value):
    change(kept / file, place, value)
    assert start_and_play(kept.parents[1]) == (False, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [("pitch", 128), ("velocity", 500), ("instrument", 7), ("tick", -70), ("duration_ticks", 0)],
)
def test_a_bar_that_cannot_be_played_is_left_out_alone(kept, field, value):
    path = kept / "take-0.jsonl"
    lines = [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
    lines[2]["notes"][1][field] = value
    path.write_text("\n".join(json.dumps(line) for line in lines))
    assert set(Store(kept.parents[1]).load_bars("film", 0)) == {0, 1, 3}
    told, notes = start_and_play(kept.parents[1])
    assert told and notes >= 3 * 5


def test_a_plan_is_never_on_the_disk_before_the_programs_it_is_played_with(tmp_path, monkeypatch):
    """The power may go between the two."""
    bench, there = Bench(tmp_path), []
    real = Store.save_plan

    def save_plan(store, job, plan):
        there.append(store.load(job).programs)
        real(store, job, plan)

    monkeypatch.setattr(Store, "save_plan", save_plan)
    bench.ask(score())
    bench.work()
    assert there and all(len(programs) == 5 for programs in there)


class Dead:
    pid, exitcode = 1, 1

    def kill(self):
        pass

    def join(self, seconds):
        pass


def test_a_clock_that_dies_of_its_music_is_started_without_it(kept):
    watchdog = watchdog_on(kept.parents[1])
    watchdog._load_latest()
    assert watchdog._now_playing.retell()
    for deaths in range(LEAVES_MUSIC_OUT):
        assert bool(watchdog._now_playing.retell()) == (deaths < LEAVES_MUSIC_OUT)
        ours, theirs = Channel.pair()
        watchdog._children["clock"] = clock = Child("clock", Dead(), ours)
        watchdog._bury(clock)
        theirs.close()
    assert watchdog._now_playing.retell() == []
