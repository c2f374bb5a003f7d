"""JACK waits in each period for every client that takes part: no process of ours keeps it waiting that has nothing to
play."""

import os
import signal
import time
from pathlib import Path

import pytest
from live_kit import Bridge, Client, JackServer, RemoteEars, hanging, need_jack, notes_on, wait_for

from hitpoint.bridge.process import system

need_jack()

PATIENCE_MS = 2000


@pytest.fixture
def playing(tmp_path):
    """A bridge that plays to the ears, under a JACK that waits long for a client that does not answer."""
    with (
        JackServer(256, patience_ms=PATIENCE_MS),
        RemoteEars() as ears,
        Bridge(tmp_path, "--no-revive") as bridge,
        Client(bridge.port) as client,
    ):
        client.score(path="/clips/64.mp4")
        ears.connect("Hitpoint:out")
        time.sleep(0.7)  # the watchdog notes the connection
        client.say("/hitpoint/locate", 0.0)
        client.say("/hitpoint/play")
        wait_for(lambda: notes_on(ears.take()), 10, "the first note")
        yield bridge, client, ears


def go_by(ears, seconds):
    """The share of JACK's periods that came to the ears in so long."""
    passed, frame = ears.passed, ears.frame
    time.sleep(seconds)
    return (ears.passed - passed) / (ears.frame - frame)


def test_the_watchdog_takes_no_part_in_jacks_periods(playing):
    bridge, _, ears = playing
    os.kill(bridge.process.pid, signal.SIGSTOP)
    try:
        ears.take()
        assert go_by(ears, 2.0) > 0.5
        assert notes_on(ears.take()), "the music goes on"
    finally:
        os.kill(bridge.process.pid, signal.SIGCONT)


@pytest.mark.skipif(system.PLAIN, reason="this system has no Ctrl-Z")
def test_a_bridge_that_stands_still_holds_up_nobody_else(playing):
    bridge, _, ears = playing
    os.kill(bridge.process.pid, signal.SIGTSTP)
    wait_for(lambda: _stands(bridge.process.pid), 10, "the bridge to stand still")
    try:
        assert go_by(ears, 2.0) > 0.5
    finally:
        os.kill(bridge.process.pid, signal.SIGCONT)
    ears.take()
    wait_for(lambda: notes_on(ears.take()), 15, "music again, at the same place")


def test_notes_end_when_the_clock_is_killed_in_the_middle_of_a_period(playing):
    """Stopped first: JACK waits for it, for as long as it has patience, and only then hears of its end."""
    bridge, _, ears = playing
    events = []
    wait_for(lambda: events.extend(ears.take()) or hanging(events), 10, "a sounding note")
    clock = bridge.pids()["clock"]
    os.kill(clock, signal.SIGSTOP)
    time.sleep(0.1)
    os.kill(clock, signal.SIGKILL)
    wait_for(lambda: events.extend(ears.take()) or not hanging(events), 10, "silence")
    events.clear()
    wait_for(lambda: events.extend(ears.take()) or notes_on(events), 20, "music again")


def _stands(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
