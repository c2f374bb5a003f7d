"""What the plan promises, kept by music that knew nothing of it."""

from __future__ import annotations

from collections.abc import Sequence

from hitpoint.model.compose.library.path import Chosen
from hitpoint.model.music.score import Bar
from hitpoint.model.plan.types import Plan


def fitted(plan: Plan, path: Sequence[Chosen], bars: Sequence[Bar]) -> list[Bar]:
    """The bars as the plan wants them."""
    return list(bars)
