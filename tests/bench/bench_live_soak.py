"""Playing for hours: two hours at ×8 on the test clock, then minutes in real time; memory and drift.

    python tests/bench/bench_live_soak.py [--hours 0.2] [--minutes 1] [--full]

Full length: two hours and 20 minutes. Baseline: the drift of a player that adds up beat lengths in whole milliseconds.
"""

from __future__ import annotations

import os
import tempfile
import time
import tracemalloc
from pathlib import Path

from live_bench import settings  # isort: skip
from live_fakes import plain_plan, telling_bar
from live_kit import RATE, Bridge, Client, JackServer, RemoteEars, notes_on
from recorder import drive

from hitpoint.bridge.clock.clock import TestClock
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.ipc.messages import BarsReady, Planned
from hitpoint.bridge.play.player import Player
from hitpoint.model.music.score import TempoMap, TempoPoint

BPM = 127.3


class Last:
    """A sink that keeps only the last note's moment, and counts."""

    name = "last"

    def __init__(self, clock):
        self.clock, self.last_s, self.count = clock, 0.0, 0

    def send(self, message):
        if message[0] == 0x90:
            self.last_s = self.clock.now()
            self.count += 1

    def close(self):
        pass


class Nobody:
    def on_beat(self, *unused):
        pass

    on_underrun = on_moved = on_playhead_lost = on_beat


def test_clock(hours):
    """Play at speed 8 on the test clock, following a 30 Hz playhead; (drift ms, notes, memory grown in KiB)."""
    clock = TestClock()
    sink = Last(clock)
    player = Player(clock, sink, Config(), Nobody())
    bar_s = 240.0 / BPM
    bars = int(hours * 3600 / bar_s)
    plan = plain_plan(bars, BPM)
    player.set_plan(Planned("soak", 0, 0, 0.0, 24.0, plan, (0, 0, 0, 0, 0)))
    for first in range(0, bars, 100):
        player.add_bars(BarsReady("soak", 0, 0, tuple(telling_bar(i) for i in range(first, min(first + 100, bars)))))
    start_s = clock.now()
    tracemalloc.start()
    grown = None
    while (media_s := 8 * (clock.now() - start_s)) < bars * bar_s:
        player.hear_playhead(clock.now(), media_s, True, 8.0, None)
        drive(player.tick, clock, 1 / 30)
        if grown is None and media_s > 300:
            grown = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - (grown or 0)
    tracemalloc.stop()
    due_s = start_s + TempoMap((TempoPoint(0.0, 0.0, BPM),)).time_at_tick(bars - 1, 12) / 8
    return 1000 * abs(sink.last_s - due_s), sink.count, grown / 1024


def resident_kib(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def real_time(minutes):
    """The whole bridge in real time, behind a host on JACK's clock, which slips where the server misses periods.

    Returns (drift in ms, p99 of the notes' distance from their place, periods that JACK missed, KiB grown per process,
    notes).
    """
    bars = int(minutes * 30) + 8
    folder = tempfile.mkdtemp(prefix="hitpoint-bench-")
    with JackServer(64), RemoteEars() as ears, Bridge(folder, "--no-revive") as bridge:  # noqa: SIM117
        with Client(bridge.port) as client:
            client.score(path=f"/clips/{bars}.mp4")
            ears.connect("Hitpoint:out")
            time.sleep(1)
            ears.take()
            start = ears.frame
            began, number, errors, before = time.monotonic(), 0, [], None
            while time.monotonic() - began < 60 * minutes:
                client.say("/hitpoint/time", (ears.frame - start) / RATE, 1)
                client.hear()
                client.heard.clear()
                number += 1
                time.sleep(max(0.0, began + number / 30 - time.monotonic()))
                if before is None and time.monotonic() - began > 20:
                    before = {name: resident_kib(pid) for name, pid in bridge.pids().items()}
                for at, channel, _, _ in notes_on(ears.take()):
                    if channel == 0:
                        off = (at - start) % (RATE // 2)
                        errors.append(1000 * (off if off < RATE // 4 else off - RATE // 2) / RATE)
            after, missed = {name: resident_kib(pid) for name, pid in bridge.pids().items()}, ears.xruns
    tenth = max(1, len(errors) // 10)
    first, last = sorted(errors[:tenth])[tenth // 2], sorted(errors[-tenth:])[tenth // 2]
    worst = sorted(map(abs, errors))[int(0.99 * (len(errors) - 1))]
    return last - first, worst, missed, {name: after[name] - (before or after)[name] for name in after}, len(errors)


def main():
    options = settings(__doc__, hours=(0.2, 2.0), minutes=(1.0, 20.0))
    drift_ms, notes, grown = test_clock(options.hours)
    naive = abs(round(60_000 / BPM) - 60_000 / BPM) * options.hours * 3600 * BPM / 60
    print(f"test clock ×8, {options.hours:g} h: {notes} notes, drift {drift_ms:.4f} ms (1), memory {grown:+.0f} KiB")
    print(f"baseline, whole milliseconds a beat: drift {naive:.0f} ms")
    drift_ms, worst_ms, missed, grown_by, notes = real_time(options.minutes)
    print(f"real time, {options.minutes:g} min: {notes} notes, drift {drift_ms:+.3f} ms (1), p99 {worst_ms:.1f} ms off")
    print(f"JACK missed {missed} periods; resident KiB grown {grown_by}; load {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
