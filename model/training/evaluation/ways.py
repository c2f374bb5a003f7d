"""The ways of composing that are compared: the paper's control, today's, matching, stretches, and chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from hitpoint.model.compose.base import Composer, ComposerOptions
from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.compose.cmt.decode import BarOrder, Decoder
from hitpoint.model.compose.cmt.grammar import BarTask
from hitpoint.model.compose.cmt.paper_control import overwriting
from hitpoint.model.compose.diffusion.composer import DiffusionComposer
from hitpoint.model.compose.library.composer import LibraryComposer
from hitpoint.model.compose.library.match import best_match
from hitpoint.model.compose.library.reading import of_shard
from hitpoint.model.data.build import Shard
from hitpoint.model.music.score import TICKS_PER_BAR, Bar
from hitpoint.model.music.tokens import init_rows
from hitpoint.model.network.conditions import table_of_plan
from hitpoint.model.plan.types import BarPlan, Plan
from hitpoint.model.training.evaluation.rows import ASSOCIATED, DIFFUSION, PAPER, SHUFFLED, STRETCHES

LIBRARY_PIECES = 60
"""Training pieces that stand in for a library where none is named."""
Method = tuple[str, Callable[[int, Plan], list[Bar]]]
"""The name of a row, and how its plan number i is composed."""


def streamed(composer: Composer) -> Callable[[int, Plan], list[Bar]]:
    """The composer as a way: whatever its plan asks for."""
    return lambda index, plan: list(composer.stream(plan, plan.seed))


def library_composers(shard: Shard | None, library: Shard | None) -> dict[str, LibraryComposer]:
    """Row -> one that joins stretches of the user's own music, or of some training pieces; none without either."""
    training = [piece for piece in shard.pieces if piece.split == "train"] if shard is not None else []
    if library is not None:
        music = of_shard(library, library.pieces)
    elif shard is not None and training:
        chosen = np.random.default_rng(0).permutation(len(training))[:LIBRARY_PIECES]
        music = of_shard(shard, [training[i] for i in sorted(chosen)])
    else:
        return {}
    return {
        name: LibraryComposer.of(music, select)
        for name, select in ((STRETCHES, "emotion"), (ASSOCIATED, "association"))
    }


def ways_without_shard(composer: CmtComposer) -> list[Method]:
    """What can be compared without real music."""
    return [(PAPER, lambda i, plan: overwritten(composer, plan, 1.0))]


def ways_with(composer: CmtComposer, shard: Shard, library_pieces: int) -> Iterator[Method]:
    """Names and ways to compose plan number i."""
    training = [piece for piece in shard.pieces if piece.split == "train"]
    chosen = np.random.default_rng(0).permutation(len(training))[:library_pieces]
    library = [training[i] for i in chosen]
    yield "match", lambda i, plan: best_match(plan, shard, [p for p in library if p.genre == plan.genre])
    yield "no control", lambda i, plan: list(composer.stream(loosened(plan, 0.0), plan.seed))
    for control in (0.7, 1.0):
        yield f"paper C={control:g}", lambda i, plan, c=control: overwritten(composer, plan, c)  # type: ignore[misc]
    for control in (0.7, 1.0):
        yield f"ours C={control:g}", lambda i, plan, c=control: list(composer.stream(loosened(plan, c), plan.seed))  # type: ignore[misc]

    def shuffled(index: int, plan: Plan) -> list[Bar]:
        """Music composed for the same densities and hits, but with the bars in another order."""
        order = np.random.default_rng(index).permutation(len(plan.bars))
        bars = tuple(replace(plan.bars[int(old)], index=new) for new, old in enumerate(order))
        return list(composer.stream(replace(plan, bars=bars), plan.seed))

    yield SHUFFLED, shuffled
    diffusion = DiffusionComposer.create(ComposerOptions(), composer)
    yield DIFFUSION, streamed(diffusion)


def loosened(plan: Plan, control: float) -> Plan:
    """The plan with each bar's density and each required tick kept with probability C (seeded by the plan)."""
    draws = np.random.default_rng([plan.seed, 77])
    bars = tuple(
        replace(
            bar,
            density=bar.density if draws.random() < control else None,
            required=tuple(hit for hit in bar.required if draws.random() < control),
            energy=bar.energy,
        )
        for bar in plan.bars
    )
    return replace(plan, bars=bars)


def overwritten(composer: CmtComposer, plan: Plan, control: float) -> list[Bar]:
    """The plan composed by the same network with the paper's control: it is told nothing but what it reads."""
    decoder = Decoder(composer.recurrence, composer.sampling)
    table = table_of_plan(loosened(plan, 0.0))
    draws = np.random.default_rng([plan.seed, 78])
    write = overwriting(control, draws)
    run = decoder.start(init_rows(plan.genre, plan.instruments), table[0])
    parts = (
        BarOrder(_papers_task(plan, bar), table[bar.index + 1], np.random.default_rng([plan.seed, bar.index]), write)
        for bar in plan.bars
    )
    return [bar for _, bar in decoder.write(run, [parts])]


def _papers_task(plan: Plan, bar: BarPlan) -> BarTask:
    """Density and hits, which is all that the paper's control knows of."""
    ticks_left = plan.end_tick - bar.index * TICKS_PER_BAR
    return BarTask(bar.index, tuple(sorted(plan.instruments)), ticks_left, bar.density, dict(bar.required))
