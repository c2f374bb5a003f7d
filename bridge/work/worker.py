"""One worker thread for what takes long, beside a main thread that must not wait.

Threads and processes: `do`, `finished` and everything that `finished` returns belong to the main thread; `work` runs in
the worker, which gives back what is to follow by `then` and `then_if_room`. Both queues are bounded.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable

from hitpoint.bridge.errors import UsageError

WAITING = 16
RESULTS = 256


class Worker:
    """Does one piece of work after the other."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Callable[[], None]] = queue.Queue(WAITING)
        self._results: queue.Queue[Callable[[], None]] = queue.Queue(RESULTS)
        threading.Thread(target=self._run, name="worker", daemon=True).start()

    def do(self, work: Callable[[], None]) -> None:
        """Queue a piece of work, which must not raise. Raises UsageError where too much waits already."""
        try:
            self._waiting.put_nowait(work)
        except queue.Full:
            raise UsageError(f"{WAITING} jobs are waiting already; try again later") from None

    def then(self, follow: Callable[[], None]) -> None:
        """In the worker: let the main thread call this; waits for room."""
        self._results.put(follow)

    def then_if_room(self, follow: Callable[[], None]) -> None:
        """In the worker: let the main thread call this, or not where it is behind: progress may be lost."""
        with contextlib.suppress(queue.Full):
            self._results.put_nowait(follow)

    def finished(self) -> Callable[[], None] | None:
        """What is to follow next, if something is."""
        try:
            return self._results.get_nowait()
        except queue.Empty:
            return None

    def _run(self) -> None:
        while True:
            self._waiting.get()()
