"""Measurements of clips kept on disk, found by what the film contains, never by its name."""

from __future__ import annotations

import contextlib
import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.files import read_arrays, whole
from hitpoint.model.video.damage import LOST_COLUMNS
from hitpoint.model.video.detectors.registry import registered
from hitpoint.model.video.features import Features

FOLDER_VARIABLE = "HITPOINT_CACHE_DIR"
"""Environment variable that puts the cache elsewhere; empty turns it off."""
SOURCE = Path(__file__).parent
MAX_BYTES = 512 << 20
"""The oldest entries go when the folder grows over this."""
MOST_UNPACKED = 4 << 30
"""Bytes of one entry, unpacked: more than ten hours of film."""


def folder() -> Path | None:
    """Where the entries lie, or None if the cache is off."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen is not None:
        return Path(chosen) / "analysis" if chosen else None
    import platformdirs

    return Path(platformdirs.user_cache_dir("hitpoint")) / "analysis"


def key(sha256: str, in_s: float, out_s: float | None, version: str) -> str:
    """Name of an entry: film content, in and out point, the version of the measurement with its parameters, and code.

    A version that somebody forgot to raise would hand out what an older program saw, so the program's own text counts.
    """
    return hashlib.sha256(f"{sha256} {in_s!r} {out_s!r} {version} {program()}".encode()).hexdigest()


@cache
def program() -> str:
    """Hash of all that measures: this folder's own source and the versions of the libraries that it stands on."""
    import cv2

    digest = hashlib.sha256(f"{cv2.__version__} {np.__version__}".encode())
    for path in sorted(SOURCE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def load(name: str) -> Features | None:
    """The entry, or None if there is none or it is damaged (which then is removed)."""
    place = folder()
    if place is None:
        return None
    path = place / f"{name}.npz"
    try:
        features = _unpacked(read_arrays(path, MOST_UNPACKED))
        if not _is_sound(features):
            raise ValueError(name)
        os.utime(path)  # the oldest by use go first
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    return features


def store(name: str, features: Features) -> None:
    """Keep an entry, whole or not at all; a folder that cannot be written only costs time, so it is not an error."""
    place = folder()
    if place is None:
        return
    try:
        place.mkdir(parents=True, exist_ok=True)
        with whole(place / f"{name}.npz") as part, part.open("wb") as file:
            np.savez_compressed(file, **_packed(features))  # type: ignore[arg-type]
        trim(place, MAX_BYTES)
    except OSError:
        return


def trim(place: Path, max_bytes: int) -> None:
    """Remove the entries used longest ago until the folder holds `max_bytes` or less."""
    entries = []
    for path in place.glob("*.npz"):
        with contextlib.suppress(OSError):
            entries.append((path.stat().st_mtime, path.stat().st_size, path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= max_bytes:
            return
        with contextlib.suppress(OSError):
            path.unlink()
        total -= size


def _packed(features: Features) -> dict[str, NDArray[Any]]:
    """Flat, as an archive wants it: "times_s", "end_s", "lost" and "detector.array"."""
    flat: dict[str, NDArray[Any]] = {
        "times_s": features.times_s,
        "end_s": np.asarray(features.end_s),
        "lost": features.lost,
    }
    for detector, arrays in features.arrays.items():
        flat |= {f"{detector}.{name}": array for name, array in arrays.items()}
    return flat


def _unpacked(flat: dict[str, NDArray[Any]]) -> Features:
    """The reverse of `_packed`. Raises KeyError or ValueError where `flat` is not of that form."""
    times_s, end_s, lost = flat.pop("times_s"), float(flat.pop("end_s")), flat.pop("lost")
    arrays: dict[str, dict[str, NDArray[Any]]] = {}
    for key, array in flat.items():
        detector, name = key.split(".")
        arrays.setdefault(detector, {})[name] = array
    return Features(times_s, end_s, arrays, lost)


def _is_sound(features: Features) -> bool:
    n, arrays = len(features.times_s), features.arrays
    return (
        n >= 2
        and features.lost.shape[1:] == (LOST_COLUMNS,)
        and set(arrays) == {detector.name for detector in registered()}
        and all(detector.is_sound(arrays[detector.name], n) for detector in registered())
        and bool(np.all(np.diff(features.times_s) > 0))
    )
