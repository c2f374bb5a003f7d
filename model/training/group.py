"""Processes that train together: how they find each other, and what they tell each other.

Under `torchrun` they are there already; on a processor the run starts them itself (`together.py`), since two processes
with a core each are quicker than one with two.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
from torch import Tensor
from torch import distributed as dist

from hitpoint.model.errors import InputError

MEETING_S = 180.0
"""How long the others are waited for at the start."""


def cores() -> int:
    """How many the process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Group:
    """A process's place among those of its run. meeting: the file over which they find each other; None: torchrun's
    way.
    """

    rank: int = 0
    world: int = 1
    meeting: Path | None = None

    @classmethod
    def around(cls) -> Group:
        """The place that `torchrun` gave this process; alone without it."""
        return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))

    def join(self, device: str) -> str:
        """Meet the others; returns the process's own device. Raises InputError if one does not come."""
        if self.world == 1:
            return device
        if device == "cuda":
            device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
            torch.cuda.set_device(device)
        backend = "nccl" if device.startswith("cuda") else "gloo"
        if self.meeting is None:
            dist.init_process_group(backend)
            return device
        store = dist.FileStore(str(self.meeting), self.world)  # type: ignore[attr-defined]
        store.set(f"here {self.rank}", "")
        try:
            store.wait([f"here {rank}" for rank in range(self.world)], timedelta(seconds=MEETING_S))
        except RuntimeError:
            raise InputError("another process of this run did not start; try again with --processes 1") from None
        dist.init_process_group(backend, store=store, rank=self.rank, world_size=self.world)
        return device

    def leave(self) -> None:
        """Part from the others."""
        if self.world > 1:
            dist.destroy_process_group()

    def share_of(self, windows: int) -> int:
        """How many of an update's windows are this process's. Raises InputError if they cannot be shared evenly."""
        if windows % self.world:
            raise InputError(f"{windows} windows cannot be shared evenly by {self.world} processes; change --batch")
        return windows // self.world

    def weight(self, counted: int) -> float:
        """What the mean over this process's `counted` rows weighs in the mean over all: 1 where all have as many."""
        if self.world == 1:
            return 1.0
        total = torch.tensor(float(counted), device=_where())
        dist.all_reduce(total)
        return counted * self.world / max(1.0, float(total))

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a value over the processes."""
        if self.world > 1:
            value = value.clone()
            dist.all_reduce(value)
            value /= self.world
        return value


def _where() -> str:
    return "cuda" if dist.get_backend() == "nccl" else "cpu"
