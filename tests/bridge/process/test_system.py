"""Everything that only some systems have stands in one room, and the bridge runs without any of it."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from live_kit import Bridge, Client, wait_for

from hitpoint.bridge.clock.clock import finest
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.midi.ports import quiet_libraries
from hitpoint.bridge.process import diagnosis

ROOT = Path(__file__).parents[3]
ONLY_SOME = re.compile(
    r"\b(fcntl|msvcrt|winreg|sched_\w+|prctl|getppid|os\.fork|SIGSTOP|SIGTSTP|SIGCONT|SIGKILL|SIGALRM|SIGHUP|SIGUSR\d|"
    r"os\.kill\w*|pthread_\w+|/proc/|start_new_session|creationflags|os\.exec\w+|import resource|os\.mkfifo|"
    r"os\.wait\w*|select\.e?poll|AF_UNIX|select\.select\(\[\], \[\])(?!\w)"
)
THEIR_ROOM = {
    "bridge/process/system.py": None,
    "model/files.py": "fcntl",  # macOS: what fsync does not do there
    "model/training/group.py": "sched_getaffinity",  # asked for only where it is there
    "model/video/apart.py": "import resource",  # the bound on a decoder's memory
}


def test_what_only_some_systems_have_stands_in_one_room():
    found = []
    for path in [path for room in ("bridge", "model") for path in sorted((ROOT / room).rglob("*.py"))]:
        place = path.relative_to(ROOT).as_posix()
        words = {match[0] for match in ONLY_SOME.finditer(path.read_text(encoding="utf-8"))}
        if place not in THEIR_ROOM or (THEIR_ROOM[place] and words - {THEIR_ROOM[place]}):
            found += [f"{place}: {word}" for word in sorted(words)]
    assert found == []


def test_doctor_waits_as_windows_can(monkeypatch):
    def wait(*lists):
        assert any(lists[:3]), "[WinError 10022] an invalid argument was supplied"
        return [], [], []

    monkeypatch.setattr(select, "select", wait)
    finding = next(diagnosis._lateness(Config()))
    assert "a timer wakes" in finding.text


def test_taken_away_each_of_them_says_so():
    code = (
        "from hitpoint.bridge.process import system as s; import os, io, threading;"
        "s.hurry(); s.calm_down(); s.sharpen_timers(); s.name_process('x'); s.on_suspend(lambda: None);"
        "s.send_suspend(os.getpid()); s.start_again_without([], {});"
        "print(s.become_realtime(), s.knows_realtime(), s.process_time(os.getpid()),"
        " s.thread_clock(threading.get_ident()), s.stand_still() < 1.0, s.lock(io.BytesIO()))"
    )
    environment = {**os.environ, "HITPOINT_PLAIN_SYSTEM": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["False", "False", "None", "None", "True", "True"], done.stderr


@pytest.mark.parametrize("victim", ["clock", "composer", "watchdog"])
def test_a_bridge_without_them_outlives_its_processes_all_the_same(tmp_path, monkeypatch, victim):
    monkeypatch.setenv("HITPOINT_PLAIN_SYSTEM", "1")
    with Bridge(tmp_path, midi_port="none", bar_s=0.05) as bridge, Client(bridge.port) as client:
        client.score(path="/clips/64.mp4", wait=False)
        client.wait("/hitpoint/bar", 20, lambda bar: bar[1] == 3)
        pids = _children(bridge.watchdog_pid())
        os.kill(pids[victim], signal.SIGKILL)
        assert client.wait("/hitpoint/result", 60)[0] == "film"
        if victim == "watchdog":
            wait_for(lambda: not _alive(pids["composer"]), 10, "the end of the composer whose parent is gone")


def _children(watchdog):
    """They bear no names here: of the children that were spawned the composer is the one with threads of its own."""
    found = {"watchdog": watchdog}
    for child in Path(f"/proc/{watchdog}/task/{watchdog}/children").read_text().split():
        threads = len(list(Path(f"/proc/{child}/task").iterdir()))
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
            found.setdefault("composer" if threads > 2 else "clock", int(child))
    return found


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_windows_is_asked_for_its_fine_clock():
    assert finest("win32") is time.perf_counter and finest("linux") is time.monotonic


def test_libraries_are_kept_quiet_only_where_there_is_something_to_hear(monkeypatch):
    def none(number):
        raise OSError(9, "bad file descriptor")

    monkeypatch.setattr(os, "dup", none)
    with quiet_libraries():
        pass
