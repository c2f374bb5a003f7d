"""kill −9 of each process while notes sound: hanging notes, lost scores, and how long until music and answers are back.

    python tests/bench/bench_live_kill.py [--times 10] [--victims clock,composer,watchdog] [--full]

Full length: 100 kills of each. Baseline: the same bridge with its watchdog stopped (SIGSTOP) when its clock dies:
the notes that hang then are those that the watchdog ends.
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

BARS = 64
PAUSE_S = 2.5


def spares(bridge):
    """How many spare processes wait."""
    pid = bridge.watchdog_pid()
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [Path(f"/proc/{child}/comm").read_text().strip() for child in children].count("hp-spare")
    return 0


def play(client, ears):
    """Play from the top until a note sounds; the events so far."""
    client.say("/hitpoint/locate", 0.0)
    client.say("/hitpoint/play")
    events = []
    wait_for(lambda: events.extend(ears.take()) or hanging(events), 10, "a sounding note", every=0.005)
    return events


def kill_once(bridge, client, ears, victim):
    """(seconds to silence, seconds to music or an edit, notes hanging at the end, bars that are there after)."""
    events = play(client, ears)
    pid = bridge.pids()[victim]
    at = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    silent_s = None
    if victim != "composer":
        wait_for(lambda: events.extend(ears.take()) or not hanging(events), 10, "silence", every=0.002)
        silent_s = time.monotonic() - at
        fresh = []
        wait_for(lambda: fresh.extend(ears.take()) or notes_on(fresh), 120, "music again", every=0.005)
    else:
        client.say("/hitpoint/regenerate", "film", BARS - 1, BARS - 1)
        client.wait("/hitpoint/bar", 120, lambda bar: bar[1] == BARS - 1)
    back_s = time.monotonic() - at
    wait_for(lambda: len(bridge.pids()) == 3, 120, "three processes")
    client.say("/hitpoint/hello", "kill", "1", 1)
    ready = 0
    with contextlib.suppress(AssertionError):
        ready = client.wait("/hitpoint/state", 10, lambda s: s[1] == "film" and s[5] == BARS)[5]
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
    with JackServer(64), RemoteEars() as ears, Bridge(tempfile.mkdtemp(prefix="hitpoint-bench-")) as bridge:  # noqa: SIM117
        with Client(bridge.port) as client:
            client.score(path=f"/clips/{BARS}.mp4")
            ears.connect("Hitpoint:out")
            time.sleep(1.0)
            for victim in options.victims.split(","):
                silences, backs, hung, lost = [], [], 0, 0
                for _ in range(options.times):
                    wait_for(lambda: spares(bridge) == 2, 300, "a spare of each")
                    silent_s, back_s, hanging_now, bars = kill_once(bridge, client, ears, victim)
                    silences += [silent_s] if silent_s is not None else []
                    backs.append(back_s)
                    hung += hanging_now
                    lost += bars != BARS
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
