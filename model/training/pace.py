"""How far a run has come, by steps or by time, and what follows from it: the rate, and when to stop."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch


@dataclass
class Pace:
    """Counts a run's steps and, where it has a budget, its seconds; those of earlier sittings are carried over.

    steps: at most so many. minutes: the run ends after so long, all sittings together; None: after its steps. shared:
    whether several processes train together, which must agree on the time.
    """

    steps: int
    minutes: float | None = None
    step: int = 0
    before_s: float = 0.0
    shared: bool = False

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self.saved_s = self.before_s
        self.share = self._share()

    @property
    def seconds(self) -> float:
        """Trained so far, all sittings together."""
        return self.before_s + time.monotonic() - self._began

    def tick(self) -> None:
        """One more step is done."""
        self.step += 1
        self.share = self._share()

    @property
    def done(self) -> bool:
        """Whether the run is over."""
        return self.share >= 1.0

    def _share(self) -> float:
        by_steps = self.step / self.steps
        if self.minutes is None:
            return by_steps
        by_time = torch.tensor(self.seconds / 60.0 / self.minutes)
        if self.shared:
            where = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
            by_time = by_time.to(where)
            torch.distributed.broadcast(by_time, 0)
        return max(by_steps, float(by_time))
