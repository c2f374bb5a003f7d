"""Windows drawn ahead of the network: by one thread beside a processor's training, by processes beside a card's.

Drawing gives some 300,000 rows a second and core, which a processor's training never reaches and a card's does. The
batch of a step depends on the seed, the step and the rank alone, whoever draws it.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hitpoint.model.data.build import Shard, load
from hitpoint.model.data.windows import Batch, Windows

if TYPE_CHECKING:
    from hitpoint.model.training.train import Recipe

MOST_PROCESSES, FOR_OTHERS = 12, 2
AHEAD = 2
"""Batches a process that are under way or waiting."""


@dataclass(frozen=True)
class Draw:
    """Draws the batch of a step: from the windows of the run's beginning, or of its last share."""

    recipe: Recipe
    rank: int
    early: Windows
    late: Windows

    @classmethod
    def of(cls, shard: Shard, recipe: Recipe, rank: int) -> Draw:
        """From the training split."""
        early = Windows(shard, "train", recipe.length, mix=recipe.mix)
        late = Windows(shard, "train", recipe.length, mix=recipe.last_mix) if recipe.last_mix else early
        return cls(recipe, rank, early, late)

    def __call__(self, number: int, share: float) -> Batch:
        """share: of the run, 0..1, that is done."""
        windows = self.late if share >= 1 - self.recipe.last_share else self.early
        return windows.draw(self.recipe.batch, np.random.default_rng([self.recipe.seed, number, self.rank]))


def processes_for(device: str) -> int:
    """How many processes draw: none beside a processor's training, which needs it itself."""
    spare = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(MOST_PROCESSES, spare - FOR_OTHERS)) if device.startswith("cuda") else 0


def batches(
    shard: Shard, recipe: Recipe, rank: int, first: int, share: Callable[[int], float], processes: int
) -> Generator[Batch, None, None]:  # fmt: skip
    """The batches from step `first` on, without end. share: of the run that is done at a step.

    processes: they read the shard folder themselves; 0, or a shard that is no file: one thread.
    """
    where = getattr(shard.notes, "filename", None)
    ahead = AHEAD * processes if processes and where else 1
    executor, draw = _drawing(shard, recipe, rank, processes if where else 0)
    with executor:
        coming: deque[Future[Batch]] = deque()
        number = first
        try:
            while True:
                while len(coming) < ahead:
                    coming.append(executor.submit(draw, number, share(number)))
                    number += 1
                batch = coming.popleft().result()
                coming.append(executor.submit(draw, number, share(number)))
                number += 1
                yield batch
        finally:
            for future in coming:
                future.cancel()


def _drawing(shard: Shard, recipe: Recipe, rank: int, processes: int) -> tuple[Executor, Callable[[int, float], Batch]]:
    if not processes:
        return ThreadPoolExecutor(1), Draw.of(shard, recipe, rank)
    folder = Path(shard.notes.filename).parent  # type: ignore[attr-defined]
    context = multiprocessing.get_context("spawn")  # a card's state does not survive a fork
    return ProcessPoolExecutor(processes, context, _open, (folder, recipe, rank)), _drawn


_draw: list[Draw] = []
"""In a drawing process, its own."""


def _open(folder: Path, recipe: Recipe, rank: int) -> None:
    _draw[:] = [Draw.of(load(folder), recipe, rank)]


def _drawn(number: int, share: float) -> Batch:
    return _draw[0](number, share)
