"""Processes that stand still, hang or starve: noticed by their own time, told, replaced; and Ctrl-Z is silent."""

import contextlib
import os
import re
import signal
import socket
import time
from pathlib import Path

import pytest
from live_kit import Bridge, Client, JackServer, RemoteEars, hanging, notes_on, wait_for

from hitpoint.bridge.ipc.channel import Channel
from hitpoint.bridge.ipc.supervision import Patience, Pulse
from hitpoint.bridge.process import children, system
from hitpoint.bridge.process.children import Child
from hitpoint.bridge.process.system import ProcessTime
from hitpoint.bridge.work import stage
from hitpoint.bridge.work.stage import BAR_S, Stage


class Process:
    pid = os.getpid()


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(system, "knows_process_times", lambda: True)
    ours, theirs = Channel.pair()
    child = Child("clock", Process(), ours)
    child.heard()
    child.fares = None
    monkeypatch.setattr(system, "process_time", lambda pid: child.fares)
    yield child
    child.close()
    theirs.close()


def test_a_child_is_blamed_for_silence_while_the_watchdog_listened_only(clock):
    clock.attend(0.2)  # the watchdog was held up for ten seconds, of which it listened to 0.2
    assert clock.hangs() == ""
    for _ in range(10):
        clock.attend(0.1)
    assert clock.hangs() == "does not answer"
    clock.heard()
    assert clock.hangs() == ""


def test_a_spare_clock_has_nothing_to_say_until_it_is_the_clock():
    ours, theirs = socket.socketpair()
    spare = Child("spare clock", Process(), Channel(ours))
    spare.attend(1000.0)
    assert spare.hangs() == ""
    spare.promote()
    assert spare.hangs() == ""
    spare.attend(1000.0)
    assert spare.hangs() == "does not answer"
    spare.close()
    theirs.close()


@pytest.mark.parametrize(("name", "lasted_s"), [("clock", 3.0), ("composer", 11.0)])
def test_one_that_dies_before_it_was_up_failed_however_long_that_took(clock, monkeypatch, name, lasted_s):
    clock.name, now_s = name, time.monotonic()
    monkeypatch.setattr(children.time, "monotonic", lambda: now_s)
    now_s += 60.0  # a busy machine: a minute for the imports
    assert clock.failures(3) == 4
    clock.is_up()
    now_s += lasted_s
    assert clock.failures(3) == 0


def test_one_that_opens_a_port_gets_the_time_it_asked_for(clock):
    clock.patience_s = Patience(20.0).seconds
    clock.attend(15.0)
    assert clock.hangs() == ""
    clock.heard()
    clock.attend(1.5)
    assert clock.hangs()


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (ProcessTime(5.0, True), ProcessTime(5.01, True), ""),  # starved: it wants the processor and does not get it
        (ProcessTime(5.0, True), ProcessTime(5.5, True), "does not answer"),  # spins
        (ProcessTime(5.0, False), ProcessTime(5.0, False), "does not answer"),  # stands still
    ],
)
def test_a_starved_child_is_no_hung_one(clock, before, after, verdict):
    clock.fares = before
    clock.attend(0.6)
    clock.fares = after
    clock.attend(0.6)
    assert clock.hangs() == verdict
    clock.attend(10.0)
    assert clock.hangs() == "does not answer", "for ever, nobody starves"


@pytest.mark.parametrize(
    ("pulse", "hung"),
    [
        (Pulse("", 0.0, 0.0, 30.0), False),
        (Pulse("bar", 3.0, 0.0, 30.0), False),
        (Pulse("bar", 6.0, 0.0, 30.0), True),  # waits for something
        (Pulse("bar", 25.0, 24.0, 30.0), False),  # slow
        (Pulse("bar", 25.0, 2.0, 30.0), False),  # slow on a busy machine
        (Pulse("bar", 40.0, 31.0, 30.0), True),  # runs in circles
        (Pulse("load", 40.0, 0.1, 300.0), False),
    ],
)
def test_a_composer_is_judged_by_the_processor_time_it_got(clock, pulse, hung):
    clock.name = "composer"
    clock.feel(pulse)
    assert bool(clock.hangs()) == hung


def test_a_clock_may_be_silent_longer_where_nothing_tells_whether_it_starves(clock, monkeypatch):
    monkeypatch.setattr(system, "knows_process_times", lambda: False)
    clock.heard()
    clock.attend(2.5)
    assert clock.hangs() == ""
    clock.attend(1.0)
    assert clock.hangs() == "does not answer"


def test_what_a_child_does_not_read_waits_and_is_not_lost(clock, monkeypatch):
    monkeypatch.setattr("hitpoint.bridge.ipc.channel.MAX_WAITING_BYTES", 1 << 16)
    ours, theirs = socket.socketpair()
    child, reader = Child("composer", Process(), Channel(ours)), Channel(theirs)
    for number in range(200):
        child.send((number, b"x" * 10_000))
    got = []
    for _ in range(2000):
        got += [message[0] for message in reader.receive()]
        child.channel.flush()
        child.drain()
        if len(got) == 200:
            break
    assert got == list(range(200))
    child.close()
    reader.close()
    assert children.STARVED > 1


def test_a_composer_that_was_stopped_is_replaced_and_the_job_is_done(tmp_path):
    with Bridge(tmp_path, "--no-revive", bar_s=0.05, midi_port="none") as bridge, Client(bridge.port) as client:
        client.score(path="/clips/64.mp4", wait=False)
        client.wait("/hitpoint/bar", 20, lambda bar: bar[1] == 5)
        composer = bridge.pids()["composer"]
        os.kill(composer, signal.SIGSTOP)
        told = client.wait("/hitpoint/error", 30, lambda error: error[0] == "composer")
        assert told[2] == "film"
        assert client.wait("/hitpoint/result", 60)[0] == "film"
        assert bridge.pids()["composer"] != composer
        bars = [m.arguments[1] for _, m in client.heard if m.address == "/hitpoint/bar"]
        assert bars == sorted(bars) and len(set(bars)) == 64, "it went on with what was on disk"


def test_a_composer_that_hangs_in_a_bar_is_replaced_and_the_job_is_done(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_STUCK", str(tmp_path / "stuck"))
    settings = {"tools": "live_fakes:make_stuck", "midi_port": "none"}
    with Bridge(tmp_path / "b", "--no-revive", **settings) as bridge, Client(bridge.port) as client:
        client.score(path="/clips/8.mp4", wait=False)
        client.wait("/hitpoint/error", 30, lambda error: error[0] == "composer")
        assert client.wait("/hitpoint/result", 60)[0] == "film"
        assert "waits in one bar for something that does not come" in bridge.log()


def test_a_composer_that_goes_round_in_circles_is_replaced_and_the_job_is_done(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_STUCK", str(tmp_path / "stuck"))
    settings = {"tools": "live_fakes:make_burning", "midi_port": "none"}
    with Bridge(tmp_path / "b", "--no-revive", **settings) as bridge, Client(bridge.port) as client:
        client.score(path="/clips/8.mp4", wait=False)
        wait_for(lambda: (tmp_path / "stuck").exists(), 30, "the loop")
        burning = bridge.pids()["composer"]
        client.wait("/hitpoint/error", 60, lambda error: error[0] == "composer")
        assert client.wait("/hitpoint/result", 60)[0] == "film"
        assert bridge.pids()["composer"] != burning
        assert float(re.search(r"has been at one bar for \d+ s \((\d+) of", bridge.log())[1]) < BAR_S


class Steps:
    """Two clocks and a counter, moved by hand."""

    def __init__(self, monkeypatch, own_clock=True):
        self.wall_s, self.cpu_s, self.count = 100.0, 50.0, 7
        monkeypatch.setattr(stage.time, "monotonic", lambda: self.wall_s)
        monkeypatch.setattr(stage.time, "thread_time", lambda: self.cpu_s)
        monkeypatch.setattr(stage.time, "process_time", lambda: self.cpu_s)
        self.stage = Stage(lambda: self.cpu_s) if own_clock else Stage()

    def run(self, seconds, share=1.0, steps=0):
        """Beats of the pulse over so much of the wall's time; `share` of it on the processor, `steps` a beat."""
        for _ in range(round(seconds / 0.5)):
            self.wall_s, self.cpu_s, self.count = self.wall_s + 0.5, self.cpu_s + 0.5 * share, self.count + steps
            pulse = self.stage.pulse()
        return pulse


@pytest.mark.parametrize("own_clock", [True, False])
def test_a_step_may_take_seconds_and_a_bar_as_long_as_its_steps(monkeypatch, clock, own_clock):
    steps = Steps(monkeypatch, own_clock)
    with steps.stage.at("bar", BAR_S, lambda: steps.count):
        steps.run(20.0, steps=1)
        clock.feel(steps.run(2.0))
        assert clock.hangs() == ""
        clock.feel(steps.run(20.0, share=0.05))  # others have the processor
        assert clock.hangs() == ""
        clock.feel(steps.run(2.5))
        assert "has been at one bar" in clock.hangs()
        clock.feel(steps.run(0.5, steps=1))
        assert clock.hangs() == ""
        clock.feel(steps.run(8.0, steps=1))
        assert "has been at one bar" in clock.hangs(), "steps without end are no bar either"
    with steps.stage.at("bar", BAR_S, lambda: steps.count):
        clock.feel(steps.run(20.0))
        assert clock.hangs() == "", "one that has not begun to count is judged by the whole"


def test_many_jobs_at_once_while_composers_are_killed(tmp_path):
    """Every one of them gets its result."""
    count = int(os.environ.get("HITPOINT_JOBS", "60"))
    with Bridge(tmp_path, "--no-revive", midi_port="none") as bridge, Client(bridge.port) as client:
        for index in range(count):
            job = f"job{index}"
            client.say("/hitpoint/clips/begin", job, 24.0, 1)
            client.say("/hitpoint/clip", job, 0, "/clips/1.mp4", 0.0, 0.0, -1.0)
            client.say("/hitpoint/clips/end", job, 1)
            client.wait("/hitpoint/progress", 20, lambda told, job=job: told[:2] == (job, "clips"))
            client.say("/hitpoint/score", job, "wav", 0)
        kills = [count // 4, count // 2, 3 * count // 4]

        def results():
            client.hear()
            return {m.arguments[0] for _, m in client.heard if m.address == "/hitpoint/result"}

        def all_there():
            if kills and len(results()) >= kills[0]:
                del kills[0]
                with contextlib.suppress(KeyError, ProcessLookupError):
                    os.kill(bridge.pids()["composer"], signal.SIGKILL)
            return len(results()) == count

        wait_for(all_there, 200, "all results", every=0.02)
        errors = {m.arguments[0] for _, m in client.heard if m.address == "/hitpoint/error"}
        assert errors <= {"composer"}


@pytest.mark.skipif(system.PLAIN or not hasattr(signal, "SIGTSTP"), reason="this system knows no Ctrl-Z")
def test_ctrl_z_is_silent_and_fg_goes_on(tmp_path):
    pytest.importorskip("jack", exc_type=(ImportError, OSError))
    with (
        JackServer(256, patience_ms=10_000),
        RemoteEars() as ears,
        Bridge(tmp_path, "--no-revive") as bridge,
        Client(bridge.port) as client,
    ):
        client.score(path="/clips/64.mp4")
        ears.connect("Hitpoint:out")
        time.sleep(0.7)
        client.say("/hitpoint/locate", 0.0)
        client.say("/hitpoint/play")
        events = []

        def sounds():
            events.extend(ears.take())
            return hanging(events)

        wait_for(sounds, 5, "a sounding note")
        os.kill(bridge.process.pid, signal.SIGTSTP)
        wait_for(lambda: not sounds(), 5, "silence")
        wait_for(lambda: _state(bridge.process.pid) == "T", 5, "the bridge to stand still")
        events.clear()
        time.sleep(1.5)
        assert not sounds() and not notes_on(events)
        os.kill(bridge.process.pid, signal.SIGCONT)
        wait_for(lambda: notes_on(events) or sounds(), 15, "music again")
        client.say("/hitpoint/stop")
        wait_for(lambda: not sounds(), 5, "silence at last")


def _state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
