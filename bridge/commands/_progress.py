"""Progress bars on standard error, silent where that is not a terminal."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hitpoint.model.take import Progress

STAGES = {
    "analyse": "looking at the film",
    "plan": "planning",
    "compose": "composing",
    "midi": "writing MIDI",
    "wav": "playing it to a WAV",
    "mux": "putting it under the film",
    "report": "writing the report",
    "plot": "drawing",
}


@contextlib.contextmanager
def stage_bars() -> Iterator[Progress]:
    """Progress for `hitpoint.model.job`: one bar a stage on standard error; silent where that is not a terminal.

    Print nothing inside: what has to be said comes below the bars once they are gone. SIGTERM ends the command as
    Ctrl+C does, so that no half-written file stays behind.
    """
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        if sys.stderr.isatty():
            yield from _bars()
        else:
            yield lambda stage, share: None
    finally:
        signal.signal(signal.SIGTERM, previous)


def _terminate(number: int, frame: object) -> None:
    sys.exit(128 + number)


def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    tasks: dict[str, TaskID] = {}
    console = Console(stderr=True)
    with Bars(console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as bars:

        def report(stage: str, share: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(STAGES.get(stage, stage), total=1.0)
            bars.update(tasks[stage], completed=share)

        yield report


@contextlib.contextmanager
def progress_bar(text: str) -> Iterator[Callable[[float], None]]:
    """One bar, called `text`: yields a function that takes the share done, 0..1. Otherwise as `stage_bars`."""
    with stage_bars() as report:
        yield lambda share: report(text, share)


@contextlib.contextmanager
def count_bar(text: str, total: int) -> Iterator[Callable[[str], None]]:
    """A bar for `total` things, with how many there are an hour and when the last one will be done: yields a function
    to be called after each, with a word to show beside. Silent where standard error is not a terminal."""
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        if not sys.stderr.isatty():
            yield lambda word: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[word]}"),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bars:
            task = bars.add_task(text, total=total, pace="", word="")

            def advance(word: str) -> None:
                speed = bars.tasks[0].speed
                bars.update(task, advance=1, word=word, pace=f"{3600 * speed:.0f} an hour" if speed else "")

            yield advance
    finally:
        signal.signal(signal.SIGTERM, previous)
