"""Questions about clips (what suits them, how they would be cut to music), answered in the worker thread.

Threads and processes: lives in the composer process; `answer` belongs to its main thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from hitpoint.bridge.ipc.messages import Handled, JobProgress
from hitpoint.bridge.ipc.questions import Answer, CutJob, EditCut, Question, Suggested
from hitpoint.bridge.state.store import make_folder
from hitpoint.bridge.work.jobs import Tools
from hitpoint.bridge.work.worker import ANALYSE_TURN, Worker

MOST_LETTERS = 1000
"""That a client is told of reasons and remarks."""

Progress = Callable[[str, float], None]


class Answerer:
    """Answers questions. folder: where a job's files are kept. failed: told what went wrong with a job; settle: that
    its question is done."""

    def __init__(
        self,
        tools: Tools,
        folder: Callable[[str], Path],
        worker: Worker,
        send: Callable[[object], None],
        failed: Callable[[str, Exception], None],
        settle: Callable[[str], None],
    ) -> None:
        self._tools, self._folder, self._worker, self._send = tools, folder, worker, send
        self._failed, self._settle = failed, settle

    def answer(self, message: Question) -> None:
        """Look at the clips in the worker, and tell what came of it, or what is wrong with them."""
        name = message.job

        def progress(stage: str, share: float) -> None:
            self._worker.then_if_room(lambda: self._send(JobProgress(name, stage, share)))

        def look() -> None:
            try:
                found: Answer | Exception = self._found(message, progress)
            except Exception as error:
                found = error
            self._worker.then(lambda: self._tell(message, found))

        self._worker.do(name, look, ANALYSE_TURN, threading.Event())

    def _found(self, message: Question, progress: Progress) -> Answer:
        """In the worker: the answer."""
        pairs = dict(message.score.pairs)
        if isinstance(message, CutJob):
            path = self._folder(message.job) / f"{message.job}-cut.otio"
            make_folder(path.parent)
            said = self._tools.cut(message.score, Path(pairs["music"]), path, progress)
            return EditCut(message.job, str(path), "; ".join(said)[:MOST_LETTERS])
        found = self._tools.suggest(message.score, pairs, progress)
        shares = (found.genre, found.genre_share, found.mood, found.mood_share)
        return Suggested(message.job, *shares, "; ".join(found.why)[:MOST_LETTERS])

    def _tell(self, message: Question, found: Answer | Exception) -> None:
        """In the main thread."""
        if isinstance(found, Exception):
            self._failed(message.job, found)
        else:
            self._send(found)
        self._send(Handled(message.job, message))
        self._settle(message.job)
