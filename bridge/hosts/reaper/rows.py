"""The small text files that a host without sockets exchanges with the bridge: rows of tab-separated fields.

Threads and processes: no state, callable from any; standard library only.
The first row is "hitpoint", the format's number and the file's kind; the last is "end" and the number of rows above
it; "%", tab and line ends inside a field are written %XX. A field is bytes to the scripts; what of it is no UTF-8 (odd
file names, MIDI messages) Python holds as `os.fsdecode` does. Files are written under another name and renamed.

The folder may be one that others can write to: names that are written to first cannot be guessed, no link is followed,
what is written only its owner may read, and only plain files of this user's are read.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

FORMAT = "2"
MAX_BYTES = 16 * 1024 * 1024

Field = str | int | float | bytes
Row = Sequence[str]


class RowsError(ValueError):
    """The file is not whole, or not of this format; the text is a sentence for the user."""


def encode(kind: str, rows: Iterable[Sequence[Field]]) -> str:
    """The text of a file of `kind`. Floats keep nanoseconds."""
    lines = ["\t".join(("hitpoint", FORMAT, kind))]
    lines += ["\t".join(_escape(field) for field in row) for row in rows]
    lines.append(f"end\t{len(lines)}")
    return "\n".join(lines) + "\n"


def decode(text: str, kind: str) -> list[list[str]]:
    """The rows between head and end. Raises RowsError where the text is cut off, of another kind or another format."""
    rows = [[_unescape(field) for field in line.split("\t")] for line in text.split("\n")]
    head = rows[0]
    if len(head) != 3 or head[0] != "hitpoint" or head[2] != kind:
        raise RowsError(f"this is not one of Hitpoint's {kind} files")
    if head[1] != FORMAT:
        raise RowsError(f"the scripts write file format {head[1]}, this bridge reads {FORMAT}: update the older one")
    if len(rows) < 3 or rows[-1] != [""] or rows[-2] != ["end", str(len(rows) - 2)]:
        raise RowsError(f"the {kind} file is cut off; run the action again")
    return rows[1:-2]


def write(path: Path, kind: str, rows: Iterable[Sequence[Field]]) -> None:
    """Write the file whole or not at all. Raises OSError (on Windows also while somebody reads the old one)."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(part, flags, 0o600), "wb") as file:
            file.write(encode(kind, rows).encode("utf-8", "surrogateescape"))
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def read(path: Path, kind: str) -> list[list[str]]:
    """The rows of a file. Raises RowsError as `decode`, and where it is not a plain file of this user's; OSError where
    it cannot be read."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if path.is_symlink():
        raise RowsError(f"the {kind} file is a link; it must be a plain file")
    with os.fdopen(os.open(path, flags), "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise RowsError(f"the {kind} file is not a plain file")
        if hasattr(os, "getuid") and about.st_uid != os.getuid():
            raise RowsError(f"the {kind} file belongs to another user")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise RowsError(f"the {kind} file is larger than {MAX_BYTES >> 20} MiB")
    return decode(data.decode("utf-8", "surrogateescape"), kind)


def as_bytes(field: str) -> bytes:
    """A field that holds no text."""
    return field.encode("utf-8", "surrogateescape")


def _escape(field: Field) -> str:
    if isinstance(field, bytes):
        field = field.decode("utf-8", "surrogateescape")
    text = f"{field:.9f}" if isinstance(field, float) else str(field)
    return re.sub(r"[%\t\r\n]", lambda match: f"%{ord(match[0]):02X}", text)


def _unescape(field: str) -> str:
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), field)
