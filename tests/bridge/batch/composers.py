"""A composer whose process is killed in the middle of its third film, once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

from hitpoint.model.music.score import Bar
from hitpoint.model.plan.types import Plan
from tests.fakes import FakeComposer


class DyingComposer(FakeComposer):
    """$DIES_ONCE names the file that says that it has happened; each process that makes one writes a line to
    `composers` beside it."""

    pieces = 0

    def stream(self, plan: Plan, seed: int, history: Sequence[Bar] = ()) -> Iterator[Bar]:
        self.pieces += 1
        for bar in super().stream(plan, seed, history):
            yield bar
            if self.pieces == 3:
                _die(Path(os.environ["DIES_ONCE"]))


def _die(mark: Path) -> None:
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def make_composer() -> DyingComposer:
    with Path(os.environ["DIES_ONCE"]).with_name("composers").open("a") as file:
        file.write(f"{os.getpid()}\n")
    return DyingComposer()
