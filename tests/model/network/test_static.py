"""The network from fixed memory says what the recurrence says: run as it is written, and replayed from a recording."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from hitpoint.model.compose.cmt.decode import choose
from hitpoint.model.compose.cmt.grammar import BarTask
from hitpoint.model.compose.cmt.steering import Steering, told_of
from hitpoint.model.compose.cmt.tables import Teller
from hitpoint.model.network.device import Device, DeviceLost, Graphs, Plain
from hitpoint.model.network.network import Network, NetworkConfig
from hitpoint.model.network.recurrence import Recurrence
from hitpoint.model.network.static import PARTS, StaticRecurrence, size_for
from hitpoint.model.network.static_step import NOTE, ONSET, STAGE, STATE, drawn
from tests.graphs import Cuda
from tests.model.network.test_recurrence import SMALL as LARGER
from tests.model.network.test_recurrence import SMALL_PAPER, random_rows, spread

SMALL = dataclasses.replace(
    LARGER, d_model=32, d_ff=48, d_head=32, attention=("gated", "local", "gated"), window=20
)  # fmt: skip
DEVICES = {"plain": Plain, "replayed": lambda: Graphs("cpu", Cuda())}


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> Device:
    made: Device = DEVICES[request.param]()
    return made


@pytest.mark.parametrize("config", [SMALL, SMALL_PAPER], ids=["default", "paper"])
def test_the_static_step_equals_the_recurrence(config: NetworkConfig, device: Device) -> None:
    network = spread(Network(config))
    rows, time, slot, table = random_rows(30, 3)
    slot = time // 5
    plain, static = Recurrence(network, 3.0), StaticRecurrence(network, 3.0, device)
    memories = plain.start(3), static.start(3)
    for t in range(30):
        for engine, memory in zip((plain, static), memories, strict=True):
            at = table[torch.arange(3), slot[:, t] % table.shape[1]].numpy().astype(np.int16)
            if t == 0:
                engine.enter_bar(memory, at)
            else:
                engine.enter_bar(memory, at[t % 3 :][:1], t % 3)  # one stream after the other, as bars end
        expected, found = (
            engine.advance(memory, rows[:, t].numpy(), time[:, t].numpy())
            for engine, memory in zip((plain, static), memories, strict=True)
        )
        assert float((found - expected).norm() / expected.norm()) < 1e-5


def test_two_pieces_take_turns_on_the_same_memory(device: Device) -> None:
    static = StaticRecurrence(spread(Network(SMALL)), device=device)
    rows, time, _, table = random_rows(20, 2)

    def go(memory: object, stream: int, first: int, last: int) -> torch.Tensor:
        for t in range(first, last):
            hidden = static.advance(memory, rows[stream : stream + 1, t].numpy(), time[:1, t].numpy())
        return hidden

    def alone(stream: int) -> torch.Tensor:
        memory = static.start(1)
        static.enter_bar(memory, table[stream : stream + 1, 0].numpy().astype(np.int16))
        return go(memory, stream, 0, 20)

    expected = [alone(stream) for stream in (0, 1)]
    memories = [static.start(1), static.start(1)]
    for stream in (0, 1):
        static.enter_bar(memories[stream], table[stream : stream + 1, 0].numpy().astype(np.int16))
    for t in range(0, 20, 5):
        found = [go(memories[stream], stream, t, t + 5) for stream in (0, 1)]
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_a_snapshot_goes_on_to_the_bit_in_every_stream(device: Device) -> None:
    static = StaticRecurrence(spread(Network(SMALL)), device=device)
    rows, time, _, table = random_rows(34, 1)
    first = table[:, 0].numpy().astype(np.int16)
    memory = static.start(1)
    static.enter_bar(memory, first)

    def go(streams: object, n: int, start: int, end: int) -> torch.Tensor:
        for t in range(start, end):
            hidden = static.advance(streams, rows[:, t].numpy().repeat(n, axis=0), time[:, t].numpy().repeat(n))
        return hidden

    go(memory, 1, 0, 28)  # over the window of the local layer
    kept = static.snapshot(memory)
    expected = go(memory, 1, 28, 34)
    several = static.restore(kept, 4)
    static.enter_bar(several, first.repeat(4, axis=0))
    torch.testing.assert_close(go(several, 4, 28, 34), expected.expand(4, -1), atol=1e-5, rtol=1e-5)
    one = static.restore(kept)
    static.enter_bar(one, first)
    assert torch.equal(go(one, 1, 28, 34), expected)


def test_half_weights_stay_close_and_take_half_the_memory() -> None:
    network = spread(Network(SMALL))
    rows, time, _, table = random_rows(40, 1)
    results = []
    for half in (False, True):
        static = StaticRecurrence(network, half=half)
        memory = static.start(1)
        static.enter_bar(memory, table[:, 0].numpy().astype(np.int16))
        for t in range(40):
            hidden = static.advance(memory, rows[:, t].numpy(), time[:, t].numpy())
        results.append(hidden)
        assert static.precision == ("bfloat16" if half else "float32")
    assert 0 < float((results[0] - results[1]).norm() / results[0].norm()) < 0.03
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}, (
        "the network itself is left alone"
    )


def test_drawing_on_the_device_is_drawing_on_the_host() -> None:
    rng = np.random.default_rng(0)
    for classes in (6, 18, 129):
        logits = rng.normal(0, 3, (400, classes)).astype(np.float32)
        masks = rng.random((400, classes)) < rng.random((400, 1))
        masks[np.arange(400), rng.integers(0, classes, 400)] = True
        leans = [{int(c): float(rng.normal()) for c in rng.integers(0, classes, 3)} for _ in range(400)]
        nats = np.where(masks, np.float32(0), np.float32(-np.inf))
        for row, lean in enumerate(leans):
            nats[row, list(lean)] += np.array(list(lean.values()), np.float32)
        draws = rng.random(400)
        expected, pressure = choose(logits, masks, leans, 0.9, 0.93, draws)
        uniform = torch.from_numpy(draws)[:, None]
        value, felt, free = drawn(torch.from_numpy(logits), torch.from_numpy(nats), torch.tensor(0.9), 0.93, uniform)
        assert (value.numpy() == expected).all() and (free.numpy() == (masks.sum(axis=1) > 1)).all()
        np.testing.assert_allclose(felt.numpy(), pressure, atol=1e-4)


class Watch(TorchDispatchMode):
    """Notes every kernel that reads or writes memory of the host."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, list[Tensor]]] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        known = [each for each in args if isinstance(each, Tensor)]
        if known and known[0].device.type == "cpu" and function.overloadpacket.__name__ == "copy_":
            self.seen.append(("back", known))
            return known[0]  # a meta tensor holds nothing to be copied
        result = function(*args, **(kwargs or {}))
        made = [each for each in (result if isinstance(result, tuple) else (result,)) if isinstance(each, Tensor)]
        if any(each.device.type == "cpu" and each.dim() for each in (*known, *made)):
            self.seen.append((function.overloadpacket.__name__, known))
        return result


@pytest.mark.parametrize("config", [SMALL, SMALL_PAPER], ids=["default", "paper"])
@pytest.mark.parametrize("half", [False, True])
def test_nothing_but_what_is_told_goes_to_the_device_and_nothing_but_the_row_comes_back(
    config: NetworkConfig, half: bool
) -> None:
    """On a device that holds no numbers, so that looking at one is an error."""
    with torch.device("meta"):
        network = Network(config)
    watched: list[Watch] = []

    class Meta(Plain):
        def graph(self, work: Any) -> Any:
            watched.append(Watch())
            with watched[-1]:
                work()
            return work

    static = StaticRecurrence(
        network, 3.0, Meta("meta"), half=half, sizes=(8,), steering=Steering(torch.device("meta"))
    )
    buffers = static._benches[8].buffers
    pairs = [(buffers.here, buffers.there), *buffers.slots]
    ways = {(id(there[name]), id(here[name])) for here, there in pairs for name in here}
    ways.add((id(buffers.out_here), id(buffers.out)))
    assert len(watched) == 2 + len(buffers.slots) + 2 * len(PARTS) + 2
    for each in watched:
        assert {name for name, _ in each.seen} <= {"copy_", "back"}
        assert {(id(to), id(source)) for _, (to, source, *_) in each.seen} <= ways
        assert sum(name == "back" for name, _ in each.seen) <= 1


@pytest.mark.parametrize(("streams", "size"), [(1, 1), (2, 8), (8, 8), (9, 64), (65, 256), (257, 512)])
def test_streams_take_the_next_size(streams: int, size: int) -> None:
    assert size_for(streams) == size


def test_nothing_is_recorded_or_moved_once_a_size_is_ready() -> None:
    cuda = Cuda()
    static = StaticRecurrence(
        spread(Network(SMALL)), device=Graphs("cpu", cuda, 0.25), sizes=(1,), steering=Steering(torch.device("cpu"))
    )
    rows, time, _, table = random_rows(5, 1)
    buffers = static._benches[1].buffers
    parts = (*buffers.remembered(), *buffers.here.values(), *buffers.there.values(), *buffers.slots[0][1].values())
    before = [part.data_ptr() for part in parts]
    recorded = cuda.recorded
    memory = static.start(1)
    static.enter_bar(memory, table[:, 0].numpy().astype(np.int16))
    for t in range(5):
        static.advance(memory, rows[:, t].numpy(), time[:, t].numpy())
    static.tell(memory, 0, told_of(BarTask(0, (0, 1), 16, 3), np.random.default_rng(0), Teller()))
    found = [static.draw(memory, set(), True), static.draw(memory, {ONSET}, False)]
    assert [row[0, STAGE + STATE] for row in found] == [ONSET, NOTE]
    static.reserve(3)
    assert [part.data_ptr() for part in parts] == before and cuda.recorded == recorded > 0 and cuda.share == 0.25


def test_a_card_that_goes_away_is_one_short_error() -> None:
    static = StaticRecurrence(spread(Network(SMALL)), device=Graphs("cpu", Cuda(lost_after=1)), sizes=(1,))
    rows, time, _, table = random_rows(3, 1)
    memory = static.start(1)
    static.enter_bar(memory, table[:, 0].numpy().astype(np.int16))
    with pytest.raises(DeviceLost, match="unspecified launch failure") as caught:
        static.advance(memory, rows[:, 0].numpy(), time[:, 0].numpy())
    assert "\n" not in str(caught.value)


def test_a_recording_that_looks_at_a_value_is_refused() -> None:
    """So that the tests above prove what they are there for."""
    with pytest.raises(DeviceLost, match="not permitted"):
        x = torch.zeros(2)
        Graphs("cpu", Cuda()).graph(lambda: x.mul_(0 if bool(x[0] > 0) else 1))
