"""What the tests of the extension share: the add-on's core without Blender, the Blenders of this machine, a film."""

import functools
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
ADDON = ROOT / "plugins" / "blender"
sys.path.insert(0, str(HERE))

from fake_bridge import FakeBridge  # noqa: E402

VENVS = Path(os.environ.get("HITPOINT_BPY", tempfile.gettempdir()))
HOSTS = {"4.2": VENVS / "bpy42", "4.5": VENVS / "bpy45", "5.0": VENVS / "bpy50"}
NO_SOUND = {"4.2"}  # the 4.2 wheel is built without audio: strips of sound cannot be added there


def _import_core() -> None:
    """The add-on as the package `hitpoint_blender`: its __init__ needs Blender only when it is registered."""
    spec = importlib.util.spec_from_file_location(
        "hitpoint_blender", ADDON / "__init__.py", submodule_search_locations=[str(ADDON)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["hitpoint_blender"] = module
    spec.loader.exec_module(module)


_import_core()


@functools.cache
def _version(program: str) -> tuple[int, ...]:
    words = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60).stdout.split()
    return tuple(map(int, words[1].split(".")[:2]))


def command(host: str) -> list[str]:
    """How to run a script in this Blender; skips where it is not installed."""
    if host == "3.4":
        found = shutil.which("blender")
        if found is None:
            pytest.skip("no `blender` on the PATH (Debian: apt-get install blender)")
        if _version(found) < (3, 4):
            pytest.skip(f"{found} is older than 3.4")
        return [found, "-b", "--factory-startup", "--python-exit-code", "1", "-P"]
    python = HOSTS[host] / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no bpy {host} in {HOSTS[host]}: run tests/plugins/blender/setup.sh")
    return [str(python)]


def run_script(host: str, script: str, *arguments: object, timeout_s: float = 180, **environment: str) -> dict:
    """Run HERE/script in the Blender `host`; its RESULT line, parsed."""
    start = command(host)
    separator = ["--"] if start[-1] == "-P" else []
    done = subprocess.run(
        [*start, str(HERE / script), *separator, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env={**os.environ, **environment},
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert done.returncode == 0 and lines, f"Blender {host}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return json.loads(lines[-1].removeprefix("RESULT "))


def make_film(path: Path, seconds: float = 10, fps: str = "24", size: str = "160x90") -> Path:
    """A moving test picture with ffmpeg."""
    source = f"testsrc2=s={size}:r={fps}:d={seconds}"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", path], check=True
    )
    return path


@pytest.fixture(scope="session")
def media(tmp_path_factory) -> Path:
    """A folder with film.mp4 (24), film30.mp4, film23.mp4 (24/1.001), tone.wav, and three stills."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg on the PATH")
    folder = tmp_path_factory.mktemp("media")
    make_film(folder / "film.mp4")
    make_film(folder / "film30.mp4", 5, "30")
    voice = ["-i", str(folder / "film.mp4"), "-f", "lavfi", "-i", "sine=d=10", "-c:v", "copy", str(folder / "talk.mp4")]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *voice], check=True)
    make_film(folder / "film23.mp4", 5, "24000/1001")
    quiet = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i"]
    subprocess.run([*quiet, "sine=d=5", folder / "tone.wav"], check=True)
    subprocess.run([*quiet, "testsrc2=s=160x90:r=24:d=0.125", folder / "still%03d.png"], check=True)
    return folder


@pytest.fixture
def fake(tmp_path) -> FakeBridge:
    """A well-behaved bridge on a free port."""
    bridge = FakeBridge(tmp_path)
    yield bridge
    bridge.close()
