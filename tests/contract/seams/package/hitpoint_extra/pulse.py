"""A composer in one file: it plays what the plan requires and fills up with eighths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hitpoint.model.compose.base import Composer, ComposerOptions
from hitpoint.model.music.score import TICKS_PER_BAR, Bar, Note
from hitpoint.model.plan.types import Plan


class PulseComposer(Composer):
    key = name = "pulse"

    @classmethod
    def create(cls, options: ComposerOptions) -> PulseComposer:
        return cls()

    def stream(self, plan: Plan, seed: int, history: Sequence[Bar] = ()) -> Iterator[Bar]:
        instrument = plan.instruments[-1]
        for bar in plan.bars[len(history) :]:
            wanted = dict(bar.required)
            order = sorted(range(TICKS_PER_BAR), key=lambda tick: (tick not in wanted, tick % 2, tick))
            ticks = sorted(order[: max(len(wanted), bar.density or 8)])
            notes = [
                Note(tick, instrument, 60 + (seed % 5) + 4 * step, 1, 90)
                for tick in ticks
                for step in range(wanted.get(tick, 1))
            ]
            yield Bar(bar.index, tuple(sorted(notes)))
