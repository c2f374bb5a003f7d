import json
import subprocess
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True, timeout=300)


def draw(path, *options, source="testsrc2", size="320x180", rate=24, seconds=2.0):
    """A film of libavfilter's own test picture; `options` go to the encoder."""
    separator = ":" if "=" in source else "="
    ffmpeg("-f", "lavfi", "-i", f"{source}{separator}s={size}:r={rate}:d={seconds}", *options, path)
    return path


THREE_SHOTS = (
    "[1]trim=duration=2.5,setpts=PTS-STARTPTS[b];[2]trim=duration=2.5,setpts=PTS-STARTPTS[c];"
    "[0][b][c]concat=n=3:v=1,format=yuv420p[v]"
)


def three_shots(path, *options, rate=30, size="160x90"):
    """A film of 7.0 s with cuts at 2.0 and 4.5; `options` go to the encoder."""
    each = f"s={size}:r={rate}"
    life = f"life={each}:mold=10:ratio=0.3:death_color=#C83232:life_color=#00ff00:seed=7"
    sources = [f"testsrc2={each}:d=2", f"mandelbrot={each}:start_scale=2", life]
    inputs = [word for source in sources for word in ("-f", "lavfi", "-i", source)]
    ffmpeg(*inputs, "-filter_complex", THREE_SHOTS, "-map", "[v]", *options, path)
    return path


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """`three_shots`, without loss: the film that others are made of."""
    return three_shots(tmp_path_factory.mktemp("base") / "base.mkv", "-c:v", "ffv1")


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    """Every test has a cache of its own, outside its other files."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HITPOINT_CACHE_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def film():
    return EXAMPLES / "film.mp4"


@pytest.fixture(scope="session")
def truth():
    return json.loads((EXAMPLES / "film.json").read_text(encoding="utf-8"))
