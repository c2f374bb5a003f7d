"""Rows drawn from fixed memory make the music that attribute after attribute makes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from hitpoint.model.compose.cmt import composer as composer_module
from hitpoint.model.compose.cmt import leaning
from hitpoint.model.compose.cmt.composer import CmtComposer, task_of
from hitpoint.model.compose.cmt.grammar import Ask, BarTask, Row, write_bar
from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place, leanings_of
from hitpoint.model.compose.cmt.steering import Steering, told_of
from hitpoint.model.compose.cmt.tables import Teller
from hitpoint.model.compose.cmt.wishes import Wishes
from hitpoint.model.errors import UsageError
from hitpoint.model.music.score import TICKS_PER_BAR, Bar, Note
from hitpoint.model.music.tokens import BAR_LINE, FIELDS
from hitpoint.model.network import checkpoint
from hitpoint.model.network.device import Graphs, Plain
from hitpoint.model.network.network import Network
from hitpoint.model.network.static_step import BAR, IDLE, NOTE, ONSET, STAGE, TIME
from hitpoint.model.plan.arrangement.arrange import arrange
from hitpoint.model.plan.types import Plan, Section
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


def long_plan() -> Plan:
    """A piece with sections that return, changes of harmony, a rise, stops, caps, entries and an end in mid-bar."""
    sections = tuple(Section("ABA"[n], 4 * n, 4 * n + 4) for n in range(3))
    plan = replace(make_plan(12), sections=sections, duration_s=23.25)
    fill = (Note(12, 0, 38, 1, 90), Note(12, 0, 47, 1, 90))
    bars = [
        replace(
            bar, section=bar.index // 4, key="A minor" if bar.index < 4 else None,
            lead={3: "rise", 6: "dominant"}.get(bar.index, ""),
            changes=(6,) if bar.index in (5, 6) else (), stops=(5,) if bar.index == 2 else (),
            caps=((3, 2), (4, 1)) if bar.index % 3 == 1 else (), entries=((2, 3),) if bar.index == 4 else (),
            closed=((0, 0), (4, 2)) if bar.index == 8 else (), scored=fill if bar.index == 7 else (),
            density=6 if bar.index in (0, 8) else bar.density,
            required=() if bar.index in (0, 8) else bar.required,
        )
        for bar in plan.bars
    ]  # fmt: skip
    return replace(plan, bars=tuple(bars))


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


def bars_of(plan: Plan, rng: np.random.Generator, seeds: int) -> list[list[Bar]]:
    """Pieces written side by side, each both ways with the same arbitrary choices; what may come and is welcome is
    compared at every choice."""
    pieces: list[list[Bar]] = [[] for _ in range(seeds)]
    steering = Steering(torch.device("cpu"))
    for index in range(len(plan.bars)):
        tasks = [
            [replace(task_of(plan, index), leanings=leanings_of(Here(plan, index, piece))) for _ in range(2)]
            for piece in pieces
        ]
        for piece, bar in zip(pieces, _both_ways(steering, tasks, rng), strict=True):
            piece.append(bar)
    return pieces


ASKED = {BAR: ["density"], ONSET: ["instrument", "strength"], NOTE: ["pitch", "duration", "velocity"]}
NATS = {
    "density": Steering.densities, "instrument": Steering.instruments, "strength": Steering.strengths,
    "pitch": Steering.pitches, "duration": Steering.durations, "velocity": Steering.velocities,
}  # fmt: skip


def _both_ways(steering: Steering, tasks: Sequence[Sequence[BarTask]], rng: np.random.Generator) -> list[Bar]:
    teller = Teller()
    told = {name: torch.zeros(len(tasks), width, dtype=dtype) for name, (width, dtype) in steering.told.items()}
    for number, (task, _) in enumerate(tasks):
        for name, values in told_of(task, rng, teller).items():
            told[name][number] = torch.from_numpy(values)
    beside = [_Beside(task) for _, task in tasks]
    state = told["state"]
    while bool((state[:, STAGE] != IDLE).any()):
        row, before = steering.open(told), state.clone()
        for stage, attributes in ASKED.items():
            drawing = steering.drawing(told, stage)
            for attribute in attributes:
                chosen = [row[:, FIELD[attributes[0]]]] if attribute in ("strength", "duration") else []
                nats = NATS[attribute](steering, told, *chosen)
                for number in torch.nonzero(drawing)[:, 0].tolist():
                    row[number, FIELD[attribute]] = beside[number].answered(attribute, nats[number].numpy(), rng)
        for number, stage in enumerate(before[:, STAGE].tolist()):
            if stage != IDLE:
                beside[number].read(row[number].tolist(), int(before[number, TIME]))
        steering.settle(told, row, True, True)
        due = steering.due(told)
        nats, possible = steering.beats(told)
        beats = torch.full((len(tasks),), BAR_LINE)
        for number in torch.nonzero(due & possible)[:, 0].tolist():
            beats[number] = beside[number].answered("beat", nats[number].numpy(), rng)
        assert all(not beside[n].done for n in torch.nonzero(due & possible & (beats != BAR_LINE))[:, 0].tolist())
        steering.turn(told, beats)
    assert all(each.done for each in beside)
    return [each.bar for each in beside]


class _Beside:
    """The writer that is asked, one attribute after the other."""

    def __init__(self, task: BarTask) -> None:
        self._writer, self._index, self.done = write_bar(task), task.index, False
        self._ask = next(self._writer)

    def answered(self, attribute: str, nats: np.ndarray, rng: np.random.Generator) -> int:
        """A class, picked from what is allowed both there and here."""
        ask = self._ask
        assert isinstance(ask, Ask) and ask.attribute == attribute
        assert ((nats > -np.inf) == ask.mask).all(), attribute
        expected = np.zeros(len(ask.mask), np.float32)
        expected[list(ask.lean)] = np.array(list(ask.lean.values()), np.float32)
        np.testing.assert_allclose(nats[ask.mask], expected[ask.mask], rtol=1e-6, atol=1e-5, err_msg=attribute)
        odds = np.exp(
            0.5 * (expected[ask.mask] - expected[ask.mask].max())
        )  # rather what is welcome, so that bars recur
        picked = int(rng.choice(np.flatnonzero(ask.mask), p=odds / odds.sum()))
        self._send(picked)
        return picked

    def read(self, row: Sequence[int], ticks: int) -> None:
        """The row must be the one that is ready."""
        assert self._ask == Row(tuple(row), ticks - self._index * TICKS_PER_BAR)
        self._send(0)

    def _send(self, value: int) -> None:
        try:
            self._ask = self._writer.send(value)
        except StopIteration as stop:
            self.bar, self.done = stop.value, True


FIELD = {name: number for number, name in enumerate(FIELDS)}


def test_the_device_is_told_all_that_is_asked_for_on_the_way(plan: Plan) -> None:
    pieces = bars_of(plan, np.random.default_rng(1), 3)
    assert all(len(piece) == len(plan.bars) for piece in pieces)


def test_every_leaning_is_told() -> None:
    """In a longer piece, with each kind of leaning in it."""
    plan, seen = long_plan(), set[str]()
    for piece in bars_of(plan, np.random.default_rng(2), 2):
        for index in range(len(plan.bars)):
            seen.update(type(each).__name__ for each in leanings_of(Here(plan, index, piece[:index])))
        again = Here(plan, 0, (), True, piece[0])
        seen.update(type(each).__name__ for each in leanings_of(again))
    seen.update(type(each).__name__ for each in leanings_of(Here(chorded(make_plan(1)), 0)))
    assert seen == {kind.__name__ for kind in leaning.kinds()}


@pytest.mark.parametrize("streams", [8, 64])
def test_many_takes_are_those_of_one(streams: int) -> None:
    plan = chorded(make_plan(1 if streams > 8 else 2))
    there, here = (CmtComposer(loaded(), precision="float32", device=device) for device in (None, Plain()))
    assert here.takes(plan, range(streams)) == there.takes(plan, range(streams))


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


def test_a_leaning_without_tables_leaves_the_work_to_the_processor(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Pedal(Leaning):
        @classmethod
        def of(cls, here: Here) -> Pedal:
            return cls()

        def lean(self, attribute: str, place: Place) -> dict[int, float]:
            return {40: 1.0} if attribute == "pitch" else {}

    monkeypatch.setattr(leaning, "kinds", lambda: (Pedal,))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert CmtComposer.load().recurrence.precision == "int8"
    assert caplog.messages == ["the leaning Pedal cannot be used on a graphics card; the processor composes"]
    with pytest.raises(UsageError, match="Pedal cannot be used on a graphics card; use --device cpu"):
        CmtComposer.load(device="cuda")
    with pytest.raises(UsageError, match="Pedal"):
        Pedal().tell(Wishes())


@pytest.mark.parametrize("work", ["takes", "regenerate"])
def test_it_may_go_away_at_any_work(work: str, caplog: pytest.LogCaptureFixture) -> None:
    plan = make_plan(2)
    cuda = Cuda()
    composer = CmtComposer(loaded(), device=Graphs("cpu", cuda))
    bars = list(composer.stream(plan, 1))
    cuda.lost_after = cuda.launches + 5
    found = composer.takes(plan, [1, 2]) if work == "takes" else [composer.regenerate(plan, bars, 0, 0, seed=2)]
    assert all(len(take) == 2 for take in found) and len(caplog.messages) == 1
