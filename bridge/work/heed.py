"""Hearing that a job is called off while something of it is composed that takes long.

Threads and processes: lives in the composer process, in its main thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from hitpoint.bridge.ipc.messages import CancelJob, ScoreJob
from hitpoint.bridge.ipc.supervision import DropJob, Quit
from hitpoint.bridge.work.jobs import Cancelled
from hitpoint.model.compose.base import Composer, nothing

LOOK_EVERY_S = 0.2

Waiting = Callable[[], Iterable[object]]
"""What was asked and is not handled yet."""


@contextmanager
def heeding(composer: Composer, job: str, waiting: Waiting) -> Iterator[None]:
    """Within the block the composer raises Cancelled, between two of its steps, once it is no longer wanted for this
    job: a request for that is waiting. One that counts no steps is not interrupted."""
    next_s = time.monotonic() + LOOK_EVERY_S

    def look() -> None:
        """At each step, hundreds a second."""
        nonlocal next_s
        if time.monotonic() < next_s:
            return
        next_s = time.monotonic() + LOOK_EVERY_S
        for message in waiting():
            ends = isinstance(message, CancelJob | DropJob | ScoreJob) and message.job == job
            if ends or isinstance(message, Quit):
                raise Cancelled

    composer.on_step = look
    try:
        yield
    finally:
        composer.on_step = nothing
