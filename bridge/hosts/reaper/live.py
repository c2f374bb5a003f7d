"""The playhead that a script without sockets writes to a file, as the bridge's own OSC messages.

Threads and processes: one owner, the thread of `requests.run`.
The script writes two files in turn, since one that is just being read cannot be replaced on Windows. Rows of each: on
0|1, count, time seconds, clock seconds (the script's steady clock, at that time), playing 0|1, rate, loop first last
(equal: no loop).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hitpoint.bridge.hosts.reaper import rows as file_rows
from hitpoint.bridge.hosts.reaper.rows import RowsError
from hitpoint.bridge.osc import codec

SILENT_S = 1.0
"""A script that has written nothing for so long is gone; the music stops."""


@dataclass
class Live:
    """The playhead as the script last told it. seen_s: monotonic seconds of its last change."""

    on: bool = False
    rows: dict[str, list[str]] = field(default_factory=dict)
    seen_s: float = 0.0
    loop: tuple[float, float] = (0.0, 0.0)

    def follow(self, paths: Sequence[Path], send: Callable[[bytes], None], now_s: float) -> None:
        """Read the files, and send what is new in the newer one."""
        rows = _read(max(paths, key=_written_ns))
        if rows is None or rows == self.rows:
            if self.on and now_s - self.seen_s > SILENT_S:
                self.on = False
                send(codec.encode("/hitpoint/stop"))
            return
        left_behind = not self.rows and rows["on"] != ["1"]  # by an earlier run
        self.rows, self.seen_s = rows, now_s
        if not left_behind:
            self._tell(send)

    def _tell(self, send: Callable[[bytes], None]) -> None:
        rows, was_on = self.rows, self.on
        self.on = rows["on"] == ["1"]
        loop = (float(rows["loop"][0]), float(rows["loop"][1]))
        if self.on and loop != self.loop:
            self.loop = loop
            send(codec.encode("/hitpoint/loop", *loop))
        if self.on:
            numbers = [float(rows[name][0]) for name in ("time", "rate", "clock")]
            send(codec.encode("/hitpoint/time", numbers[0], int(rows["playing"][0]), *numbers[1:]))
        elif was_on:
            send(codec.encode("/hitpoint/stop"))


def _written_ns(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return 0


def _read(path: Path) -> dict[str, list[str]] | None:
    """The rows by name; None where the file is not there, is just being written, or is not whole."""
    try:
        rows = {row[0]: row[1:] for row in file_rows.read(path, "live")}
        numbers = [rows[name][0] for name in ("on", "playing", "time", "rate", "clock")] + rows["loop"][:2]
        whole = len(numbers) == 7 and all(math.isfinite(float(number)) for number in numbers)
    except (OSError, RowsError, ValueError, KeyError, IndexError):
        return None
    return rows if whole and rows["playing"][0] in ("0", "1") else None
