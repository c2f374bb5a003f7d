"""Films an hour: `hitpoint batch` with 1 and 2 workers beside `hitpoint score` in a loop, and what a known film costs.

    python tests/bench/bench_batch.py [--films 12] [--seconds 20] [--faults 40]

--faults: instead, so many films, one of them damaged, on two workers, of which one is killed in the middle; then once
more, beside the same films without either.

The films are drawn here (320x180, a cut every 4 s); analyses are not kept from run to run. "spent": processor seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import av
import numpy as np

HITPOINT = (sys.executable, "-c", "from hitpoint.bridge.cli import main; main()")
FPS = 24


def draw(path: Path, seed: int, seconds: float) -> None:
    """A square that crosses the picture, over another ground every 4 s."""
    grounds = np.random.default_rng(seed).integers(0, 200, (1 + int(seconds / 4), 3), dtype=np.uint8)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(int(FPS * seconds)):
            picture = np.full((180, 320, 3), grounds[int(number / FPS / 4)], np.uint8)
            left = (5 * number) % 280
            picture[60:100, left : left + 40] = 255
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)


def timed(*command: object) -> tuple[float, float]:
    """Wall-clock and processor seconds of a command and its children."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "HITPOINT_CACHE_DIR": cache}
        call = [*HITPOINT, *map(str, command)]
        subprocess.run(call, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - started, spent


def worker_of(batch: subprocess.Popen[bytes]) -> int | None:
    """The process of one of the batch's workers that is busy; None where there is none yet."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            below.setdefault(int((entry / "stat").read_text().rpartition(")")[2].split()[1]), []).append(
                int(entry.name)
            )
    found, waiting = [], [batch.pid]
    while waiting:
        for child in below.get(waiting.pop(), []):
            waiting.append(child)
            with contextlib.suppress(OSError):
                if "spawn_main" in (Path("/proc") / str(child) / "cmdline").read_text():
                    found.append(child)
    return found[-1] if found else None


def with_faults(folder: Path, films: Path, count: int) -> None:
    """Print what a damaged film and a killed worker cost."""
    out, table = folder / "faults", folder / "faults" / "results.csv"
    call = [*HITPOINT, "batch", str(films), "-o", str(out), "--workers", "2"]
    alone_s, _ = timed("batch", films, "-o", folder / "whole", "--workers", 2)
    whole = films / f"{count // 2:03}.mp4"
    whole.write_bytes(whole.read_bytes()[:3000])
    started, killed = time.perf_counter(), 0.0
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "HITPOINT_CACHE_DIR": cache}
        batch = subprocess.Popen(call, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while batch.poll() is None:
            time.sleep(0.1)
            done = len(list(out.rglob("*.mid")))
            if not killed and done >= count // 3 and (worker := worker_of(batch)) is not None:
                os.kill(worker, signal.SIGKILL)
                killed, at = time.perf_counter() - started, done
                print(f"a worker killed after {killed:.1f} s, with {at} films done")
        wall_s = time.perf_counter() - started
        with table.open(newline="") as file:
            states = Counter(row["state"] for row in csv.DictReader(file))
        print(f"{count} films of which one is damaged: exit code {batch.returncode}, {dict(states)}")
        print(f"{wall_s:.1f} s, beside {alone_s:.1f} s where nothing goes wrong")
        before = {path: path.stat().st_mtime_ns for path in out.rglob("*.mid")}
        again = time.perf_counter()
        subprocess.run(call, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        same = before == {path: path.stat().st_mtime_ns for path in out.rglob("*.mid")}
        print(f"once more: {time.perf_counter() - again:.1f} s, {'nothing' if same else 'something'} written again")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--faults", type=int, default=0)
    asked = parser.parse_args()
    if asked.faults:
        with tempfile.TemporaryDirectory() as place:
            films = Path(place) / "films"
            films.mkdir()
            for number in range(asked.faults):
                draw(films / f"{number:03}.mp4", number, asked.seconds)
            print(f"load {os.getloadavg()[0]:.1f}")
            with_faults(Path(place), films, asked.faults)
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        films = folder / "films"
        films.mkdir()
        for number in range(asked.films):
            draw(films / f"{number:03}.mp4", number, asked.seconds)

        def show(name: str, wall_s: float, spent_s: float) -> None:
            an_hour, each = 3600 * asked.films / wall_s, spent_s / asked.films
            print(f"{name:28} {an_hour:7.0f} films an hour, {each:6.2f} s spent a film, {wall_s:6.1f} s in all")

        loop = [timed("score", film, "-o", folder / f"{film.stem}.mid") for film in sorted(films.glob("*.mp4"))]
        print(f"{asked.films} films of {asked.seconds:g} s, load {os.getloadavg()[0]:.1f}")
        show("score in a loop", sum(wall for wall, _ in loop), sum(spent for _, spent in loop))
        for workers in (1, 2):
            show(
                f"batch, {workers} worker(s)", *timed("batch", films, "-o", folder / str(workers), "--workers", workers)
            )
        show("batch, all known already", *timed("batch", films, "-o", folder / "2", "--workers", 2))
        size = sum(path.stat().st_size for path in (folder / "2").rglob("*.mid"))
        kept = (folder / "2" / "batch.jsonl").stat().st_size
        print(f"{size / asked.films / 1000:.1f} kB of MIDI and {kept / asked.films / 1000:.1f} kB of ledger a film")


if __name__ == "__main__":
    main()
