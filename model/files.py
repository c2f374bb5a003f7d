"""Output files that appear whole or not at all, the hash by which a file is known, and archives of which nothing is
believed."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hitpoint.model.errors import HitpointError, MissingError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLACE_TRIES, PLACE_AGAIN_S = 25, 0.02


def check_output(path: Path, force: bool = False) -> None:
    """Raise UsageError if `path` cannot be written: no such folder, no permission, or it is there and not `force`."""
    folder = path.parent
    if not folder.is_dir():
        raise UsageError(f"the folder {folder} of {path.name} does not exist; make it or choose another")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"the folder {folder} is not writable; choose another for {path.name}")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file")
    if path.exists() and not force:
        raise UsageError(f"{path} exists; add --force to replace it, or choose another name")


def file_sha256(path: Path, is_wanted: Callable[[], bool] = lambda: True) -> str:
    """SHA-256 of a file, in hex; of what was read of it when `is_wanted` said no. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while is_wanted() and (piece := file.read(1 << 20)):
            digest.update(piece)
    return digest.hexdigest()


def read_arrays(path: Path, most_bytes: int) -> dict[str, NDArray[Any]]:
    """All arrays of an archive (.npz) by name.

    Raises OSError where it cannot be read, and ValueError where it is damaged (zip, numpy's headers and the compressed
    bytes each have errors of their own for that) or unpacks to more than `most_bytes`.
    """
    import zipfile

    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > most_bytes:
            raise ValueError(f"it unpacks to {unpacked} bytes")
        with np.load(path, allow_pickle=False) as members:
            return {name: members[name] for name in members.files}
    except (OSError, ValueError):
        raise
    except Exception as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


@contextmanager
def atomic(path: Path, force: bool = False) -> Iterator[Path]:
    """A temporary name beside `path`, with its ending, to write to; renamed to `path` when the block ends well.

    Whatever is raised inside, the temporary file is removed and an older `path` stays as it was.
    Raises UsageError as `check_output`, and where the folder refuses; MissingError when the disk is full.
    """
    check_output(path, force)
    try:
        with whole(path) as part:
            yield part
    except OSError as error:
        raise _explain(error, path) from error


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """As `atomic`, for files that are the program's own: nothing is checked, and OSError is raised as it comes."""
    part = path.with_name(f".{path.stem[:80]}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield part
        with part.open("rb+") as file:
            flush(file.fileno())  # or a power cut may leave the new name with nothing in it, and the old file gone
        put_in_place(part, path)
    finally:
        part.unlink(missing_ok=True)


def flush(number: int) -> None:
    """Have what an open file or folder holds on the disk itself; on macOS that is more than fsync. Raises OSError."""
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # a disk that knows nothing of it
            fcntl.fcntl(number, fcntl.F_FULLFSYNC)
            return
    os.fsync(number)


def put_in_place(part: Path, path: Path, platform: str = sys.platform) -> None:
    """Rename `part` to `path`, which may be there. On Windows nobody can while somebody just reads `path`: tried again
    for half a second. Raises OSError."""
    for _ in range(PLACE_TRIES if platform == "win32" else 0):
        with suppress(PermissionError):
            part.replace(path)
            return
        time.sleep(PLACE_AGAIN_S)
    part.replace(path)


def _explain(error: OSError, path: Path) -> HitpointError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MissingError(f"the disk is full, so {path} could not be written; free some space")
    return UsageError(f"cannot write {path} ({error.strerror or error}); choose another folder")
