"""The clock that everything live is timed by: monotonic seconds, and a test clock that only moves when told.

Threads and processes: no state beside the test clock's; callable from any. On one machine the monotonic clock of every
process is the same, so moments may be passed between the bridge's processes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Where the moment comes from. Seconds, monotonic, of no particular origin."""

    def now(self) -> float:
        """This moment."""


def finest(platform: str = sys.platform) -> Callable[[], float]:
    """The monotonic clock that tells microseconds, the same in every process of the machine. On Windows
    `time.monotonic` moves in steps of 16 ms before Python 3.13."""
    return time.perf_counter if platform == "win32" else time.monotonic


class MonotonicClock:
    """The system's monotonic clock."""

    def __init__(self) -> None:
        self.now: Callable[[], float] = finest()
        """This moment, in seconds."""


class TestClock:
    """A clock that stands still until a test moves it."""

    __test__ = False

    def __init__(self, start_s: float = 1000.0) -> None:
        self.time_s = start_s

    def now(self) -> float:
        """This moment, in seconds."""
        return self.time_s

    def advance(self, seconds: float) -> None:
        """Let `seconds` (0 or more) go by."""
        self.time_s += seconds
