"""Lateness of the MIDI sent: 10,000 notes at 200 a second while torch burns every core, with and without SCHED_FIFO.

    python tests/bench/bench_live_lateness.py [--notes 1000] [--repeats 1] [--idle] [--full]

Full length: 10,000 notes. --idle: without the burning torch processes.

The clock process is the real one (its loop, its OSC socket, a JACK port of period 64); its parent is this script. The
baselines, run beside it under the same load: a bare loop with nothing but the timer and the port at the same priority
(what the machine itself costs), and a plain thread that sleeps until each note, where torch runs.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from live_bench import settings  # isort: skip
from live_fakes import plain_plan
from live_kit import JackServer, ends_with_us

from hitpoint.bridge.clock.transport import Transport
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.ipc.channel import Channel
from hitpoint.bridge.ipc.messages import BarsReady, Planned
from hitpoint.bridge.ipc.supervision import (
    LiveState,
    PortOpened,
    Quit,
    Restore,
)
from hitpoint.bridge.process import system
from hitpoint.bridge.process.clock_process import SPIN_S
from hitpoint.model.music.score import Bar, Note

RATE_PER_S = 200
BURN = """
import torch
torch.set_num_threads({threads})
layer = torch.nn.TransformerEncoderLayer(256, 8, 1024, batch_first=True)
x = torch.randn(4, 128, 256)
with torch.no_grad():
    while True:
        layer(x)
"""


def burners(threads):
    """A torch process of the composer's kind on `threads` threads."""
    return subprocess.Popen([sys.executable, "-c", BURN.format(threads=threads)], preexec_fn=ends_with_us())


def clock_child(osc_socket, sock, config, path):
    """The real clock loop; at its end every note's lateness goes to `path`."""
    from hitpoint.bridge.play import scheduler
    from hitpoint.bridge.process.clock_process import ClockLoop

    scheduler.LATENESS_KEPT = 1_000_000
    loop = ClockLoop(osc_socket, Channel(sock), config, "bench")
    loop.run()
    loop.end()
    Path(path).write_text("\n".join(map(str, loop._player._scheduler.lateness)))


def measure(notes, realtime, path):
    """Lateness in ms of `notes` notes (and their ends) from a clock process."""
    osc_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    osc_socket.bind(("127.0.0.1", 0))
    osc_socket.setblocking(False)
    channel, theirs = Channel.pair()
    config = Config(realtime=realtime, midi_name="HitpointBench")
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=clock_child, args=(osc_socket, theirs, config, path), daemon=True)
    process.start()
    theirs.close()
    bars = -(-notes // 16)
    plan = plain_plan(bars, bpm=RATE_PER_S / 4 * 60)
    every = tuple(Bar(i, tuple(Note(tick, 1, 40 + tick, 1, 80) for tick in range(16))) for i in range(bars))
    channel.send(Planned("bench", 0, 0, 0.0, 24.0, plan, (0, 0, 0, 0, 0)))
    for start in range(0, bars, 50):
        channel.send(BarsReady("bench", 0, 0, every[start : start + 50]))
    opened = False
    while not opened:
        channel.wait(30.0)
        opened = any(isinstance(message, PortOpened) for message in channel.receive())
    starts_s = time.monotonic() + 1.0
    live = LiveState(Transport(True, starts_s))
    channel.send(Restore(live))
    until = starts_s + notes / RATE_PER_S + 0.5
    while time.monotonic() < until:
        channel.wait(0.1)
        channel.receive()
    channel.send(Quit())
    process.join(10)
    osc_socket.close()
    return [1000 * float(line) for line in Path(path).read_text().split()]


def bare_child(path, notes):
    """A loop with the timer, the port, and nothing else; every note's lateness goes to `path`."""
    import rtmidi

    out = rtmidi.MidiOut(rtapi=rtmidi.API_UNIX_JACK, name="HitpointBare")
    out.open_virtual_port("out")
    system.become_realtime()
    system.sharpen_timers()
    system.freeze_garbage()
    late, starts_s = [], time.monotonic() + 1.0
    for number in range(notes):
        due_s = starts_s + number / RATE_PER_S
        time.sleep(max(0.0, due_s - time.monotonic() - SPIN_S))
        while time.monotonic() < due_s:
            pass
        out.send_message([0x90, 60, 80])
        late.append(time.monotonic() - due_s)
    Path(path).write_text("\n".join(map(str, late)))


def bare(notes, path):
    """Lateness in ms of the bare loop."""
    process = multiprocessing.get_context("spawn").Process(target=bare_child, args=(path, notes), daemon=True)
    process.start()
    process.join()
    return [1000 * float(line) for line in Path(path).read_text().split()]


def baseline(notes):
    """A plain thread beside torch in one process: the lateness of each note in ms."""
    code = f"""
import threading, time, rtmidi
exec('''{BURN.format(threads=2).split("with torch")[0]}''')
out = rtmidi.MidiOut(rtapi=rtmidi.API_UNIX_JACK, name="HitpointBase"); out.open_virtual_port("out")
late = []
def play():
    start = time.monotonic() + 1
    for n in range({notes}):
        due = start + n / {RATE_PER_S}
        time.sleep(max(0, due - time.monotonic()))
        out.send_message([0x90, 60, 80])
        late.append(time.monotonic() - due)
thread = threading.Thread(target=play); thread.start()
with torch.no_grad():
    while thread.is_alive():
        layer(x)
print(*late)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    return [1000 * float(word) for word in done.stdout.split()]


def row(name, late):
    late = sorted(late)
    p50, p95, p99 = (late[int(share * (len(late) - 1))] for share in (0.5, 0.95, 0.99))
    print(
        f"{name:34} n {len(late):6}  p50 {p50:7.3f}  p95 {p95:7.3f}  p99 {p99:7.3f}  max {late[-1]:8.3f} ms", flush=True
    )
    return p99


def main():
    options = settings(__doc__, notes=(1_000, 10_000), repeats=1, idle=False)
    cores = os.cpu_count() or 1
    print(f"JACK period 64, {RATE_PER_S} notes a second")
    p99 = {"bare": [], "FIFO": [], "no FIFO": [], "baseline": []}
    with JackServer(64):
        for _ in range(options.repeats):
            burning = [] if options.idle else [burners(cores)]
            time.sleep(3)
            try:
                p99["bare"].append(row("bare loop, FIFO", bare(min(options.notes, 2000), "/tmp/hitpoint-late.txt")))
                p99["FIFO"].append(row("clock process, FIFO", measure(options.notes, True, "/tmp/hitpoint-late.txt")))
                p99["no FIFO"].append(
                    row("clock process, ordinary", measure(options.notes, False, "/tmp/hitpoint-late.txt"))
                )
            finally:
                for process in burning:
                    process.kill()
                    process.wait()
            p99["baseline"].append(row("baseline: thread beside torch", baseline(min(options.notes, 2000))))
    medians = {name: statistics.median(values) for name, values in p99.items()}
    print(f"median p99: FIFO {medians['FIFO']:.3f} (target 0.5), ordinary {medians['no FIFO']:.3f} (target 4.0) ms;")
    print(
        f"a bare loop {medians['bare']:.3f}; the thread is {medians['baseline'] / medians['FIFO']:.0f}× later than FIFO"
    )
    print(f"load {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    assert threading.current_thread() is threading.main_thread()
    main()
