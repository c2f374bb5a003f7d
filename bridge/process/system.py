"""What differs between systems: priorities, timers, locks, signals, other processes. Everything that only Linux, or
only some systems have stands here, and each function says what happens where it is lacking.

Threads and processes: no state, callable from any; standard library only.
With HITPOINT_PLAIN_SYSTEM=1 in the environment all of it is taken away: the bridge runs as it would on a system that
has none of it (for tests, since most editors' machines are not ours).
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

PLAIN = os.environ.get("HITPOINT_PLAIN_SYSTEM") == "1"
PRIORITY = 10
_PR_SET_TIMERSLACK = 29
_LINUX = sys.platform == "linux" and not PLAIN


# Priorities and timers.


def become_realtime() -> bool:
    """SCHED_FIFO, not inherited by children; False where the system does not grant it or does not know it."""
    return _schedule("SCHED_FIFO", getattr(os, "SCHED_RESET_ON_FORK", 0), PRIORITY)


def hurry() -> None:
    """SCHED_FIFO for this process and what it starts, where granted: music waits for it to come up. Calm down soon."""
    _schedule("SCHED_FIFO", 0, PRIORITY)


def calm_down() -> None:
    """Back to ordinary priority."""
    _schedule("SCHED_OTHER", 0, 0)


def knows_realtime() -> bool:
    """Whether the system has real-time priorities at all."""
    return hasattr(os, "sched_setscheduler") and not PLAIN


def _schedule(policy: str, flags: int, priority: int) -> bool:
    if not knows_realtime():
        return False
    try:
        os.sched_setscheduler(0, getattr(os, policy) | flags, os.sched_param(priority))
    except (AttributeError, OSError):
        return False
    return True


def sharpen_timers() -> None:
    """Let Linux wake this thread within a microsecond of the moment asked for, rather than 50, and Windows this process
    within a millisecond, rather than 16. Else: nothing."""
    if sys.platform == "win32" and not PLAIN:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.WinDLL("winmm").timeBeginPeriod(1)
    if _LINUX:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1000, 0, 0, 0)


def name_process(name: str) -> None:
    """Give this process a name (15 letters at most) that `ps` and `top` show, where the system can."""
    if _LINUX:
        with contextlib.suppress(OSError):
            Path("/proc/self/comm").write_text(name[:15], encoding="ascii")


def freeze_garbage() -> None:
    """No garbage collection from now on: the loop makes no cycles, and a collection costs milliseconds."""
    gc.collect()
    gc.freeze()
    gc.disable()


def thread_clock(thread: int) -> Callable[[], float] | None:
    """What tells the processor time (s) of the thread with this `threading.get_ident`; None where nothing can."""
    if PLAIN or not hasattr(time, "pthread_getcpuclockid"):
        return None
    number = time.pthread_getcpuclockid(thread)
    return lambda: time.clock_gettime(number)


# Files.


def lock(file: BinaryIO) -> bool:
    """Hold `file` for this process while it is open; False where another process holds it.

    Where the system has neither kind of lock, nothing is held.
    """
    try:
        if PLAIN:
            return True
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return True
    except OSError:
        return False
    return True


# Signals.


def on_end(stop: Callable[[], None], interrupt: bool = True) -> None:
    """Call `stop` when the user or the system asks this process to end: Ctrl-C (unless not `interrupt`), SIGTERM, and
    on Windows Ctrl-Break or a closed console, which reach children as well."""
    for name in ("SIGINT", "SIGTERM", "SIGBREAK")[0 if interrupt else 1 :]:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stop())


def ignore_interrupt() -> None:
    """Leave Ctrl-C, which reaches the whole group of processes, to their parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def on_suspend(suspend: Callable[[], None] | None, resume: Callable[[], None] | None = None) -> None:
    """Call `suspend` where the terminal's Ctrl-Z asks this process to stand still, and `resume` when it goes on.

    The process then has to call `stand_still` itself. Nothing where the system has no such signals.
    """
    if PLAIN or not hasattr(signal, "SIGTSTP"):
        return
    if suspend is not None:
        signal.signal(signal.SIGTSTP, lambda *_: suspend())
    if resume is not None:
        signal.signal(signal.SIGCONT, lambda *_: resume())


def stand_still() -> float:
    """Stop this process until it is told to go on; the seconds that took."""
    began_s = time.monotonic()
    if hasattr(signal, "SIGSTOP") and not PLAIN:
        os.kill(os.getpid(), signal.SIGSTOP)
    return time.monotonic() - began_s


def send_suspend(pid: int, go_on: bool = False) -> None:
    """Ask another process to stand still, or to go on."""
    name = "SIGCONT" if go_on else "SIGTSTP"
    if hasattr(signal, name) and not PLAIN:
        with contextlib.suppress(OSError):
            os.kill(pid, getattr(signal, name))


# Other processes.


@dataclass(frozen=True)
class ProcessTime:
    """How another process fares. cpu_s: processor time it got since it began; starved: it wants the processor, or the
    disk, right now.
    """

    cpu_s: float
    starved: bool


def knows_process_times() -> bool:
    """Whether `process_time` can tell one that hangs from one that others keep from the processor."""
    return _LINUX


def process_time(pid: int) -> ProcessTime | None:
    """How the process fares; None where the system does not say."""
    if not _LINUX:
        return None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return ProcessTime((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), fields[0] in "RD")
    except (OSError, ValueError, IndexError):
        return None


def start_apart(command: Sequence[str]) -> None:
    """Start a program that outlives this one and its terminal."""
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    subprocess.Popen(list(command), **options)


def start_again_without(hidden: Sequence[str], extra: dict[str, str]) -> None:
    """Become the same program with other arguments and more in its environment, which only this user can read; nothing
    where the system cannot. hidden: the arguments from now on."""
    if sys.platform == "win32" or PLAIN:
        return
    os.environ.update(extra)
    os.execv(sys.executable, [sys.executable, *hidden])
