"""The recurrent form of the network says what the parallel form says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.music import tokens
from hitpoint.model.network import conditions, int8
from hitpoint.model.network.attention import windowed
from hitpoint.model.network.network import CHAIN, DEFAULT, PAPER, Network, NetworkConfig
from hitpoint.model.network.recurrence import Recurrence
from hitpoint.model.network.recurrence_int8 import FastRecurrence
from tests.fakes import fake_plan

SMALL = dataclasses.replace(DEFAULT, d_model=64, heads=2, d_ff=96, d_head=64, window=40)
SMALL_PAPER = dataclasses.replace(PAPER, d_model=64, heads=2, d_ff=96, d_head=64, attention=("linear",) * 3)


def spread(network: Network) -> Network:
    """Weights large enough that every part of the network matters to its output."""
    torch.manual_seed(1)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.08)
    return network.eval()


def random_rows(length: int, batch: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    rows = torch.stack([torch.randint(0, size, (batch, length)) for size in tokens.SIZES], dim=-1)
    rows[..., tokens.TYPE] = torch.randint(1, 3, (batch, length))
    rows[:, 0] = 0
    rows[:, 0, tokens.TYPE], rows[:, 0, tokens.PITCH] = tokens.INIT, 3
    time = torch.arange(length).expand(batch, -1) // 3
    slot = time // 16
    sizes = conditions.SIZES
    table = torch.stack([torch.randint(0, size, (batch, int(slot.max()) + 1)) for size in sizes], dim=-1)
    return rows, time, slot, table


@pytest.mark.parametrize("config", [SMALL, SMALL_PAPER], ids=["default", "paper"])
def test_recurrent_form_equals_parallel_form(config: NetworkConfig) -> None:
    network = spread(Network(config))
    length, batch = 150, 2
    rows, time, slot, table = random_rows(length, batch)
    with torch.no_grad():
        expected = network(rows, time, slot, table)
    recurrence = Recurrence(network)
    memory = recurrence.start(batch)
    for t in range(length):
        at = slot[:, t]
        recurrence.enter_bar(memory, table[torch.arange(batch), at].numpy().astype(np.int16))
        hidden = recurrence.advance(memory, rows[:, t].numpy(), time[:, t].numpy())
        torch.testing.assert_close(hidden, expected[:, t], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("config", [SMALL, SMALL_PAPER], ids=["default", "paper"])
def test_folded_heads_equal_the_heads(config: NetworkConfig) -> None:
    network = spread(Network(config))
    recurrence = Recurrence(network)
    hidden = torch.randn(3, config.d_model)
    for attribute in config.attributes:
        names = CHAIN[attribute] if config.head == "chained" else ("type",)
        known = {name: [1, 2, 0] for name in names}
        told = {name: torch.tensor(classes) for name, classes in known.items()}
        with torch.no_grad():
            expected = network.heads(hidden, attribute, told)
        np.testing.assert_allclose(recurrence.logits(hidden, attribute, known), expected.numpy(), atol=1e-4)


@pytest.mark.parametrize("engine", [Recurrence, FastRecurrence])
def test_a_snapshot_goes_on_to_the_bit(engine: type[Recurrence] | type[FastRecurrence]) -> None:
    recurrence = engine(spread(Network(SMALL)))
    rows, time, _, table = random_rows(90, 1)
    memory = recurrence.start(1)
    recurrence.enter_bar(memory, table[:, 0].numpy().astype(np.int16))

    def run(first: int, last: int, streams: object) -> torch.Tensor:
        for t in range(first, last):
            hidden = recurrence.advance(streams, rows[:, t].numpy(), time[:, t].numpy())
        return hidden

    run(0, 60, memory)
    kept = recurrence.snapshot(memory)
    expected = run(60, 90, memory)
    resumed = recurrence.restore(kept)
    recurrence.enter_bar(resumed, table[:, 0].numpy().astype(np.int16))
    assert torch.equal(run(60, 90, resumed), expected)


def test_eight_bit_weights_stay_close_to_the_network() -> None:
    network = spread(Network(SMALL))
    rows, time, _, table = random_rows(60, 1)
    results = []
    for engine in (Recurrence, FastRecurrence):
        recurrence = engine(network)
        memory = recurrence.start(1)
        recurrence.enter_bar(memory, table[:, 0].numpy().astype(np.int16))
        for t in range(60):
            hidden = recurrence.advance(memory, rows[:, t].numpy(), time[:, t].numpy())
        results.append(hidden)
    difference = (results[0] - results[1]).norm() / results[0].norm()
    assert 0 < difference < 0.1


def test_the_paper_network_has_the_size_of_the_paper() -> None:
    parameters = sum(parameter.numel() for parameter in Network(PAPER).parameters())
    assert abs(parameters - 39_006_324) / 39_006_324 < 0.01


@pytest.mark.parametrize("engine", [Recurrence, FastRecurrence])
def test_genre_strength_moves_away_from_the_unknown_genre(engine: type[Recurrence] | type[FastRecurrence]) -> None:
    network = spread(Network(SMALL))
    rows, time, _, table = random_rows(40, 1)
    genre = conditions.COLUMN["genre"]

    def last(strength: float, named: int) -> torch.Tensor:
        recurrence = engine(network, strength)
        memory = recurrence.start(1)
        row = table[:, 0].numpy().astype(np.int16)
        row[:, genre] = named
        recurrence.enter_bar(memory, row)
        start = rows[:, :1].clone()
        start[..., tokens.PITCH] = named
        sequence = torch.cat([start, rows[:, 1:]], dim=1)
        for t in range(40):
            hidden = recurrence.advance(memory, sequence[:, t].numpy(), time[:, t].numpy())
        return hidden

    torch.testing.assert_close(last(0.0, 3), last(1.0, 0), atol=1e-5, rtol=1e-5)
    apart = [float((last(strength, 3) - last(1.0, 0)).norm()) for strength in (0.5, 1.0, 3.0)]
    assert apart == sorted(apart) and apart[0] > 0


def _gone(*args: object) -> torch.Tensor:
    raise AttributeError("module 'torch' has no attribute '_weight_int8pack_mm'")


def _wrong(x: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return torch.zeros(len(x), len(weight))


@pytest.mark.parametrize("replacement", [_gone, _wrong])
def test_a_torch_without_the_eight_bit_product_composes_in_float32(
    replacement: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert int8.is_available()
    monkeypatch.setattr(torch, "_weight_int8pack_mm", replacement)
    int8.is_available.cache_clear()
    try:
        composer = CmtComposer.load()
        assert composer.recurrence.precision == "float32"
        assert len(next(composer.stream(fake_plan(bars=2), 0)).notes) > 0
    finally:
        monkeypatch.undo()
        int8.is_available.cache_clear()


@pytest.mark.parametrize(("length", "window"), [(300, 100), (128, 384), (129, 128), (257, 1), (5, 3)])
def test_attention_in_blocks_sees_what_a_full_mask_shows(length: int, window: int) -> None:
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 3, length, 8) for _ in range(3))
    distance = torch.arange(length)[:, None] - torch.arange(length)
    seen = (distance >= 0) & (distance < window)
    torch.testing.assert_close(windowed(q, k, v, window), F.scaled_dot_product_attention(q, k, v, attn_mask=seen))
