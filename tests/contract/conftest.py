"""The command line in this process, with the fake composer; and small films made by ffmpeg."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hitpoint.bridge import cli
from hitpoint.model.output.render import SOUNDFONT


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `hitpoint ARGS` in an empty folder; the cache, configuration and state are this test's own."""
    config = tmp_path / "hitpoint.yaml"
    config.write_text("test_composer: tests.fakes:make_composer\n")
    monkeypatch.setenv("HITPOINT_CONFIG", str(config))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HITPOINT_SOUNDFONT", str(SOUNDFONT))  # whatever this system has: the same sound and no note
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*args: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["hitpoint", *map(str, args)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        captured = capsys.readouterr()
        code = caught.value.code
        return Result(code if isinstance(code, int) else 0 if code is None else 1, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 s at 24 frames a second with cuts at 2, 3.5 and 6 s, and something that moves."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg to make a film")
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    sources = ("testsrc2", "mandelbrot", "smptebars", "testsrc")
    lengths = (2.0, 1.5, 2.5, 2.0)
    inputs: list[str] = []
    for source, length in zip(sources, lengths, strict=True):
        inputs += ["-f", "lavfi", "-t", str(length), "-i", f"{source}=size=320x180:rate=24"]
    joined = "".join(f"[{index}:v]setsar=1[v{index}];" for index in range(4))
    joined += "".join(f"[v{index}]" for index in range(4)) + "concat=n=4:v=1[v]"
    command = ["ffmpeg", "-v", "error", *inputs, "-filter_complex", joined, "-map", "[v]", "-pix_fmt", "yuv420p", path]
    subprocess.run(command, check=True, timeout=120)
    return path
