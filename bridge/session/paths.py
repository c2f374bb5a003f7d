"""Which files a client may name: those in the folders that the bridge may read, whatever the message they stand in.

Threads and processes: the clock process. Pure, but that paths are resolved on the disk.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from pathlib import Path, PurePath

from hitpoint.bridge.osc.protocol import ProtocolError
from hitpoint.model.plan.wishes.options import names_file


def wishes_told(rest: Sequence[object], roots: Sequence[Path]) -> tuple[tuple[str, str], ...]:
    """The pairs of key and value at the end of a request, their paths resolved.

    Raises ProtocolError for half a pair, and for a path outside of `roots`.
    """
    if len(rest) % 2:
        raise ProtocolError("arguments", "the wishes must come as pairs of key and value")
    pairs = [(str(key), written(value)) for key, value in zip(rest[::2], rest[1::2], strict=True)]
    return tuple(
        (key, allowed_path(value, roots) if (key == "library" and value) or names_file(key, value) else value)
        for key, value in pairs
    )


def written(value: object) -> str:
    """A value of an OSC message as a person would write it, since wishes are read as on the command line: hosts send
    whole numbers as floats (a seed of 7.0 is 7), switches as true and false, and most of them floats of 32 bits, in
    which .7 is .699999988.
    """
    if isinstance(value, bool):
        return str(int(value))
    if not isinstance(value, float):
        return str(value)
    if value.is_integer():
        return str(int(value))
    short = float(f"{value:.7g}")
    return repr(short if _single(short) == value else value)


def _single(value: float) -> float:
    """The float of 32 bits next to `value`; inf beyond them."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.inf


def allowed_path(text: str, roots: Sequence[Path]) -> str:
    """The path, resolved; ProtocolError where it leaves the allowed folders (links and .. followed)."""
    path = Path(text)
    if "\0" in text or not path.is_absolute():
        raise ProtocolError("path", f"{text!r} is not an absolute path")
    if calls_a_stranger(path, roots):
        raise ProtocolError("path", f"{text!r} lies on another machine, outside the folders that the bridge may read")
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError, ValueError):
        raise ProtocolError("path", f"{text!r} cannot be resolved") from None
    if not any(resolved.is_relative_to(root) for root in roots):
        raise ProtocolError(
            "path", f"{resolved} lies outside the folders that the bridge may read: start it with --root FOLDER"
        )
    return str(resolved)


def calls_a_stranger(path: PurePath, roots: Sequence[PurePath]) -> bool:
    r"""Whether it names a machine (\\server\share, on Windows) that no root lies on: even to look there would block the
    music, and tell that machine who we are."""
    return path.drive.startswith("\\\\") and path.drive.lower() not in {root.drive.lower() for root in roots}
