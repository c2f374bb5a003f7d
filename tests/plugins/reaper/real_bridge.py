"""The real bridge as the emulated REAPER starts it, and a film made by ffmpeg."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hitpoint.bridge.hosts.reaper import rows as file_rows
from tests.plugins.reaper.reaper_emulated import Reaper

REPO = Path(__file__).resolve().parents[3]


def make_film(path: Path, scenes: tuple[tuple[str, float], ...]) -> Path:
    """Test pictures of ffmpeg's, one after the other."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    inputs: list[str] = []
    for source, seconds in scenes:
        inputs += ["-f", "lavfi", "-t", str(seconds), "-i", f"{source}=size=320x180:rate=24"]
    joined = "".join(f"[{index}:v]setsar=1[v{index}];" for index in range(len(scenes)))
    joined += "".join(f"[v{index}]" for index in range(len(scenes))) + f"concat=n={len(scenes)}"
    command = ["ffmpeg", "-v", "error", "-y", *inputs, "-filter_complex", joined, "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(command, check=True, timeout=120)
    return path


def make_real_film(folder: Path) -> Path:
    """Twelve seconds with three cuts."""
    scenes = (("testsrc2", 3.0), ("mandelbrot", 3.5), ("smptebars", 2.5), ("testsrc", 3.0))
    return make_film(folder / "real film.mp4", scenes)


class Bridges:
    """What the emulated REAPER's ExecProcess starts: real processes, each ended at the test's end."""

    def __init__(self, reaper: Reaper, environment: dict[str, str]) -> None:
        self.reaper, self.environment = reaper, environment
        self.started: list[subprocess.Popen[bytes]] = []

    def start_wanted(self) -> None:
        for command in self.reaper.lua("local all = emu.exec emu.exec = {} return all"):
            words = [*shlex.split(command), "--no-screen", "--no-realtime"]
            log = (self.reaper.folder / f"bridge-{len(self.started)}.log").open("wb")
            self.started.append(subprocess.Popen(words, env=self.environment, cwd=REPO, stdout=log, stderr=log))

    def close(self) -> None:
        for process in self.started:
            process.send_signal(signal.SIGTERM)
        for process in self.started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prepare(tmp_path: Path, reaper: Reaper) -> Bridges:
    """A configuration of its own, and the command by which the scripts start the bridge."""
    config = tmp_path / "hitpoint.yaml"
    settings = {
        "port": free_port(),
        "midi_port": "none",
        "state_dir": str(tmp_path / "state"),
        "test_composer": "tests.plugins.reaper.fake_composer:RegeneratingComposer",
        "roots": [str(tmp_path.parent)],
        "synth": False,
    }
    config.write_text(json.dumps(settings))
    (reaper.folder / "Hitpoint").mkdir(parents=True)
    command = f"{shlex.quote(sys.executable)} -c 'from hitpoint.bridge.cli import main; main()'"
    file_rows.write(reaper.folder / "Hitpoint" / "bridge.txt", "bridge", [("command", command)])
    environment = {
        **os.environ,
        "HITPOINT_CONFIG": str(config),
        "PYTHONPATH": str(REPO),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    return Bridges(reaper, environment)
