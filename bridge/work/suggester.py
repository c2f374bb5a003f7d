"""Suggestions of genre and mood, looked for in the worker thread.

Threads and processes: lives in the composer process; `suggest` belongs to its main thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from hitpoint.bridge.ipc.messages import Handled, JobProgress
from hitpoint.bridge.ipc.suggest import Suggested, SuggestJob
from hitpoint.bridge.work.jobs import Tools
from hitpoint.bridge.work.worker import ANALYSE_TURN, Worker

if TYPE_CHECKING:
    from hitpoint.model.mood.suggest import Suggestion

MOST_REASONS = 1000
"""Letters that a client is told of the reasons."""


class Suggester:
    """Answers requests for suggestions. failed: told what went wrong with a job; settle: that its request is done."""

    def __init__(
        self,
        tools: Tools,
        worker: Worker,
        send: Callable[[object], None],
        failed: Callable[[str, Exception], None],
        settle: Callable[[str], None],
    ) -> None:
        self._tools, self._worker, self._send, self._failed, self._settle = tools, worker, send, failed, settle

    def suggest(self, message: SuggestJob) -> None:
        """Look at the clips in the worker, and tell what they suggest, or what is wrong with them."""
        name = message.job

        def progress(stage: str, share: float) -> None:
            self._worker.then_if_room(lambda: self._send(JobProgress(name, stage, share)))

        def look() -> None:
            try:
                found: Suggestion | Exception = self._tools.suggest(message.score, dict(message.score.pairs), progress)
            except Exception as error:
                found = error
            self._worker.then(lambda: self._tell(message, found))

        self._worker.do(name, look, ANALYSE_TURN, threading.Event())

    def _tell(self, message: SuggestJob, found: Suggestion | Exception) -> None:
        """In the main thread: the answer."""
        if isinstance(found, Exception):
            self._failed(message.job, found)
        else:
            why = "; ".join(found.why)[:MOST_REASONS]
            shares = (found.genre, found.genre_share, found.mood, found.mood_share)
            self._send(Suggested(message.job, *shares, why))
        self._send(Handled(message.job, message))
        self._settle(message.job)
