"""Tasks on a cluster of somebody else's, whose scheduler is lost and comes back."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mido
import pytest

from hitpoint.bridge.batch.pool import open_pool
from hitpoint.bridge.batch.reading import on_cluster
from hitpoint.bridge.errors import HitpointError
from hitpoint.model.data.build import BLOCK, build, read_block

pytest.importorskip("distributed")


def doubled(number: int) -> int:
    if number < 0:
        raise ValueError(f"{number} is below 0")
    return 2 * number


@contextlib.contextmanager
def cluster(port: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A scheduler and a worker of Dask's own programs."""
    scheduler = ("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    worker = ("worker", f"tcp://127.0.0.1:{port}", "--no-nanny", "--nthreads", "1", "--no-dashboard")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    running = [
        subprocess.Popen([sys.executable, "-m", "dask", *command], env=environment, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
        for command in (scheduler, worker)
    ]  # fmt: skip
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_a_scheduler_that_comes_back_costs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found: dict[int, object] = {}
    with contextlib.ExitStack() as later, cluster(port) as first:
        _wait_for_port(port)
        with open_pool(doubled, 1, f"tcp://127.0.0.1:{port}") as pool:
            for number, result in pool.run([*range(6), -1]):
                found[number] = result
                if number == 2:
                    for process in first:
                        process.send_signal(signal.SIGKILL)
                        process.wait()
                    later.enter_context(cluster(port))
    wrong = found.pop(-1)
    assert found == {number: 2 * number for number in range(6)}
    assert isinstance(wrong, HitpointError) and "ValueError: -1 is below 0; a fault of the program" in str(wrong)


def test_shards_are_the_same_whoever_reads_the_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "midi"
    folder.mkdir()
    for number in range(BLOCK + 3):
        write_midi(folder / f"pop {number:02}.mid", number)
    (folder / "rock 7.mid").write_bytes(b"MThd, but no music")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with cluster(port):
        _wait_for_port(port)
        far = build([folder], tmp_path / "far", reading=on_cluster(f"tcp://127.0.0.1:{port}"))
    near = build([folder], tmp_path / "near", reading=lambda jobs: iter(read_block(jobs)))
    assert far == near and far["taken"] == BLOCK + 3
    for name in ("notes.npy", "labels.npy", "pieces.json"):
        assert (tmp_path / "far" / name).read_bytes() == (tmp_path / "near" / name).read_bytes()


def write_midi(path: Path, number: int) -> None:
    """Eight bars of a scale for the piano, each file another one."""
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    file.tracks.append(track)
    for beat in range(32):
        pitch = 48 + (number + beat * 7) % 24
        track.append(mido.Message("note_on", note=pitch, velocity=60 + beat))
        track.append(mido.Message("note_off", note=pitch, velocity=0, time=480))
    file.save(path)


def _wait_for_port(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError("Dask's scheduler does not start")
