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
