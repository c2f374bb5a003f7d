"""A stand-in for the network that can also regenerate, for the configuration's key `test_composer`."""

from __future__ import annotations

from collections.abc import Sequence

from hitpoint.model.music.score import Bar
from hitpoint.model.plan.types import Plan
from tests.fakes import FakeComposer


class RegeneratingComposer(FakeComposer):
    """New notes for some bars and instruments, the others note for note."""

    def regenerate(
        self, plan: Plan, bars: Sequence[Bar], first: int, last: int, instruments: Sequence[int] | None, seed: int
    ) -> list[Bar]:
        fresh = list(self.stream(plan, seed + 1))
        result = list(bars)
        for index in range(first, last + 1):
            free = set(plan.instruments if instruments is None else instruments)
            notes = [note for note in bars[index].notes if note.instrument not in free]
            notes += [note for note in fresh[index].notes if note.instrument in free]
            result[index] = Bar(index, tuple(sorted(notes)))
        return result
