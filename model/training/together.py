"""Further processes of a run on one machine: how many are worth starting, and their coming and going."""

from __future__ import annotations

import contextlib
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from hitpoint.model.data.build import load
from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.training.group import Group, cores
from hitpoint.model.training.recipe import Recipe
from hitpoint.model.training.train import train

LEAST_WINDOWS = 2
"""Of an update, in a process: with fewer it spends too much of its time on what it does once an update."""
PARTING_S = 60.0


def processes_worth(device: str, windows: int, threads: int | None) -> int:
    """How many processes share an update's windows best: one a core on a processor, as long as each has windows enough.

    One where the user says how many threads there are to be, beside a graphics card, and under `torchrun`.
    """
    if device != "cpu" or threads or Group.around().world > 1:
        return 1
    most = max(1, min(cores(), windows // LEAST_WINDOWS))
    return max(count for count in range(1, most + 1) if windows % count == 0)


def train_together(
    shards: Path, run: Path, recipe: Recipe, processes: int | None = None, *, device: str = "cpu",
    threads: int | None = None, say: Callable[[str], None] = print, **options: Any,
) -> Path:  # fmt: skip
    """`train` on the shards of a folder, by as many processes as are worth it, or as many as are wished.

    options: of `train`. Raises InputError as `train`, and where one of the processes ends before the run does, and
    UsageError for processes beside a graphics card or under `torchrun`.
    """
    if (processes or 1) > 1 and (device != "cpu" or Group.around().world > 1):
        raise UsageError("--processes shares a processor; on graphics cards `torchrun` starts one process a card")
    count = processes or processes_worth(device, recipe.batch, threads)
    if count > 1:
        threads = threads or max(1, cores() // count)
    options |= {"device": device, "threads": threads}
    shard = load(shards)
    with company(count, partial(_follow, shards, run, recipe, options)) as group:
        try:
            return train(shard, run, recipe, group=group, say=say, **options)
        except RuntimeError as error:
            if count == 1 or "Connection" not in str(error):
                raise
            raise InputError(
                "another process of this run ended, as if killed or out of memory; the same command goes on from "
                "where the run was last saved, with --processes 1 in less memory"
            ) from None


def _follow(shards: Path, run: Path, recipe: Recipe, options: dict[str, Any], group: Group) -> None:
    """What the processes other than the first do."""
    train(load(shards), run, recipe, group=group, say=lambda text: None, **options)


@contextlib.contextmanager
def company(count: int, follow: Callable[[Group], object]) -> Iterator[Group]:
    """This process as the first of `count`; each of the others calls `follow`, which must be importable, with its
    place. They end with the block.
    """
    if count == 1:
        yield Group.around()
        return
    with tempfile.TemporaryDirectory(prefix="hitpoint-train-") as folder:
        meeting = Path(folder) / "meeting"
        context = multiprocessing.get_context("spawn")
        places = [Group(rank, count, meeting) for rank in range(count)]
        others = [context.Process(target=follow, args=(place,), daemon=True) for place in places[1:]]
        for process in others:
            process.start()
        try:
            yield places[0]
            for process in others:
                process.join(PARTING_S)
        finally:
            for process in others:
                process.terminate()
                process.join()
