"""Rows drawn from fixed memory make the music that attribute after attribute makes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from hitpoint.model.compose.cmt import composer as composer_module
from hitpoint.model.compose.cmt.composer import CmtComposer, task_of
from hitpoint.model.compose.cmt.grammar import Ask, BarTask, Row, write_bar
from hitpoint.model.compose.cmt.leaning import Here, leanings_of
from hitpoint.model.compose.cmt.rows import Drawn, RowAsk, write_rows
from hitpoint.model.music.score import Bar, Note
from hitpoint.model.network import checkpoint
from hitpoint.model.network.device import Graphs, Plain
from hitpoint.model.network.network import Network
from hitpoint.model.plan.arrangement import arrange
from hitpoint.model.plan.types import Plan
from tests.fakes import fake_plan
from tests.graphs import Cuda
from tests.model.material import make_plan
from tests.model.network.test_recurrence import SMALL, SMALL_PAPER, spread

TINY = dataclasses.replace(SMALL, d_model=32, d_ff=48, d_head=32, attention=("gated", "local", "gated"), window=40)
TINY_PAPER = dataclasses.replace(SMALL_PAPER, d_model=32, d_ff=48, d_head=32, attention=("linear",) * 2)


def loaded(config=TINY) -> checkpoint.Loaded:
    return checkpoint.Loaded(spread(Network(config)), config.name, "0" * 64, 1)


def free(plan: Plan) -> Plan:
    """The plan with every other density left to the network."""
    return replace(plan, bars=tuple(replace(bar, density=None) if bar.index % 2 else bar for bar in plan.bars))


def chorded(plan: Plan) -> Plan:
    """The plan with chords, a tune and a mood."""
    line = (Note(0, 4, 72, 4, 90), Note(6, 4, 74, 2, 90), Note(10, 4, 76, 6, 90))
    bars = tuple(
        replace(bar, chords=("Am7", "F") if bar.index % 2 else ("C", "G7"), key="C major", leader=4, line=line)
        for bar in plan.bars
    )
    return replace(plan, bars=bars, harmony="leaned")


PLANS = {
    "plain": lambda: make_plan(3),
    "free": lambda: free(make_plan(3)),
    "arranged": lambda: arrange(fake_plan(3)),
    "chorded": lambda: chorded(make_plan(2)),
    "drums": lambda: make_plan(2, instruments=(0,)),
}


@pytest.fixture(params=PLANS)
def plan(request: pytest.FixtureRequest) -> Plan:
    made: Plan = PLANS[request.param]()
    return made


def bars_of(plan: Plan, rng: np.random.Generator) -> list[Bar]:
    """Each bar written twice, row by row and attribute by attribute, with the same arbitrary choices; every table on
    the way is compared with what is asked for there."""
    written: list[Bar] = []
    for index in range(len(plan.bars)):
        tasks = [
            replace(task_of(plan, index), leanings=leanings_of(Here(plan, index, tuple(written)))) for _ in range(2)
        ]
        written.append(_both_ways(tasks, rng))
    return written


def _both_ways(tasks: Sequence[BarTask], rng: np.random.Generator) -> Bar:
    rows, asks = write_rows(tasks[0]), write_bar(tasks[1])
    row, ask = next(rows), next(asks)
    try:
        while True:
            assert isinstance(row, RowAsk)
            values, classes = list(row.values), []
            for attribute, table in row.tables.items():
                while table.ndim > 1:
                    table = table[classes[-1]]
                picked = _pick(table, rng)
                classes.append(picked)
                ask = _answered(asks, ask, attribute, table, picked)
                values[FIELD[attribute]] = picked
            assert isinstance(ask, Row) and ask == (tuple(values), row.tick)
            beat = 0
            if row.beat is not None:
                table = row.beat[classes[0] if "density" in row.tables else 0]
                beat = _pick(table, rng)
            answer = Drawn((*classes, 0, 0, 0)[:3], beat)  # type: ignore[arg-type]
            try:
                ask = asks.send(0)
                if row.beat is not None and isinstance(ask, Ask) and ask.attribute == "beat":
                    ask = _answered(asks, ask, "beat", table, beat)
            except StopIteration as stop:
                expected = stop.value
            row = rows.send(answer)
    except StopIteration as stop:
        assert stop.value == expected
        bar: Bar = stop.value
        return bar


FIELD = {"density": 2, "instrument": 4, "strength": 3, "pitch": 5, "duration": 6, "velocity": 7}


def _pick(table: np.ndarray, rng: np.random.Generator) -> int:
    return int(rng.choice(np.flatnonzero(table > -np.inf)))


def _answered(asks: object, ask: object, attribute: str, table: np.ndarray, picked: int) -> object:
    assert isinstance(ask, Ask) and ask.attribute == attribute
    assert ((table > -np.inf) == ask.mask).all()
    nats = np.zeros(len(ask.mask), np.float32)
    nats[list(ask.lean)] = np.array(list(ask.lean.values()), np.float32)
    assert (table[ask.mask] == nats[ask.mask]).all()
    return asks.send(picked)  # type: ignore[attr-defined]


def test_every_table_holds_what_is_asked_for_on_the_way(plan: Plan) -> None:
    assert len(bars_of(plan, np.random.default_rng(1))) == len(plan.bars)


def test_the_device_draws_the_same_music(plan: Plan) -> None:
    there, here = (CmtComposer(loaded(), precision="float32", device=device) for device in (None, Plain()))
    bars = list(there.stream(plan, 3, weigh_forced=True))
    assert list(here.stream(plan, 3, weigh_forced=True)) == bars
    assert here.stats.tokens == there.stats.tokens and here.steps == there.steps
    assert there.stats.pressure_by_attribute and here.stats.pressure_by_attribute == pytest.approx(
        there.stats.pressure_by_attribute, rel=1e-3, abs=1e-4
    )
    assert list(here.stream(plan, 3, history=bars[:1])) == bars[1:]
    assert here.takes(plan, [5, 6]) == there.takes(plan, [5, 6])
    assert here.regenerate(plan, bars, 0, 0, seed=4) == there.regenerate(plan, bars, 0, 0, seed=4)
    one = plan.instruments[:1]
    assert here.regenerate(plan, bars, 1, 1, one, 2) == there.regenerate(plan, bars, 1, 1, one, 2)


def test_what_is_replayed_from_a_recording_is_the_same_music_too() -> None:
    plan = make_plan(2)
    there = CmtComposer(loaded(), precision="float32")
    here = CmtComposer(loaded(), precision="float32", device=Graphs("cpu", Cuda()))
    assert list(here.stream(plan, 1)) == list(there.stream(plan, 1))


def test_the_network_of_the_paper_draws_the_same_music() -> None:
    plan = make_plan(2)
    there, here = (CmtComposer(loaded(TINY_PAPER), precision="float32", device=device) for device in (None, Plain()))
    assert list(here.stream(plan, 3)) == list(there.stream(plan, 3))


def test_a_card_that_goes_away_costs_one_sentence(caplog: pytest.LogCaptureFixture) -> None:
    plan = make_plan(4)
    cuda = Cuda()
    composer = CmtComposer(loaded(), device=Graphs("cpu", cuda))
    assert composer.recurrence.precision == "bfloat16"
    stream = composer.stream(plan, 1)
    bars = [next(stream)]
    cuda.lost_after = cuda.launches + 30  # in the middle of the second bar
    bars += stream
    assert [bar.index for bar in bars] == [0, 1, 2, 3]
    assert [bar.density for bar in bars] == [asked.density for asked in plan.bars]
    said = caplog.messages
    assert len(said) == 1 and "cannot be used any more" in said[0] and "\n" not in said[0]
    assert composer.recurrence.precision == "int8"
    assert composer.takes(plan, [1, 2]) and composer.regenerate(plan, bars, 1, 1, seed=1) and len(caplog.messages) == 1


def test_a_card_that_cannot_be_used_from_the_start_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(Cuda):
        def graph_pool_handle(self) -> str:
            raise RuntimeError("CUDA error: out of memory\nCompile with TORCH_USE_CUDA_DSA")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(composer_module, "Graphs", lambda: Graphs("cpu", Full()))
    composer = CmtComposer.load(device="cuda")
    assert composer.recurrence.precision == "int8"
    assert len(caplog.messages) == 1 and "cannot be used (" in caplog.messages[0]


@pytest.mark.parametrize("work", ["takes", "regenerate"])
def test_it_may_go_away_at_any_work(work: str, caplog: pytest.LogCaptureFixture) -> None:
    plan = make_plan(2)
    cuda = Cuda()
    composer = CmtComposer(loaded(), device=Graphs("cpu", cuda))
    bars = list(composer.stream(plan, 1))
    cuda.lost_after = cuda.launches + 5
    found = composer.takes(plan, [1, 2]) if work == "takes" else [composer.regenerate(plan, bars, 0, 0, seed=2)]
    assert all(len(take) == 2 for take in found) and len(caplog.messages) == 1
