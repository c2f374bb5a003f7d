"""MIDI files for training, read by the workers of a cluster.

Called by the process that builds the shards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hitpoint.bridge.batch.pool import open_pool
from hitpoint.bridge.errors import HitpointError
from hitpoint.model.data.build import BLOCK, Reading, read_block

Task = tuple[int, Sequence[Any]]
"""The block's number, and its files."""


def work(task: Task) -> list[Any]:
    """In a worker: what is in each file."""
    return read_block(task[1])


def on_cluster(scheduler: str) -> Reading:
    """The workers of `scheduler` read the files; they must find them under the same paths.

    Raises as `open_pool`, and HitpointError where a block cannot be read.
    """

    def read_all(jobs: Sequence[Any]) -> Iterator[Any]:
        """What is in each file, in the order of `jobs`. Raises HitpointError where a block cannot be read."""
        blocks = [
            (number, tuple(jobs[first : first + BLOCK])) for number, first in enumerate(range(0, len(jobs), BLOCK))
        ]
        there: dict[int, list[Any]] = {}
        following = 0
        with open_pool(work, 1, scheduler) as pool:
            for (number, _), found in pool.run(blocks):
                if isinstance(found, HitpointError):
                    raise found
                there[number] = found
                while following in there:
                    yield from there.pop(following)
                    following += 1

    return read_all
