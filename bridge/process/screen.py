"""The live screen of `hitpoint serve`: connection, playhead, bars ahead, lateness, last error.

Threads and processes: owned by the watchdog's thread, which calls `show` in each round.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from hitpoint.bridge.ipc.supervision import Heartbeat

EVERY_S = 0.25
LATE_WARNING_MS = 4.0


class Screen:
    """Draws the bridge's state in place."""

    def __init__(self, address: str, console: Console | None = None) -> None:
        self._address = address
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._next_s = 0.0

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._live.stop()

    def show(self, beat: Heartbeat | None, restarts: dict[str, int]) -> None:
        """Draw, at most every EVERY_S."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + EVERY_S
        self._live.update(self.draw(beat, restarts), refresh=True)

    def draw(self, beat: Heartbeat | None, restarts: dict[str, int]) -> Panel:
        """The screen's content."""
        title = f"hitpoint · listening on {self._address} · Ctrl-C ends"
        if beat is None:
            return Panel(Text("starting …"), title=title)
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold")
        table.add_column()
        for name, value in _rows(beat, restarts):
            table.add_row(name, value)
        parts: list[Table | Text] = [table]
        if beat.last_error:
            parts.append(Text(f"last error: {beat.last_error}", style="red"))
        return Panel(Group(*parts), title=title)


def _rows(beat: Heartbeat, restarts: dict[str, int]) -> list[tuple[str, str | Text]]:
    clients = ", ".join(beat.clients) if beat.clients else "nobody yet: send /hitpoint/hello"
    late = Text(f"p50 {beat.late_p50_ms:.2f}  p99 {beat.late_p99_ms:.2f}  max {beat.late_max_ms:.2f} ms")
    if beat.late_p99_ms > LATE_WARNING_MS:
        late.stylize("yellow")
    priority = "real-time priority" if beat.realtime else "ordinary priority (see hitpoint doctor)"
    speed = f" × {beat.rate:g}" if beat.rate not in (0.0, 1.0) else ""
    music = f"{beat.job}, take {beat.take}: {beat.bars_ready} of {beat.bars} bars" if beat.job else "none yet"
    died = ", ".join(f"{name} {count}×" for name, count in restarts.items() if count)
    rows: list[tuple[str, str | Text]] = [
        ("state", beat.state),
        ("clients", clients),
        ("MIDI", f"{beat.midi_port}, {beat.sent} notes sent, {priority}"),
        ("music", music),
        ("playhead", f"{beat.media_s:9.3f} s{speed}, bar {beat.bar}, {beat.bars_ahead} bars ahead"),
        ("lateness", late),
        ("underruns", str(beat.underruns)),
        ("refused", f"{beat.refused} messages"),
    ]
    if died:
        rows.append(("restarted", died))
    return rows
