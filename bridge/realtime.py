"""Real-time rights and quiet: what the clock process asks of the system.

Threads and processes: call once, at the start of the clock process, from its main thread.
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
    if not hasattr(os, "sched_setscheduler"):
        return False
    policy = os.SCHED_FIFO | getattr(os, "SCHED_RESET_ON_FORK", 0)
    try:
        os.sched_setscheduler(0, policy, os.sched_param(PRIORITY))
    except OSError:
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
