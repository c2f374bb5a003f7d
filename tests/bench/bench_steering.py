"""What the host's part of composing costs where the network draws on a device: told of bars, beside asked on the way.

    python tests/bench/bench_steering.py [--streams 1 8 64 256] [--bars 8]

Processor microseconds a row outside the device's work, on one thread, so that a busy machine distorts them less; what
they leave room for is the most rows a second that one process could steer, however quick the device. "asked" is the
composer's way on a processor: every attribute's mask and nats when it is drawn. The network is tiny: its cost is not
counted, nor is that of the kernels that steer, which a card runs. "all" counts them, as the processor runs them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from hitpoint.model.compose.cmt import composer as composer_module
from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.compose.cmt.decode import Decoder
from hitpoint.model.music.score import Note, TempoMap, TempoPoint
from hitpoint.model.network import checkpoint
from hitpoint.model.network.device import Plain
from hitpoint.model.network.network import Network, NetworkConfig
from hitpoint.model.network.static import StaticRecurrence
from hitpoint.model.plan.types import BarPlan, Plan, Section

TINY = NetworkConfig(name="tiny", d_model=16, heads=2, d_ff=16, d_head=16, attention=("gated", "gated"))
DEVICE_WORK = ("start", "restore", "snapshot", "enter_bar", "advance", "logits", "tell", "draw", "hidden", "place")


def plan_of(bars: int) -> Plan:
    """Hits, chords and a tune, so that most leanings have something to say."""
    line = (Note(0, 4, 72, 4, 90), Note(6, 4, 74, 2, 90), Note(10, 4, 76, 6, 90))
    chords = (("C", "G7"), ("Am7", "F"))
    made = []
    for i in range(bars):
        bar = BarPlan(i, 6 + i % 8, ((0, 3), (8, 3)) if i % 2 else (), 0.3 + i / 60)
        made.append(replace(bar, chords=chords[i % 2], key="C major", leader=4, line=line if i % 4 < 2 else ()))
    tempo_map = TempoMap((TempoPoint(0.0, 0.0, 120.0),))
    plan = Plan(2.0 * bars, tempo_map, tuple(made), (), (Section("A", 0, bars),), "rock", (0, 1, 2, 3, 4), 1.0, 0)
    return replace(plan, harmony="leaned")


class Clock:
    """Processor seconds in the device's work and in all."""

    def __init__(self) -> None:
        self.device_s = 0.0

    def timed(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            began = time.process_time()
            try:
                return work(*arguments, **named)
            finally:
                self.device_s += time.process_time() - began

        return timed


def costs(plan: Plan, streams: int, asked: bool) -> tuple[float, float]:
    """Processor microseconds a row: the host's, and all."""
    loaded = checkpoint.Loaded(Network(TINY).eval(), TINY.name, "", 1)
    composer, clock = CmtComposer(loaded, precision="float32", device=Plain()), Clock()
    engine = composer.recurrence
    assert isinstance(engine, StaticRecurrence)
    if asked:
        composer._decoder = lambda **_: Decoder(engine)  # type: ignore[method-assign]
    composer.takes(replace(plan, bars=plan.bars[:2]), range(streams))  # what is cached is there
    for name in DEVICE_WORK:
        setattr(engine, name, clock.timed(getattr(engine, name)))
    flaws = composer_module.flaw_of
    composer_module.flaw_of = lambda *_: False  # type: ignore[assignment]
    began = time.process_time()
    composer.takes(plan, range(streams))
    seconds = time.process_time() - began
    composer_module.flaw_of = flaws
    rows = composer.stats.tokens
    return 1e6 * (seconds - clock.device_s) / rows, 1e6 * seconds / rows


def compare(streams: Sequence[int], bars: int) -> None:
    """Print the table."""
    print(f"{'streams':>8}{'asked, us a row':>18}{'told':>8}{'times':>7}{'rows/s it can steer':>21}{'all, told':>11}")
    for count in streams:
        asked, _ = costs(plan_of(bars), count, asked=True)
        told, every = costs(plan_of(bars), count, asked=False)
        print(f"{count:>8}{asked:>18.1f}{told:>8.1f}{asked / told:>7.1f}{1e6 / told:>21.0f}{every:>11.1f}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 8, 64, 256])
    parser.add_argument("--bars", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    compare(options.streams, options.bars)


if __name__ == "__main__":
    main()
