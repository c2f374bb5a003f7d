"""Which files the page may see: films below the bridge's roots, what was uploaded, and what the bridge has written.

Threads and processes: one event loop, the page's; what takes long runs in processes of its own.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from hitpoint.bridge.batch.films import SUFFIXES
from hitpoint.bridge.errors import InputError, UsageError
from hitpoint.bridge.osc.protocol import ProtocolError
from hitpoint.bridge.session.paths import allowed_path
from hitpoint.model.music.score import INSTRUMENTS

MAX_UPLOAD_BYTES = 4 << 30
SPARE_BYTES = 1 << 30
"""What an upload leaves free on the disk."""
PATIENCE_S = 600.0
CALL = (sys.executable, "-c", "from hitpoint.bridge.cli import main; main()")


class Shelf:
    """roots: folders that films may lie in. uploads: the folder of those that were sent."""

    def __init__(self, roots: Sequence[Path], uploads: Path) -> None:
        self._roots = [*roots, uploads.resolve()]
        self.uploads = uploads
        self._written: set[Path] = set()

    def film(self, text: str) -> Path:
        """The film of this path. Raises UsageError where it is none or lies elsewhere, InputError where it is gone."""
        try:
            path = Path(allowed_path(text, self._roots))
        except ProtocolError as error:
            raise UsageError(str(error)) from error
        if path.suffix.lower() not in SUFFIXES:
            raise UsageError(f"{path.name} has no film's ending; rename it")
        if not path.is_file():
            raise InputError(f"there is no film {path}; check the path")
        return path

    def wrote(self, paths: Sequence[Path]) -> None:
        """The bridge says that these files are there."""
        self._written |= {path.resolve() for path in paths}

    def written(self, text: str) -> Path:
        """A file that the bridge has written, or one of the same take beside it. Raises UsageError."""
        path = Path(text).resolve() if "\0" not in text else Path()
        if path.is_file() and any(path == each or _is_of_take(path, each) for each in self._written):
            return path
        raise UsageError("the bridge has told of no such file; score the film first")

    def beside(self, midi: Path) -> list[Path]:
        """All files of a take."""
        return sorted(path for path in midi.parent.iterdir() if path == midi or _is_of_take(path, midi))

    async def upload(self, name: str, length: int, pieces: AsyncIterator[bytes]) -> Path:
        """Keep a film that is sent, of `length` bytes. Raises UsageError for no film, too large, cut short."""
        plain = Path(name).name
        if Path(plain).suffix.lower() not in SUFFIXES or plain != name or "\0" in name:
            raise UsageError(f"{name!r} is no film's name; send a film (.mp4, .mov, .mkv, …)")
        self.uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not 0 < length <= min(MAX_UPLOAD_BYTES, shutil.disk_usage(self.uploads).free - SPARE_BYTES):
            raise UsageError(f"{name} is empty or too large to be sent here; start hitpoint page with its path")
        path = next(each for number in range(1, 10_000) if not (each := self._numbered(plain, number)).exists())
        part, had = path.with_name(f".{path.name}.part"), 0
        try:
            with part.open("xb") as file:
                async for piece in pieces:
                    had += len(piece)
                    if had > length:
                        break
                    file.write(piece)
            if had != length:
                raise UsageError(f"{name} did not come whole; send it again")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    def _numbered(self, name: str, number: int) -> Path:
        path = self.uploads / name
        return path if number == 1 else path.with_stem(f"{path.stem}-{number}")

    async def look(self, film: Path) -> Any:
        """What `hitpoint analyse` says of the film. Raises InputError."""
        return json.loads(await _call(*CALL, "analyse", str(film), "--json", "-"))

    async def thumbnails(self, film: Path, count: int) -> bytes:
        """`count` frames side by side, as a JPEG. Raises InputError."""
        return await _call(sys.executable, "-m", "hitpoint.bridge.web.strip", str(film), str(count))

    async def proxy(self, film: Path) -> Path:
        """The film as every browser plays it, made once. Raises InputError, MissingError without ffmpeg."""
        from hitpoint.model.output.ffmpeg import find_ffmpeg

        self.uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
        stat = film.stat()
        path = self.uploads / f"{film.stem}-{stat.st_size:x}-{stat.st_mtime_ns:x}.proxy.mp4"
        if not path.exists():
            part = path.with_name(f".{path.name}.part.mp4")
            options = ("-vf", "scale=-2:'min(720,ih)'", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")
            try:
                await _call(find_ffmpeg(), "-v", "error", "-y", "-nostdin", "-i", str(film), *options, "-c:a", "aac",
                            "-movflags", "+faststart", str(part))  # fmt: skip
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        return path


def _is_of_take(path: Path, told: Path) -> bool:
    """Whether it lies beside a file of the bridge's and bears its name, with another ending or an instrument's."""
    stem = told.name.partition(".")[0]
    names = (f"{stem}.", *(f"{stem}-{instrument}." for instrument in INSTRUMENTS))
    return path.parent == told.parent and path.name.startswith(names)


async def _call(*command: str) -> bytes:
    """What a program writes to standard output. Raises InputError with the last line of what it says of an error."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, said = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    except asyncio.TimeoutError as error:
        raise InputError("the film took too long to look at; cut it shorter") from error
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        lines = said.decode("utf-8", "replace").strip().splitlines() or ["the program said nothing"]
        raise InputError(lines[-1].removeprefix("error: "))
    return out
