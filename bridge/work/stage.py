"""What the composing thread is at, and for how long: read by the thread that tells the watchdog.

Threads and processes: the main thread of the composer process enters and leaves; any thread asks. clock: tells the
processor time of the thread that enters, in seconds; None where the system cannot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from hitpoint.bridge.ipc.supervision import Pulse

LOAD_S, EDIT_S, BAR_S = 300.0, 120.0, 30.0
"""Processor time that loading, an edit and one bar may take; a bar also TIMES_SLOWEST as long as the slowest so far."""
TIMES_SLOWEST = 10.0
STEP_S = 4.0
"""Processor time for one step of a composer that counts its steps: a row of the network takes some milliseconds."""


class _Entered(NamedTuple):
    """A block that the thread is in. moment_s, cpu_s: when it began, by the wall's clock and by the processor's."""

    name: str
    moment_s: float
    cpu_s: float
    limit_s: float
    steps: Callable[[], int] | None


class Stage:
    """The stage of one thread. Empty while it waits for something to do."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._inner_clock = time.process_time if clock is None else time.thread_time
        self._now = _Entered("", 0.0, 0.0, 0.0, None)
        self._slowest_s = 0.0
        self._block: _Entered | None = None
        self._last_step = (0, 0.0, 0.0)

    @contextmanager
    def at(self, name: str, limit_s: float = BAR_S, steps: Callable[[], int] | None = None) -> Iterator[None]:
        """Within the block the thread is at `name`. Blocks may lie in each other: the outer one goes on afterwards.

        steps: counts what is done in it, step by step; where it never moves, the block is judged as a whole.
        """
        before = self._now
        limit_s = max(limit_s, TIMES_SLOWEST * self._slowest_s)
        self._now = _Entered(name, time.monotonic(), self._inner_clock(), limit_s, steps)
        try:
            yield
        finally:
            took_s, took_cpu_s = time.monotonic() - self._now.moment_s, self._inner_clock() - self._now.cpu_s
            if name == "bar":
                self._slowest_s = max(self._slowest_s, took_cpu_s)
            self._now = before._replace(  # the time spent in here is not the outer block's
                moment_s=before.moment_s + took_s, cpu_s=before.cpu_s + took_cpu_s
            )

    def pulse(self) -> Pulse:
        """Its state now: since its block began, or since its last step where it counts them."""
        block = self._now
        if not block.name:
            return Pulse("", 0.0, 0.0, block.limit_s)
        now_s, now_cpu_s = time.monotonic(), (self._clock or time.process_time)()
        whole = self._pulse(block.name, now_s - block.moment_s, now_cpu_s - block.cpu_s, block.limit_s)
        count = block.steps() if block.steps is not None else 0
        if block is not self._block:
            self._block, self._last_step = block, (count, 0.0, 0.0)
        if count != self._last_step[0]:
            self._last_step = (count, now_s, now_cpu_s)
        _, step_s, step_cpu_s = self._last_step
        if not step_s or whole.cpu_s > whole.limit_s:
            return whole
        return self._pulse(block.name, now_s - step_s, now_cpu_s - step_cpu_s, STEP_S)

    def _pulse(self, name: str, age_s: float, cpu_s: float, limit_s: float) -> Pulse:
        """Where the thread has no clock of its own, the process's counts what others do too; `age_s` is the most."""
        return Pulse(name, age_s, min(age_s, cpu_s) if self._clock is None else cpu_s, limit_s)
