"""Blender and the real bridge: `hitpoint serve` with its composer, and the example film."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mido
import pytest
from conftest import NO_SOUND, ROOT, command, run_script

FILM = ROOT / "examples" / "film.mp4"
CHECKPOINT = ROOT / "model" / "checkpoints" / "default.safetensors"
HITPOINT = Path(sys.executable).with_name("hitpoint")
START, END = 11, 251
CUTS = [11 + 83, 11 + 133, 11 + 204]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Serve:
    """`hitpoint serve` as a process of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        options = [
            "--port",
            str(port),
            "--midi-port",
            "none",
            "--no-synth",
            "--no-realtime",
            "--no-revive",
            "--no-screen",
        ]
        self.port = port
        self._log = (folder / "serve.log").open("ab")
        self.process = subprocess.Popen(
            [HITPOINT, "serve", *options, "--state-dir", folder / "state"], stdout=self._log, stderr=self._log
        )

    def kill(self, how: int = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    if not (FILM.exists() and CHECKPOINT.exists() and HITPOINT.exists()):
        pytest.skip("no example film, no checkpoint or no installed hitpoint")
    folder = tmp_path_factory.mktemp("real")
    shutil.copy(FILM, folder / "film.mp4")
    return folder


@pytest.fixture(scope="module")
def serve(place):
    running = Serve(place, free_port())
    yield running
    running.kill()


def looks_right(picture: dict, host: str, name: str) -> None:
    """The strip on its frames; a marker where each cut is heard, which the plan lets be up to 40 ms from it, a frame;
    all bars within the cut, the first one at its start."""
    music = [strip for strip in picture["strips"] if strip[1] == "SOUND"]
    assert music == ([] if host in NO_SOUND else [[name, "SOUND", 1, START, END]])
    frames = dict(picture["markers"])
    assert frames[START].startswith("♪ 1") and all(START <= frame <= END for frame in frames)
    for cut in CUTS:
        near = [words for frame, words in frames.items() if abs(frame - cut) <= 1]
        assert any("cut" in words for words in near), frames


@pytest.mark.parametrize("host", ["3.4", "4.2", "4.5", "5.0"])
def test_the_example_film(host, place, serve):
    found = run_script(host, "script_real.py", place, serve.port, "score")
    assert found["connected"] and found["finished"] and found["undone"]
    looks_right(found["after"], host, "♪ Take A")
    assert found["finished take"] and found["take midi"] != found["midi"]
    looks_right(found["take"], host, "♪ Take B")
    assert found["finished regenerate"] and found["finished back"]
    looks_right(found["regenerated"], host, "♪ Take B")
    looks_right(found["back"], host, "♪ Take A")
    assert found["error"] == "" or host in NO_SOUND
    assert mido.MidiFile(found["midi"]).length == pytest.approx(10.0, abs=0.01)


def test_two_blenders_at_once(place, serve, tmp_path):
    """Each gets its own score into its own file, though one bridge writes both."""
    shutil.copy(FILM, tmp_path / "film.mp4")
    hosts = {"4.5": place, "5.0": tmp_path}
    for host in hosts:
        command(host)
    with ThreadPoolExecutor() as pool:
        rows = [
            pool.submit(run_script, host, "script_real.py", folder, serve.port, "score")
            for host, folder in hosts.items()
        ]
        both = [row.result() for row in rows]
    for host, found in zip(hosts, both, strict=True):
        assert found["finished"] and found["finished back"] and found["undone"] and found["error"] == ""
        looks_right(found["after"], host, "♪ Take A")
        looks_right(found["take"], host, "♪ Take B")
    assert both[0]["midi"] != both[1]["midi"]


def test_the_bridge_killed_and_started_again_in_the_middle(place, tmp_path):
    port = free_port()
    command("5.0")
    running = Serve(tmp_path, port)
    shutil.copy(FILM, tmp_path / "film.mp4")
    script = [*command("5.0"), str(Path(__file__).with_name("script_real.py")), str(tmp_path), str(port), "kill"]
    blender = subprocess.Popen(script, stdout=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while not (tmp_path / "kill").exists() and time.monotonic() < end and blender.poll() is None:
        time.sleep(0.05)
    running.kill(signal.SIGKILL)
    time.sleep(4)
    running = Serve(tmp_path, port)
    try:
        words, _ = blender.communicate(timeout=200)
    finally:
        blender.kill()
        running.kill()
    import json

    found = json.loads([line for line in words.splitlines() if line.startswith("RESULT ")][-1][7:])
    assert found["composing"] and found["away"] and found["finished"] and found["error"] == ""
    looks_right(found["after"], "5.0", "♪ Take A")


def test_a_click_without_a_bridge_starts_it(place, tmp_path):
    shutil.copy(FILM, tmp_path / "film.mp4")
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    path = f"{HITPOINT.parent}:{os.environ['PATH']}"
    found = run_script("5.0", "script_real.py", tmp_path, free_port(), "start", PATH=path, **home)
    assert found["finished"] and found["error"] == "" and found["bridge"]
    looks_right(found["after"], "5.0", "♪ Take A")
    end = time.monotonic() + 15
    while time.monotonic() < end and Path(f"/proc/{found['bridge']}").exists():
        time.sleep(0.1)
    with contextlib.suppress(ProcessLookupError):
        os.kill(found["bridge"], 0)
        pytest.fail("the bridge that Blender started outlived it")
