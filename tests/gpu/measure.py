"""The figures of the GPU path, one after the other, each printed and kept as soon as it is there. See `run.sh`."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.compose.cmt.grammar import BarTask
from hitpoint.model.compose.cmt.steering import Steering, told_of
from hitpoint.model.compose.cmt.tables import Teller
from hitpoint.model.data.build import Shard, load
from hitpoint.model.data.windows import Batch
from hitpoint.model.music import tokens
from hitpoint.model.music.score import TICKS_PER_BAR, TempoMap, TempoPoint
from hitpoint.model.network import checkpoint, conditions, network
from hitpoint.model.network.device import Device, Graphs, Plain
from hitpoint.model.network.recurrence import Recurrence
from hitpoint.model.network.static import StaticRecurrence
from hitpoint.model.network.static_step import BAR, IDLE, NOTE, ONSET, STAGE, STATE
from hitpoint.model.plan.types import BarPlan, Plan, Section
from hitpoint.model.training.feed import feed
from hitpoint.model.training.group import Group
from hitpoint.model.training.objective import Objective, compiler_for
from hitpoint.model.training.pace import Pace
from hitpoint.model.training.recipe import Recipe
from hitpoint.model.training.train import _optimizers, _step, train

PIECE_BYTES = 15 << 20
SPARE_S = 45.0
"""Before the end of the minutes, for the last look at held-out music and the writing."""
LARGEST = network.NetworkConfig(
    name="wide", d_model=384, heads=6, d_ff=1056, d_head=384,
    attention=("gated", "gated", "gated", "local", "gated", "gated"),
)  # fmt: skip
"""docs/gpu.md says why this size."""
TINY = replace(LARGEST, name="wide", d_model=32, heads=2, d_ff=48, d_head=32, attention=("gated", "local"), window=32)


class Figures:
    """What was found, printed and written as it comes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.found = folder / "figures.json", dict[str, Any]()

    def add(self, name: str, value: object) -> None:
        """Keep one figure."""
        self.found[name] = value
        print(f"{name}: {value}")
        self.path.write_text(json.dumps(self.found, indent=1))


class Rig:
    """The machine: its device, and how much work suits it. tiny: as little as shows that everything runs."""

    def __init__(self, where: str, tiny: bool) -> None:
        self.where, self.tiny, self.on_card = where, tiny, where.startswith("cuda")

    def device(self) -> Device:
        """For the static step."""
        return Graphs(self.where) if self.on_card else Plain(self.where)

    def wait(self) -> None:
        """Until the card has done everything."""
        if self.on_card:
            torch.cuda.synchronize()

    def name(self) -> str:
        """The card's, or "cpu"."""
        return torch.cuda.get_device_name() if self.on_card else "cpu"

    def mebibytes(self) -> float:
        """The most memory that was in use since the last call."""
        if not self.on_card:
            return 0.0
        most = torch.cuda.max_memory_reserved() / 2**20
        torch.cuda.reset_peak_memory_stats()
        return round(most, 1)


def rows_of(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of notes at rising times."""
    rng = np.random.default_rng(0)
    rows = np.stack([rng.integers(0, size, count) for size in tokens.SIZES], axis=1)
    rows[:, tokens.TYPE] = tokens.NOTE
    return rows, np.arange(count) // 3


def plan_of(bars: int) -> Plan:
    """Bars of 120 beats a minute, half of them with hits."""
    plans = tuple(BarPlan(i, 6 + i % 8, ((0, 3), (8, 3)) if i % 2 else (), 0.3 + i / 60) for i in range(bars))
    tempo_map = TempoMap((TempoPoint(0.0, 0.0, 120.0),))
    return Plan(2.0 * bars, tempo_map, plans, (), (Section("A", 0, bars),), "rock", (0, 1, 2, 3, 4), 1.0, 0)


def parity(rig: Rig, loaded: checkpoint.Loaded, figures: Figures) -> None:
    """The static step beside the recurrence on the host: hidden vectors, and whole bars note for note."""
    count = 12 if rig.tiny else 200
    rows, ticks = rows_of(count)
    plain, static = Recurrence(loaded.network), static_on(rig, loaded, half=False)
    memories = plain.start(1), static.start(1)
    most = 0.0
    for engine, memory in zip((plain, static), memories, strict=True):
        engine.enter_bar(memory, np.zeros((1, len(conditions.NAMES)), np.int16))  # type: ignore[arg-type]
    for t in range(count):
        one = plain.advance(memories[0], rows[t : t + 1], ticks[t : t + 1])
        other = static.advance(memories[1], rows[t : t + 1], ticks[t : t + 1]).cpu()
        most = max(most, float((one - other).norm() / one.norm()))
    figures.add("parity, hidden vectors, relative", most)
    plan = plan_of(1 if rig.tiny else 8)
    there = CmtComposer(loaded, precision="float32", device=rig.device())
    here = CmtComposer(loaded, precision="float32")
    pairs = [*zip(there.stream(plan, 1), here.stream(plan, 1), strict=True)]
    figures.add("parity, bars alike", f"{sum(one == other for one, other in pairs)} of {len(pairs)}")


def static_on(rig: Rig, loaded: checkpoint.Loaded, half: bool = True, sizes: tuple[int, ...] = ()) -> StaticRecurrence:
    """The network on the rig's device."""
    net = network.Network(loaded.network.config)
    net.load_state_dict(loaded.network.state_dict())
    steering = Steering(torch.device(rig.where))
    return StaticRecurrence(net.eval().to(rig.where), device=rig.device(), half=half, sizes=sizes, steering=steering)


def tokens_a_second(rig: Rig, loaded: checkpoint.Loaded, figures: Figures) -> None:
    """Rows that the device draws by itself, then those of composing, where the host steers."""
    for size in (1, 8) if rig.tiny else (1, 8, 64, 256):
        rig.mebibytes()
        static = static_on(rig, loaded, sizes=(size,))
        memory, rng, teller = static.start(size), np.random.default_rng(0), Teller()
        task = BarTask(0, (0, 1, 2, 3, 4), 4 * TICKS_PER_BAR, 12)
        told = told_of(task, rng, teller)
        count, stage = 3 if rig.tiny else 300, np.full(size, IDLE)
        rig.wait()
        began = time.perf_counter()
        for _ in range(count):  # the same bar again and again, so that the host has nothing to work out
            for number in np.flatnonzero(stage == IDLE).tolist():
                static.tell(memory, number, told)
                stage[number] = BAR
            stage = static.draw(memory, {ONSET, NOTE}, True)[:, STATE + STAGE].astype(int)
        rig.wait()
        figures.add(f"rows/s on the device alone, {size}", round(count * size / (time.perf_counter() - began)))
        figures.add(f"MiB, {size}", rig.mebibytes())
        composer = CmtComposer(loaded, device=rig.device())
        began = time.perf_counter()
        composer.takes(plan_of(1 if rig.tiny else 4), range(size if not rig.tiny else 1))
        figures.add(f"tokens/s composed, {size}", round(composer.stats.tokens / (time.perf_counter() - began)))


def first_bar(rig: Rig, loaded: checkpoint.Loaded, figures: Figures) -> None:
    """From a plan to its first bar, and a passage written again."""
    composer = CmtComposer(loaded, device=rig.device())
    found = []
    plan = plan_of(2 if rig.tiny else 4)
    for seed in range(2 if rig.tiny else 12):
        began = time.perf_counter()
        next(composer.stream(plan, seed))
        found.append(1000 * (time.perf_counter() - began))
    figures.add("first bar, ms: median, most", [round(float(np.median(found)), 1), round(max(found), 1)])
    bars = list(composer.stream(plan, 0))
    began = time.perf_counter()
    composer.regenerate(plan, bars, 0, 0, seed=1)
    figures.add("a bar again, ms", round(1000 * (time.perf_counter() - began), 1))


def made_up(batch: int, length: int) -> Batch:
    """Windows of arbitrary rows, as costly as music."""
    rng = np.random.default_rng(0)
    rows = np.stack([rng.integers(0, size, (batch, length + 1)) for size in tokens.SIZES], axis=-1)
    rows[..., tokens.TYPE] = rng.integers(tokens.RHYTHM, tokens.NOTE + 1, (batch, length + 1))
    time_ticks = np.arange(length + 1)[None].repeat(batch, axis=0) // 3
    slots = int(time_ticks.max()) // 16 + 1
    table = np.stack([rng.integers(0, size, (batch, slots)) for size in conditions.SIZES], axis=-1)
    valid, loud = np.ones((batch, length), bool), np.ones(batch, bool)
    return Batch(rows, time_ticks, time_ticks // 16, table, valid, loud)


def peak(rig: Rig) -> float:
    """What products in bfloat16 reach here, in floating-point operations a second."""
    n, times = (256, 2) if rig.tiny else (8192, 30)
    a, b = (torch.randn(n, n, device=rig.where, dtype=torch.bfloat16) for _ in range(2))
    a @ b
    rig.wait()
    began = time.perf_counter()
    for _ in range(times):
        a @ b
    rig.wait()
    return 2.0 * n**3 * times / (time.perf_counter() - began)


def training_speed(rig: Rig, figures: Figures) -> None:
    """Rows a second of each configuration, and the share of the peak that its products are."""
    best = peak(rig)
    figures.add("peak of products, TFLOP/s", round(best / 1e12, 3))
    for name in ("wide",) if rig.tiny else ("default", "paper", "wide"):
        batch, length, steps = (1, 64, 1) if rig.tiny else (64, 1024, 12)
        recipe = Recipe(name, steps=1000, batch=batch, length=length, warmup=1)
        made = network.Network(network.CONFIGS[name]).to(rig.where)
        objective, optimizers = Objective(made, compiler_for(rig.where, "auto", long=False)), _optimizers(made, recipe)
        fed, pace = feed(made_up(batch, length), made.config.attributes, rig.where), Pace(1000)
        for _ in range(1 if rig.tiny else 4):
            _step(objective, optimizers, fed, recipe, pace, Group())
        rig.wait()
        began = time.perf_counter()
        for _ in range(steps):
            _step(objective, optimizers, fed, recipe, pace, Group())
        rig.wait()
        speed = steps * batch * length / (time.perf_counter() - began)
        figures.add(f"training, {name}, rows/s", round(speed))
        share = speed * operations_a_row(name) / best
        figures.add(f"training, {name}, share of the peak", round(share, 3))
        figures.add(f"training, {name}, MiB", rig.mebibytes())


def operations_a_row(name: str) -> float:
    """Floating-point operations of the products of one row, there and back."""
    made, length = network.Network(network.CONFIGS[name]), 128
    fed = feed(made_up(1, length), made.config.attributes, "cpu")
    with FlopCounterMode(display=False) as counter:
        Objective(made)(fed)[0].backward()
    return float(counter.get_total_flops()) / length


def train_on(rig: Rig, shard: Shard, minutes: float, out: Path, figures: Figures) -> None:
    """The largest size that pays, for the minutes that are left; checkpoint, card and log come back in pieces."""
    batch, length, steps = (1, 64, 2) if rig.tiny else (64, 1024, 1_000_000)
    recipe = Recipe(
        "wide", steps=steps, batch=batch, length=length, warmup=1 if rig.tiny else 100, minutes=minutes,
        evaluate_every=500, evaluate_windows=1 if rig.tiny else 48,
    )  # fmt: skip
    path = train(shard, out / "run", recipe, device=rig.where, note="measured by tests/gpu/run.sh")
    for number, piece in enumerate(pieces_of(path.read_bytes())):
        (out / f"{path.name}.{number}").write_bytes(piece)
    path.with_suffix(".card.json").replace(out / "card.json")
    (out / "run" / "log.jsonl").replace(out / "log.jsonl")
    for rest in (path, out / "run" / "state.pt"):
        rest.unlink(missing_ok=True)
    figures.add("trained", json.loads((out / "card.json").read_text())["held_out"])


def pieces_of(data: bytes) -> list[bytes]:
    """At most PIECE_BYTES each: `cat NAME.0 NAME.1 ... > NAME` puts them together."""
    return [data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)]


def main() -> None:
    """Everything, in the order of what matters most."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--shards", type=Path)
    parser.add_argument("--minutes", type=float, default=8.0, help="All in all.")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    ends, rig = time.monotonic() + 60.0 * options.minutes, Rig(options.device, options.tiny)
    torch.set_num_threads(1 if options.tiny else torch.get_num_threads())
    network.CONFIGS["wide"] = TINY if options.tiny else LARGEST
    loaded, figures = checkpoint.load(), Figures(options.out)
    if options.tiny:
        loaded = checkpoint.Loaded(network.Network(TINY).eval(), "tiny", "", 0)
    figures.add("card", rig.name())
    work: tuple[Callable[[], None], ...] = (
        lambda: parity(rig, loaded, figures), lambda: tokens_a_second(rig, loaded, figures),
        lambda: first_bar(rig, loaded, figures), lambda: training_speed(rig, figures),
        lambda: train_left(rig, options, ends, figures),
    )  # fmt: skip
    failed = False
    for each in work:
        if time.monotonic() > ends - SPARE_S:
            print("the minutes are over; the rest is left out")
            break
        failed |= not _ran(each)
    sys.exit(int(failed))


def train_left(rig: Rig, options: argparse.Namespace, ends_s: float, figures: Figures) -> None:
    """Train where there is music and time left."""
    left_s = ends_s - time.monotonic() - SPARE_S
    if options.shards is None or left_s <= 0:
        print("nothing is trained: no --shards, or no minutes left")
    else:
        train_on(rig, load(options.shards), left_s / 60.0, options.out, figures)


def _ran(work: Callable[[], None]) -> bool:
    """Whether it went well; the minutes on a card are too few to lose the rest to one failure."""
    try:
        work()
    except Exception:
        traceback.print_exc()
        return False
    return True


if __name__ == "__main__":
    main()
