"""What is said of what goes wrong with a job.

Threads and processes: no state, callable from any.
"""

from __future__ import annotations

import logging
import traceback

from hitpoint.bridge.errors import HitpointError, refusal
from hitpoint.bridge.ipc.messages import JobError
from hitpoint.bridge.ipc.supervision import LogLine

_CODES = {2: "usage", 3: "input", 4: "missing"}


def answers(name: str, error: Exception, request: int = 0) -> tuple[LogLine | JobError, ...]:
    """What the client is told; a mistake of the program's own is logged in full as well, and told in one sentence.

    request: the client's number for what failed, 0 where there is none.
    """
    if isinstance(error, HitpointError):
        return (JobError(name, _CODES.get(error.exit_code, "input"), str(error), request),)
    if isinstance(error, OSError):
        return log_line(name, error), JobError(name, "input", refusal(error), request)
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    text = f"this went wrong and was given up ({reason[:200]}); try again with another seed, and send in the log"
    return log_line(name, error), JobError(name, "given-up", text)


def log_line(name: str, error: Exception) -> LogLine:
    """The error in full, for the log."""
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return LogLine(logging.ERROR, f"composer, at {name}: {trace}")
