"""How to train: the sizes, rates and mixtures of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LONG_STEPS, LONG_MINUTES = 1000, 20.0


@dataclass(frozen=True)
class Recipe:
    """How to train. steps of batch x length rows, all processes together. learning_rate: of Muon's matrices; AdamW's is
    a tenth of it.

    minutes: the run is over after so long, if not after its steps before; None: after its steps. decay_share: the last
    share of the run, over which the rate falls to zero. mix: weight by data set, or by "data set:source". last_share:
    the last share of the run, drawn by last_mix. evaluate_every: steps.
    """

    config: str = "default"
    steps: int = 4000
    batch: int = 8
    length: int = 1024
    learning_rate: float = 0.02
    warmup: int = 100
    decay_share: float = 0.3
    last_share: float = 0.2
    mix: Mapping[str, float] = field(default_factory=dict)
    last_mix: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    evaluate_every: int = 250
    evaluate_windows: int = 24
    minutes: float | None = None

    def rate(self, step: int, share: float) -> float:
        """The learning rate's share of its full value: a ramp up over steps, level, a line down to zero.

        share: of the run, 0..1, that is done.
        """
        left = (1.0 - share) / max(1e-9, self.decay_share)
        return min(1.0, (step + 1) / self.warmup, left)

    @property
    def long(self) -> bool:
        """Whether it takes so long that some minutes of preparation are earned back."""
        return self.steps >= LONG_STEPS if self.minutes is None else self.minutes >= LONG_MINUTES
