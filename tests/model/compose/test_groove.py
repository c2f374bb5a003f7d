"""A piece has one groove: its bars agree about where something starts as far as they are as busy."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.compose.cmt.groove import BESIDE_NATS, NEXT_NATS, Groove, groove_ticks, order_of
from hitpoint.model.compose.cmt.leaning import Here, Place
from hitpoint.model.compose.cmt.wishes import Wishes
from hitpoint.model.music.metrics import grooving_similarity
from hitpoint.model.music.score import GENRES, TICKS_PER_BAR, Score
from hitpoint.model.music.tokens import FIRST_TICK
from tests.model.material import make_plan


def test_a_busier_bar_adds_ticks_to_those_of_a_calmer_one() -> None:
    made = make_plan(1)
    bars = [dataclasses.replace(made.bars[0], density=count, required=(), closed=()) for count in range(1, 17)]
    found = [set(groove_ticks(made, bar, made.instruments)) for bar in bars]
    assert [len(each) for each in found] == list(range(1, 17)) and found[0] == {0}
    assert all(few < many for few, many in pairwise(found))
    assert groove_ticks(made, dataclasses.replace(bars[0], density=None, density_told=None), made.instruments) == ()


def test_what_is_promised_is_in_it_and_what_is_closed_is_not() -> None:
    made = make_plan(1)
    closed = tuple((8, k) for k in made.instruments)
    bar = dataclasses.replace(made.bars[0], density=6, required=((3, 2),), entries=((11, 1),), closed=closed)
    ticks = groove_ticks(made, bar, made.instruments)
    assert {3, 11} < set(ticks) and 8 not in ticks and len(ticks) == 6


def test_seeds_and_genres_have_grooves_of_their_own_on_the_beats_first() -> None:
    orders = {order_of(seed, genre) for seed in range(5) for genre in GENRES}
    assert len(orders) > 20
    for order in orders:
        assert order[0] == 0 and sorted(order) == list(range(TICKS_PER_BAR))
        assert np.mean([tick % 2 for tick in order[:8]]) < 0.3


def test_it_leans_to_the_next_tick_and_tells_the_same() -> None:
    groove = Groove((0, 4, 10))
    assert groove.lean("beat", Place(4, 1, 0, 1)) == {
        FIRST_TICK + tick: NEXT_NATS if tick == 10 else BESIDE_NATS for tick in range(5, 16)
    }
    assert groove.lean("pitch", Place(4, 1, 0, 1)) == {}
    wishes = Wishes()
    groove.tell(wishes)
    for reached in range(-1, TICKS_PER_BAR):
        told = wishes.beat[reached + 1, 2, 1, FIRST_TICK:]
        asked = groove.lean("beat", Place(reached, 1, 0, 1))
        assert told.tolist() == [asked.get(FIRST_TICK + tick, 0.0) for tick in range(TICKS_PER_BAR)]


def test_bars_of_a_piece_agree_about_their_ticks() -> None:
    """Where every bar drew its ticks anew, two of them agreed about .6."""
    made = make_plan(8)
    density = (8, 10, 8, 9, 8, 10, 8, 9)
    bars = tuple(
        dataclasses.replace(bar, density=count, density_told=count, required=())
        for bar, count in zip(made.bars, density, strict=True)
    )
    plan = dataclasses.replace(made, bars=bars, hits=())
    assert Groove.of(Here(plan, 0)) is not None
    written = tuple(CmtComposer.load(device="cpu").stream(plan, 1))
    score = Score(written, plan.tempo_map, plan.genre, plan.instruments, 1)
    assert [bar.density for bar in written[:-1]] == list(density[:-1])
    assert grooving_similarity(score) > 0.8
