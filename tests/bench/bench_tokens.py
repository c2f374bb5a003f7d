"""What a token costs: at 500 and at 8,000 rows, as a recurrence and with the whole prefix read again each time.

    python tests/bench/bench_tokens.py [--checkpoint F] [--long ROWS]

Times are processor seconds of this process on one thread, so that a busy machine distorts them less. The baseline is
the same network in its parallel form, which must read the prefix again for each token, as CMT's released code does.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.music import tokens
from hitpoint.model.music.score import GENRES, TempoMap, TempoPoint
from hitpoint.model.network import checkpoint, conditions
from hitpoint.model.network.device import Plain
from hitpoint.model.network.recurrence import Recurrence
from hitpoint.model.network.recurrence_int8 import FastRecurrence, fits
from hitpoint.model.network.static import StaticRecurrence
from hitpoint.model.plan.types import BarPlan, Plan, Section


def made_up_rows(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Note rows at rising times: their cost is that of music, their sense does not matter here."""
    rng = np.random.default_rng(0)
    rows = np.stack([rng.integers(0, size, count) for size in tokens.SIZES], axis=1)
    rows[:, tokens.TYPE] = tokens.NOTE
    return rows, np.arange(count) // 3


def recurrent_costs(engine: Recurrence | FastRecurrence | StaticRecurrence, marks: tuple[int, ...]) -> dict[int, float]:
    """Processor milliseconds a row: the quickest tenth of the 400 rows around each mark."""
    rows, ticks = made_up_rows(max(marks) + 200)
    memory = engine.start(1)
    engine.enter_bar(memory, np.zeros((1, len(conditions.NAMES)), np.int16))
    spent = np.zeros(len(rows))
    for index in range(len(rows)):
        before = time.process_time()
        engine.advance(memory, rows[index : index + 1], ticks[index : index + 1])
        spent[index] = time.process_time() - before
    return {mark: float(np.percentile(spent[mark - 200 : mark + 200], 10)) * 1000 for mark in marks}


def prefix_cost(network: torch.nn.Module, length: int) -> float:
    """Processor milliseconds for one token when the whole prefix of `length` rows is read again."""
    rows, ticks = made_up_rows(length)
    slot, table = np.zeros(length, np.int64), np.zeros((1, 1, len(conditions.NAMES)), np.int64)
    arguments = [torch.from_numpy(a) for a in (rows[None], ticks[None], slot[None], table)]
    with torch.inference_mode():
        network(*arguments)
        before = time.process_time()
        network(*arguments)
    return (time.process_time() - before) * 1000


def largest_difference(network: torch.nn.Module, length: int = 600) -> float:
    """Largest difference of any hidden number between the recurrent and the parallel form, both in float32."""
    rows, ticks = made_up_rows(length)
    engine = Recurrence(network)  # type: ignore[arg-type]
    memory = engine.start(1)
    engine.enter_bar(memory, np.zeros((1, len(conditions.NAMES)), np.int16))
    slot, table = np.zeros(length, np.int64), np.zeros((1, 1, len(conditions.NAMES)), np.int64)
    with torch.inference_mode():
        expected = network(*(torch.from_numpy(a) for a in (rows[None], ticks[None], slot[None], table)))[0]
        found = torch.cat([engine.advance(memory, rows[t : t + 1], ticks[t : t + 1]) for t in range(length)])
    return float((found - expected).abs().max())


def sixty_seconds() -> Plan:
    """A minute at 120 beats a minute: 30 bars, half of them with hits, densities from 6 to 13."""
    bars = tuple(BarPlan(i, 6 + i % 8, ((0, 3), (8, 3)) if i % 2 else (), 0.3 + i / 60) for i in range(30))
    tempo_map = TempoMap((TempoPoint(0.0, 0.0, 120.0),))
    return Plan(60.0, tempo_map, bars, (), (Section("A", 0, 30),), "rock", (0, 1, 2, 3, 4), 1.0, 0)


def reading_ms(count: int) -> float:
    """Milliseconds in which one thread reads `count` bytes that no cache holds: the bound of one stream."""
    blocks = np.ones((64, max(1, count // 8)))
    blocks[0].sum()
    before = time.perf_counter()
    for block in blocks:
        block.sum()
    return (time.perf_counter() - before) / len(blocks) * 1000


def first_bars_ms(composer: CmtComposer) -> list[float]:
    """Milliseconds from a plan to its first bar: the composer's very first, then twenty in all genres."""
    found = []
    for seed in range(21):
        plan = replace(sixty_seconds(), genre=GENRES[seed % len(GENRES)])
        before = time.perf_counter()
        next(composer.stream(plan, seed))
        found.append(1000 * (time.perf_counter() - before))
    return found


def rate_of(composer: CmtComposer, streams: int) -> float:
    """Tokens a processor second of takes of a minute, decoded together."""
    before = time.process_time()
    composer.takes(sixty_seconds(), range(streams))
    return float(composer.stats.tokens / (time.process_time() - before))


def compare_composing(loaded: checkpoint.Loaded) -> None:
    """Print what whole pieces and first bars cost, with plain float32 weights and as shipped."""
    plain = {}
    for name, precision, device in (
        ("float32", "float32", None), ("float32 from fixed memory, as on a card", "float32", Plain()),
        ("as shipped", "auto", None),
    ):  # fmt: skip
        composer = CmtComposer(loaded, precision=precision, device=device)
        first, *later = first_bars_ms(composer)
        print(f"composing, {name}:")
        for streams in (1, 8):
            rate = rate_of(composer, streams)
            ratio = rate / plain.setdefault(streams, rate)
            print(f"  takes together: {streams}, tokens a processor second: {rate:.0f}, {ratio:.1f} x float32")
        median, most = np.median(later), max(later)
        print(f"  first bar: {first:.0f} ms after loading, then {median:.0f} in the middle and at most {most:.0f}")
    before, spent = time.perf_counter(), time.process_time()
    list(composer.stream(sixty_seconds(), 1))
    print(f"one minute: {60 / (time.process_time() - spent):.0f} x real time by processor, ", end="")
    print(f"{60 / (time.perf_counter() - before):.0f} x by the clock on the wall")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=None)
    parser.add_argument("--long", type=int, default=8000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    loaded = checkpoint.load(arguments.checkpoint)
    marks = (500, arguments.long)
    print(f"{loaded.name}: {loaded.parameters:,} parameters, one thread, processor ms a token")
    engines = [("recurrence float32", Recurrence(loaded.network)), ("static float32", StaticRecurrence(loaded.network))]
    if fits(loaded.network.config):
        engines.append(("recurrence int8", FastRecurrence(loaded.network)))  # type: ignore[arg-type]
    costs = {}
    for name, engine in engines:
        costs[name] = recurrent_costs(engine, marks)
        change = costs[name][marks[1]] / costs[name][marks[0]] - 1
        print(f"  {name:20} {costs[name][500]:7.2f} at 500  {costs[name][marks[1]]:7.2f} at {marks[1]}  {change:+.1%}")
    best = engines[-1][0]
    for mark in marks:
        full = prefix_cost(loaded.network, mark)
        print(f"  {'full prefix':20} {full:7.2f} at {mark}: {full / costs[best][mark]:.0f} x {best}")
    print(f"  recurrent against parallel form, float32: largest difference {largest_difference(loaded.network):.1e}")
    reading = reading_ms(loaded.parameters)
    print(f"  reading {loaded.parameters / 1e6:.1f} MB, its eight-bit weights, takes {reading:.2f} ms: ", end="")
    print(f"one take cannot do more than {1000 / reading:.0f} tokens/s")
    compare_composing(loaded)


if __name__ == "__main__":
    main()
