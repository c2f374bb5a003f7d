"""A piece that does what its plan asks is found by it; one that does what another asks is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hitpoint.model.music.score import Bar, Note
from hitpoint.model.plan.types import BarPlan, Plan
from hitpoint.model.training.evaluation.answers import found_again
from hitpoint.model.training.evaluation.retrieval import AMONG, rank_of
from tests.model.material import make_plan

CHORDS = {"C": (60, 64, 67), "F": (65, 69, 72), "Am": (57, 60, 64), "G": (55, 59, 62)}


def asked(seed: int, bars: int = 8) -> Plan:
    """Densities, hits and chords at random."""
    rng = np.random.default_rng(seed)
    found = []
    for bar in make_plan(bars).bars:
        hit = ((int(rng.integers(16)), 3),)
        chords = tuple(rng.choice(list(CHORDS), 2).tolist())
        found.append(replace(bar, density=int(rng.integers(1, 12)), required=hit, required_told=(), chords=chords))
    return replace(make_plan(bars), bars=tuple(found))


def obeyed(bar: BarPlan) -> Bar:
    hits = dict(bar.required)
    rest = [tick for tick in range(16) if tick not in hits][: max(0, (bar.density or 0) - len(hits))]
    notes = []
    for tick in sorted([*hits, *rest]):
        pitches = CHORDS[(bar.chords or ("C", "C"))[tick // 8]]
        notes += [Note(tick, 1, pitch, 1, 80) for pitch in pitches[: hits.get(tick, 1)]]
    return Bar(bar.index, tuple(notes))


def test_the_plan_that_was_obeyed_is_found() -> None:
    plans = [asked(seed) for seed in range(12)]
    pool = [bar for plan in plans for bar in plan.bars]
    ranks = [rank_of([obeyed(bar) for bar in plan.bars], plan, pool, seed) for seed, plan in enumerate(plans)]
    others = [rank_of([obeyed(bar) for bar in plans[n - 1].bars], plan, pool, n) for n, plan in enumerate(plans)]
    assert np.mean(ranks) < 0.5 and np.mean(others) > AMONG / 5


def test_nothing_is_found_where_there_is_nothing_to_choose_from() -> None:
    plan = asked(0)
    bars = [obeyed(bar) for bar in plan.bars]
    assert found_again(bars, plan, plan.bars) == {}
    assert found_again(bars, plan, [*plan.bars, *asked(1).bars])["found_at_1"] == 1.0
