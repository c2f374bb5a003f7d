"""One table in one run: how well each way of composing keeps to the picture, and how near its music is to real music.

Every row is measured by the same code on the same plans. Real music is drawn from the test split in stretches as long
as the plans. The distance of a metric to real music is |difference of means| over the spread of the real stretches.
Every interval is a 95% bootstrap over pieces.

A second table holds what an ear takes from the music (`hitpoint.model.training.heard`), played by the built-in synth.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from hitpoint.model import job
from hitpoint.model.compose.base import Composer
from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.compose.library.match import best_match
from hitpoint.model.compose.library.transition import Transitions
from hitpoint.model.data.build import Shard
from hitpoint.model.errors import InputError
from hitpoint.model.music.score import GENRES, Score
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.types import BarPlan, Plan, Wishes
from hitpoint.model.take import Prepared
from hitpoint.model.training.evaluation.answers import found_again
from hitpoint.model.training.evaluation.real import performed, real_rows
from hitpoint.model.training.evaluation.rows import (
    BY_EAR,
    MOVED,
    OF_PEOPLE,
    OURS,
    OWN_MATCH,
    STRETCHES,
    Figures,
    Row,
    figures,
)
from hitpoint.model.training.evaluation.ways import library_composers, streamed, ways_with, ways_without_shard
from hitpoint.model.training.heard.figures import heard, heard_beside_chance
from hitpoint.model.training.heard.grid import marks_of
from hitpoint.model.video.types import VisualRhythm


def evaluate(
    composer: CmtComposer, shard: Shard | None, films: Sequence[VisualRhythm], *, library: Shard | None = None,
    seeds: int = 1, library_pieces: int = 400, progress: Callable[[float], None] | None = None,
) -> list[Row]:  # fmt: skip
    """All rows, on every film in every genre with `seeds` seeds each; without a shard those alone that need none.

    library: a user's own music to match with, as a row more. library_pieces: how many training pieces the other
    matching row may choose from. Raises InputError where no held-out piece is as long as the films.
    """
    genres = [genre for genre in GENRES if genre in composer.genres]
    cases = [(film, Wishes(genre=genre, seed=seed)) for film in films for genre in genres for seed in range(seeds)]
    plans = [build_plan(film, replace(wishes, control=1.0)) for film, wishes in cases]
    pool = [bar for plan in plans for bar in plan.bars]
    methods = ways_without_shard(composer) if shard is None else list(ways_with(composer, shard, library_pieces))
    if library is not None:
        methods.insert(min(1, len(methods) - 1), (OWN_MATCH, lambda i, plan: best_match(plan, library, library.pieces)))
    stretches = library_composers(shard, library)
    joined = [(name, streamed(each)) for name, each in stretches.items()]
    methods[max(0, len(methods) - 1) : len(methods) - 1] = joined
    transitions = stretches[STRETCHES].transitions if stretches else None
    rows = [] if shard is None else [Row(name, tuple(real)) for name, real in real_rows(shard, plans)]
    if shard is not None and not rows:
        raise InputError(
            "no held-out piece of these shards is as long as the films; add longer music, or cut the films"
        )
    say = progress or (lambda share: None)
    share = len(methods) / (len(methods) + 1)
    for number, (name, bars_of) in enumerate(methods):
        pieces = []
        for index, (plan, (film, _)) in enumerate(zip(plans, cases, strict=True)):
            began_s = time.process_time()
            bars = bars_of(index, plan)
            cost = {"cpu_s": (time.process_time() - began_s) / plan.duration_s * 60.0}
            if bars:
                score = performed(plan, bars, lengths_stand=name in OF_PEOPLE)
                by_ear = heard(score, marks_of(film, plan)) if name in BY_EAR else {}
                found = found_again(bars, plan, pool)
                pieces.append(figures(score, plan, transitions) | by_ear | found | cost)
            say(share * (number + (index + 1) / len(plans)) / len(methods))
        rows.append(Row(name, tuple(pieces)))
    rows += by_default(composer, cases, lambda done: say(share + (1 - share) * done), transitions)
    return rows


def by_default(
    composer: Composer,
    cases: Sequence[tuple[VisualRhythm, Wishes]],
    progress: Callable[[float], None],
    transitions: Transitions | None = None,
) -> list[Row]:
    """Two rows: the music that `hitpoint score` makes of these films and wishes, and its figures of chance."""
    ours: list[Figures] = []
    moved: list[Figures] = []
    plans: list[tuple[Score, Plan]] = []
    pool: list[BarPlan] = []
    for number, (film, wishes) in enumerate(cases):
        began_s = time.process_time()
        plan, score = made(composer, film, wishes)
        pool += plan.bars
        cost = {"cpu_s": (time.process_time() - began_s) / plan.duration_s * 60.0}
        now, chance = heard_beside_chance(score, marks_of(film, plan), wishes.seed)
        ours.append(figures(score, plan, transitions) | now | cost)
        plans.append((score, plan))
        moved.append(chance)
        progress((number + 1) / len(cases))
    found = [found_again(score.bars, plan, pool) for score, plan in plans]
    ours = [each | more for each, more in zip(ours, found, strict=True)]
    return [Row(OURS, tuple(ours)), Row(MOVED, tuple(moved))]


def made(composer: Composer, film: VisualRhythm, wishes: Wishes) -> tuple[Plan, Score]:
    """Plan and music as `hitpoint score` makes them."""
    plan = build_plan(film, wishes)
    prepared = Prepared((), wishes, film, plan, 0.0, 0.0)
    return plan, job.compose(prepared, composer).score
