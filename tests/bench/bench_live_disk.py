"""Killed while it writes, and a disk that fills up: lost jobs, lost bars, half files.

    python tests/bench/bench_live_disk.py [--kills 6] [--full-disks 2] [--full]

Full length: 60 kills, 10 full disks. All three processes are killed (SIGKILL) at a random moment of three jobs, and a
new bridge on the same folder has to bring each of them to its end. The full disk is a small tmpfs, which only root can
mount. Baseline: the files that a writer without fsync and renaming leaves half when it is killed in the same way.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from live_bench import settings  # isort: skip
from live_kit import Bridge, Client, wait_for

from hitpoint.bridge.state.store import Store

BARS, JOBS, BAR_S = 16, 3, 0.02
FOLDER_KIB = 4096
PLAIN_WRITER = """
import itertools, sys
for number in itertools.count():
    with open(sys.argv[1], "w") as file:
        for _ in range(BARS):
            file.write("a bar of music, as text " * 400)
        file.write("end")
""".replace("BARS", str(BARS))


def heard(client, address, fits, seconds=30):
    """Whether such a message was heard, or comes in time."""

    def look():
        client.hear()
        return any(m.address == address and fits(m.arguments) for _, m in client.heard)

    with contextlib.suppress(AssertionError):
        return wait_for(look, seconds, address)
    return False


def killed_once(folder, dice):
    """(jobs begun before the kill, those lost after it, bars lost, half files)."""
    names = [f"job{number}" for number in range(JOBS)]
    with Bridge(folder, "--no-revive", midi_port="none", bar_s=BAR_S) as bridge, Client(bridge.port) as client:
        for name in names:
            client.score(name, f"/clips/{BARS}.mp4", wait=False)
        heard(client, "/hitpoint/bar", lambda bar: True)
        time.sleep(dice.uniform(0.0, 1.2 * JOBS * BARS * BAR_S))
        client.hear()
        begun = {m.arguments[0] for _, m in client.heard if m.address in ("/hitpoint/bar", "/hitpoint/result")}
        for pid in bridge.pids().values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        bridge.process.wait(10)
    store = Store(folder / "state")
    before = {name: store.load_bars(name, 0) for name in begun}
    lost, bars = set(), 0
    with Bridge(folder, "--no-revive", midi_port="none", bar_s=BAR_S) as bridge:
        with contextlib.suppress(AssertionError):
            wait_for(lambda: bridge.pids().get("composer") and not store.unfinished(), 60, "the rest", every=0.1)
        for name in begun:
            record, now = store.load(name), store.load_bars(name, 0)
            bars += sum(now.get(index) != bar for index, bar in before[name].items())
            whole = record is not None and all(
                Path(path).read_text().startswith(f"{BARS} bars") for files in record.results.values() for path in files
            )
            if not whole or not record.results or len(now) != BARS:
                lost.add(name)
        half = list((folder / "state").rglob("*.part*"))
    return len(begun), len(lost), bars, len(half)


def plain_writer(kills, dice):
    """Half files of a writer that takes no care."""
    half = 0
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "score.txt"
        for _ in range(kills):
            with subprocess.Popen([sys.executable, "-c", PLAIN_WRITER, str(path)]) as process:
                wait_for(path.exists, 20, "a file")
                time.sleep(dice.uniform(0.0, 0.2))
                process.kill()
            half += not path.read_text().endswith("end")
    return half


def full_once(folder, client, name):
    """A job on a full disk: (told, naming the folder; all bars heard meanwhile; the result once there is room)."""
    filler, place = folder / "filler", str(folder / "state" / "jobs" / name)
    with contextlib.suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(b"x" * 4096)
            file.flush()
    client.heard.clear()
    client.score(name, f"/clips/{BARS}.mp4", wait=False)
    told = heard(client, "/hitpoint/error", lambda e: e[0] == "disk" and "disk is full" in e[1] and place in e[1])
    music = heard(client, "/hitpoint/bar", lambda bar: tuple(bar[:2]) == (name, BARS - 1))
    filler.unlink()
    there = heard(client, "/hitpoint/result", lambda result: result[0] == name)
    return told, music, there and len(Store(folder / "state").load_bars(name, 0)) == BARS


def filled(folder, times):
    """What `full_once` finds, each summed over so many jobs."""
    with Bridge(folder, "--no-revive", midi_port="none") as bridge, Client(bridge.port) as client:
        wait_for(lambda: "the composer is ready" in bridge.log(), 60, "the composer")
        found = [full_once(folder, client, f"full{number}") for number in range(times)]
    return map(sum, zip(*found, strict=True))


def main():
    options = settings(__doc__, kills=(6, 60), full_disks=(2, 10))
    dice = random.Random(1)
    sums = [0, 0, 0, 0]
    for number in range(options.kills):
        with tempfile.TemporaryDirectory(prefix="hitpoint-disk-") as name:
            sums = [a + b for a, b in zip(sums, killed_once(Path(name), dice), strict=True)]
        print(f"  {number + 1} kills", end="\r", flush=True)
    begun, lost, bars, half = sums
    print(
        f"{options.kills} kills of all three: {begun} jobs begun, lost {lost}, bars lost {bars}, half files {half} (0)"
    )
    print(f"baseline, a plain writer: {plain_writer(options.kills, dice)} half files of {options.kills}")
    place = tempfile.mkdtemp(prefix="hitpoint-full-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={FOLDER_KIB}k", "tmpfs", place], check=False).returncode:
        print("full disks: not tried, this user may not mount a tmpfs")
        return
    try:
        told, music, results = filled(Path(place), options.full_disks)
        print(
            f"{options.full_disks} full disks: told {told}, music whole {music}, results when there was room {results}"
        )
    finally:
        subprocess.run(["umount", "-l", place], check=False)


if __name__ == "__main__":
    main()
