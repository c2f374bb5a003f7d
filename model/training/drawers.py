"""Windows drawn ahead of the network: by one thread beside a processor's training, by processes beside a card's.

Drawing gives some 300,000 rows a second and core, which a processor's training never reaches and a card's does. The
windows of a step depend on the seed and the step alone, whoever draws them and however many processes share them.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hitpoint.model.data.build import Shard, load
from hitpoint.model.data.windows import Batch, Windows
from hitpoint.model.training.group import Group, cores
from hitpoint.model.training.recipe import Recipe

MOST_PROCESSES, FOR_OTHERS = 12, 2
AHEAD = 2
"""Batches a process that are under way or waiting."""


@dataclass(frozen=True)
class Draw:
    """Draws a process's share of a step's windows: from the windows of the run's beginning, or of its last share."""

    recipe: Recipe
    group: Group
    early: Windows
    late: Windows

    @classmethod
    def of(cls, shard: Shard, recipe: Recipe, group: Group) -> Draw:
        """From the training split."""
        early = Windows(shard, "train", recipe.length, mix=recipe.mix)
        late = Windows(shard, "train", recipe.length, mix=recipe.last_mix) if recipe.last_mix else early
        return cls(recipe, group, early, late)

    def __call__(self, number: int, share: float) -> Batch:
        """share: of the run, 0..1, that is done."""
        windows = self.late if share >= 1 - self.recipe.last_share else self.early
        own = self.group.share_of(self.recipe.batch)
        first = self.group.rank * own
        return windows.draw(*(np.random.default_rng([self.recipe.seed, number, first + each]) for each in range(own)))


def processes_for(device: str) -> int:
    """How many processes draw: none beside a processor's training, which needs it itself."""
    return max(1, min(MOST_PROCESSES, cores() - FOR_OTHERS)) if device.startswith("cuda") else 0


def batches(
    shard: Shard, recipe: Recipe, group: Group, first: int, share: Callable[[int], float], processes: int
) -> Generator[Batch, None, None]:  # fmt: skip
    """The batches from step `first` on, without end. share: of the run that is done at a step.

    processes: they read the shard folder themselves; 0, or a shard that is no file: one thread.
    """
    where = getattr(shard.notes, "filename", None)
    ahead = AHEAD * processes if processes and where else 1
    executor, draw = _drawing(shard, recipe, group, processes if where else 0)
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


def _drawing(
    shard: Shard, recipe: Recipe, group: Group, processes: int
) -> tuple[Executor, Callable[[int, float], Batch]]:
    if not processes:
        return ThreadPoolExecutor(1), Draw.of(shard, recipe, group)
    folder = Path(shard.notes.filename).parent  # type: ignore[attr-defined]
    context = multiprocessing.get_context("spawn")  # a card's state does not survive a fork
    return ProcessPoolExecutor(processes, context, _open, (folder, recipe, group)), _drawn


_draw: list[Draw] = []
"""In a drawing process, its own."""


def _open(folder: Path, recipe: Recipe, group: Group) -> None:
    _draw[:] = [Draw.of(load(folder), recipe, group)]


def _drawn(number: int, share: float) -> Batch:
    return _draw[0](number, share)
