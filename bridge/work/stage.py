"""What the composing thread is at, and for how long: read by the thread that tells the watchdog.

Threads and processes: the main thread of the composer process enters and leaves; any thread asks. clock: tells the
processor time of the thread that enters, in seconds; None where the system cannot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hitpoint.bridge.ipc.messages import Pulse

LOAD_S, EDIT_S, BAR_S = 300.0, 120.0, 30.0
"""Processor time that loading, an edit and one bar may take; a bar also TIMES_SLOWEST as long as the slowest so far."""
TIMES_SLOWEST = 10.0


class Stage:
    """The stage of one thread. Empty while it waits for something to do."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._now: tuple[str, float, float, float] = ("", 0.0, 0.0, 0.0)
        self._slowest_s = 0.0

    @contextmanager
    def at(self, name: str, limit_s: float = BAR_S) -> Iterator[None]:
        """Within the block the thread is at `name`. Blocks may lie in each other: the outer one goes on afterwards."""
        before = self._now
        limit_s = max(limit_s, TIMES_SLOWEST * self._slowest_s)
        self._now = (name, time.monotonic(), time.thread_time(), limit_s)
        try:
            yield
        finally:
            _, began_s, began_cpu_s, _ = self._now
            took_cpu_s = time.thread_time() - began_cpu_s
            if name == "bar":
                self._slowest_s = max(self._slowest_s, took_cpu_s)
            outer, outer_s, outer_cpu_s, outer_limit_s = before  # the time spent in here is not the outer block's
            self._now = (outer, outer_s + time.monotonic() - began_s, outer_cpu_s + took_cpu_s, outer_limit_s)

    def pulse(self) -> Pulse:
        """How it stands now."""
        name, began_s, began_cpu_s, limit_s = self._now
        if not name:
            return Pulse("", 0.0, 0.0, limit_s)
        age_s = time.monotonic() - began_s
        return Pulse(name, age_s, age_s if self._clock is None else self._clock() - began_cpu_s, limit_s)
