"""Real-time rights and quiet: what the clock process asks of the system.

Threads and processes: call at the start of the clock process, from its main thread; `hurry` and `calm_down` in the
watchdog while it starts one.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from pathlib import Path

PRIORITY = 10
_PR_SET_TIMERSLACK = 29


def become_realtime() -> bool:
    """SCHED_FIFO, not inherited by children; False where the system does not grant it or does not know it."""
    return _schedule("SCHED_FIFO", getattr(os, "SCHED_RESET_ON_FORK", 0), PRIORITY)


def hurry() -> None:
    """SCHED_FIFO for this process and what it starts, where granted: music waits for it to come up. Calm down soon."""
    _schedule("SCHED_FIFO", 0, PRIORITY)


def calm_down() -> None:
    """Back to ordinary priority."""
    _schedule("SCHED_OTHER", 0, 0)


def _schedule(policy: str, flags: int, priority: int) -> bool:
    try:
        os.sched_setscheduler(0, getattr(os, policy) | flags, os.sched_param(priority))
    except (AttributeError, OSError):
        return False
    return True


def sharpen_timers() -> None:
    """Let Linux wake this thread within a microsecond of the moment asked for, rather than 50."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1000, 0, 0, 0)


def name_process(name: str) -> None:
    """Give this process a name (15 letters at most) that `ps` and `top` show, where the system can."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/comm").write_text(name[:15], encoding="ascii")


def freeze_garbage() -> None:
    """No garbage collection from now on: the loop makes no cycles, and a collection costs milliseconds."""
    gc.collect()
    gc.freeze()
    gc.disable()
