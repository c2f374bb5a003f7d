"""Work on a file that may take long, in a thread of its own, while the caller stays able to give up.

Threads: `tick` is called in the caller's; `work` runs in another, which sees a set event when nobody waits any longer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hitpoint.model.files import file_sha256

T = TypeVar("T")
Tick = Callable[[], None]
"""Called about ten times a second; what it raises ends the work."""

TICK_S = 0.1


def patiently(work: Callable[[threading.Event], T], tick: Tick | None) -> T:
    """What `work` returns or raises, from a thread of its own; `tick` is called meanwhile.

    If `tick` raises, or the user interrupts, the event handed to `work` is set and nobody waits for it any longer.
    """
    stop = threading.Event()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        """The thread: hand over what came of it."""
        try:
            results.append(work(stop))
        except BaseException as error:  # its owner raises it
            errors.append(error)

    thread = threading.Thread(target=run, name="hitpoint-film", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(TICK_S)
            if tick is not None:
                tick()
    finally:
        stop.set()
    if errors:
        raise errors[0]
    return results[0]


class Stopped(Exception):
    """Nobody waits any longer."""


class Hashing:
    """The SHA-256 of a file, taken in a thread of its own."""

    def __init__(self, path: Path, stop: threading.Event) -> None:
        self._path, self._stop = path, stop
        self._digest = ""
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="hitpoint-hash", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._digest = file_sha256(self._path, lambda: not self._stop.is_set())
        except OSError as error:
            self._error = error

    def result(self) -> str:
        """The digest, in hex. Raises OSError where the file could not be read."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._digest
