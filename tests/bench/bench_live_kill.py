"""kill −9 of each process while notes sound: hanging notes, lost scores, and how long until music and answers are back.

    python tests/bench/bench_live_kill.py [--times 10] [--victims clock,composer,watchdog] [--full]

Every second kill falls while a film is composed as well. Full length: 100 kills of each. Baseline: the same bridge
with its watchdog stopped (SIGSTOP) when its clock dies: the notes that hang then are those that the watchdog ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from pathlib import Path

from live_bench import settings  # isort: skip
from live_kit import Bridge, Client, JackServer, RemoteEars, hanging, notes_on, wait_for

BARS, BAR_S = 64, 0.03
PAUSE_S = 0.6
SPARES = {"clock": 1, "composer": 2, "watchdog": 0}
"""How many spares there must be before the kill: the clock's comes first, and a bridge's successor has none."""


def spares(bridge):
    """How many spare processes wait."""
    pid = bridge.watchdog_pid()
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [Path(f"/proc/{child}/comm").read_text().strip() for child in children].count("hp-spare")
    return 0


def begin_film(client, job):
    """A film whose bars are just being composed."""
    client.score(job, f"/clips/{BARS}.mp4", wait=False)
    client.wait("/hitpoint/bar", 60, lambda bar: bar[0] == job)


def play(client, ears):
    """Play from the top until a note sounds; the events so far."""
    client.say("/hitpoint/locate", 0.0)
    client.say("/hitpoint/play")
    events = []
    wait_for(lambda: events.extend(ears.take()) or hanging(events), 10, "a sounding note", every=0.005)
    return events


def kill_once(bridge, client, ears, victim, job, composing):
    """(seconds to silence, seconds to music or a bar, notes hanging at the end, bars that are there after)."""
    if composing:
        begin_film(client, job)
    events = play(client, ears)
    pid = bridge.pids()[victim]
    client.hear()
    at = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    silent_s = None
    if victim != "composer":
        wait_for(lambda: events.extend(ears.take()) or not hanging(events), 10, "silence", every=0.002)
        silent_s = time.monotonic() - at
        fresh = []
        wait_for(lambda: fresh.extend(ears.take()) or notes_on(fresh), 120, "music again", every=0.005)
    elif composing:
        client.wait("/hitpoint/bar", 120, lambda bar: bar[0] == job)
    else:
        client.say("/hitpoint/regenerate", job, BARS - 1, BARS - 1)
        client.wait("/hitpoint/bar", 120, lambda bar: bar[1] == BARS - 1)
    back_s = time.monotonic() - at
    wait_for(lambda: len(bridge.pids()) == 3, 120, "three processes")
    client.say("/hitpoint/hello", "kill", "1", 1)
    ready = 0
    with contextlib.suppress(AssertionError):
        ready = client.wait("/hitpoint/state", 60, lambda s: s[1] == job and s[5] == BARS)[5]
    client.say("/hitpoint/stop")
    time.sleep(0.3)
    left = hanging(ears.take()) - {None}
    return silent_s, back_s, len(left), ready


def baseline(bridge, client, ears):
    """Notes that hang for a second when nobody ends them."""
    events = play(client, ears)
    pids = bridge.pids()
    os.kill(pids["watchdog"], signal.SIGSTOP)
    os.kill(pids["clock"], signal.SIGKILL)
    time.sleep(1.0)
    events.extend(ears.take())
    hung = len(hanging(events))
    os.kill(pids["watchdog"], signal.SIGCONT)
    time.sleep(2.0)
    return hung


def main():
    options = settings(__doc__, times=(10, 100), victims="clock,composer,watchdog")
    print(f"JACK period 64, {options.times} kills each")
    with (
        JackServer(64),
        RemoteEars() as ears,
        Bridge(tempfile.mkdtemp(prefix="hitpoint-bench-"), bar_s=BAR_S) as bridge,
        Client(bridge.port) as client,
    ):
        client.score("film", f"/clips/{BARS}.mp4")
        ears.connect("Hitpoint:out")
        time.sleep(1.0)
        job = "film"
        for victim in options.victims.split(","):
            silences, backs, hung, lost = [], [], 0, 0
            for number in range(options.times):
                wait_for(lambda v=victim: spares(bridge) >= SPARES[v], 300, "the spares")
                job = f"{victim}{number}" if number % 2 else job
                silent_s, back_s, hanging_now, bars = kill_once(bridge, client, ears, victim, job, number % 2)
                silences += [silent_s] if silent_s is not None else []
                backs.append(back_s)
                hung += hanging_now
                lost += bars != BARS
                print(f"  {victim} {number + 1}", end="\r", flush=True)
                time.sleep(PAUSE_S)
            silence = ""
            if silences:
                median_s = sorted(silences)[len(silences) // 2]
                silence = f"silent after {1000 * median_s:.0f} ms (median), {1000 * max(silences):.0f} (worst); "
            backs.sort()
            print(
                f"{victim:9} {silence}back after {backs[len(backs) // 2]:.2f} s (median), {backs[-1]:.2f} (worst; "
                f"target 2); hanging {hung} (0), scores lost {lost} (0); load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
        print(f"baseline, nobody watching: {baseline(bridge, client, ears)} note(s) hang after a second")


if __name__ == "__main__":
    main()
