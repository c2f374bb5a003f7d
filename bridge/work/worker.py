"""One worker thread for what takes long, beside a main thread that must not wait.

Threads and processes: `do`, `feed`, `finished` and everything that `finished` returns belong to the main thread; a
piece of work runs in the worker, and gives back what is to follow by `then` (once, at its end) and `then_if_room`.
The main thread hands out one piece at a time, so that it can say first whose that is: a decoder may crash on a film.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import queue
import threading
from collections.abc import Callable

RESULTS = 256
WRITE_TURN, ANALYSE_TURN = 0, 1
"""What is nearly done goes before what is only begun with."""

Work = Callable[[], None]


class Worker:
    """Does one piece of work after the other. on_change: called in the main thread when it turns to another job."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.at = ""
        """The job whose work is being done; empty where there is none."""
        self._on_change = on_change
        self._waiting: list[tuple[int, int, str, Work, threading.Event]] = []
        self._numbers = itertools.count()
        self._next: queue.Queue[Work] = queue.Queue(1)
        self._results: queue.Queue[tuple[bool, Work]] = queue.Queue(RESULTS)
        threading.Thread(target=self._run, name="worker", daemon=True).start()

    def do(self, job: str, work: Work, turn: int, cancelled: threading.Event) -> None:
        """Queue a piece of work, which must not raise and ends by `then`; it is left out once `cancelled` is set."""
        heapq.heappush(self._waiting, (turn, next(self._numbers), job, work, cancelled))
        self.feed()

    def feed(self) -> None:
        """Hand out the next piece where there is one and none is being worked on."""
        while self._waiting and not self.at:
            _, _, job, work, cancelled = heapq.heappop(self._waiting)
            if not cancelled.is_set():
                self.at = job
                self._on_change()
                self._next.put(work)

    def then(self, follow: Work) -> None:
        """In the worker, at a piece's end: let the main thread call this; waits for room."""
        self._results.put((True, follow))

    def then_if_room(self, follow: Work) -> None:
        """In the worker: let the main thread call this, or not where it is behind: progress may be lost."""
        with contextlib.suppress(queue.Full):
            self._results.put_nowait((False, follow))

    def finished(self) -> Work | None:
        """What is to follow next, if anything."""
        try:
            ends, follow = self._results.get_nowait()
        except queue.Empty:
            return None
        if ends:
            self.at = ""
        return follow

    def _run(self) -> None:
        while True:
            self._next.get()()
