"""How quickly training goes, beside its slower forms: rows a second of the whole machine, and the loss of every step.

    python tests/bench/bench_training.py SHARDS --steps 8

"before" is training as it was in version 0.1: one process on all cores, queries and keys turned apart, torch's own
softmax attention, conditions spread over the rows by a gather, the rows of each head fetched alone, Muon from torch.
"one process" is today's without a compiler; "now" is what a long `hitpoint train` does: a process a core, compiled. All
begin with the same weights and see the same windows. The first steps, in which "now" compiles, are not timed. On a
processor without bfloat16 everything runs in float32.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from unittest import mock

import torch
from torch import Tensor
from torch.nn import functional as F

from hitpoint.model.data.build import load
from hitpoint.model.music import tokens
from hitpoint.model.network import attention, network
from hitpoint.model.network.attention import GatedAttention, LocalAttention, turned
from hitpoint.model.network.network import CHAIN, CONFIGS, Network
from hitpoint.model.training import objective, train
from hitpoint.model.training.drawers import Draw
from hitpoint.model.training.feed import feed
from hitpoint.model.training.group import Group, cores
from hitpoint.model.training.pace import Pace
from hitpoint.model.training.recipe import Recipe
from hitpoint.model.training.together import company

UNTIMED = 3


def local_forward(self: LocalAttention, x: Tensor, turn: attention.Turn) -> Tensor:
    q, k, v = (attention._split(part, self.heads) for part in self.project(x).chunk(3, dim=-1))
    q, k, parts = turned(q, turn), turned(k, turn), []
    for first in range(0, q.shape[2], attention.BLOCK):
        end = min(first + attention.BLOCK, q.shape[2])
        oldest = max(0, first - self.window + 1)
        distance = torch.arange(first, end)[:, None] - torch.arange(oldest, end)
        seen = (distance >= 0) & (distance < self.window)
        parts.append(
            F.scaled_dot_product_attention(q[:, :, first:end], k[:, :, oldest:end], v[:, :, oldest:end], attn_mask=seen)
        )
    return self.out(attention._join(torch.cat(parts, dim=2)))


def gated_parts(self: GatedAttention, x: Tensor, turn: attention.Turn) -> tuple[Tensor, ...]:
    q, k, v, gate, forget = self.project(x).split([self.d_model] * 4 + [self.heads], dim=-1)
    q = turned(attention._split(q, self.heads) * self._scale, turn)
    k = turned(attention._split(k, self.heads), turn)
    log_decay = -F.softplus(forget.float() + self.decay).transpose(1, 2)
    return q, k, attention._split(v, self.heads), gate, log_decay


def read(self: Network, rows: Tensor, _at: Tensor, turn: attention.Turn, slot: Tensor, table: Tensor) -> Tensor:
    x = self.embedding(rows)
    bars = self.bar_vectors(table)
    index = slot[..., None].expand(-1, -1, x.shape[-1])
    for block in self.layers:
        assert block.condition is not None
        x = x + block.condition(bars).gather(1, index)
        x = x + block.attention(block.norm1(x), turn)
        x = x + block.feed_forward(block.norm2(x))
    return self.norm(x)


def losses_apart(network: Network, hidden: Tensor, target: Tensor, counting: Mapping[str, Tensor]) -> dict[str, Tensor]:
    every = counting["type"]
    place = torch.full((hidden.shape[0] * hidden.shape[1],), -1)
    place[every] = torch.arange(len(every))
    hidden, target = hidden.flatten(0, 1)[every], target.flatten(0, 1)[every]
    return {
        name: plain_losses(network, hidden[place[index]][None], target[place[index]][None], name)
        for name, index in counting.items()
    }


def plain_losses(network: Network, hidden: Tensor, target: Tensor, attribute: str) -> Tensor:
    rows = target[0]
    known = {name: rows[:, tokens.FIELDS.index(name)] for name in CHAIN[attribute]}
    logits = network.heads(hidden[0], attribute, known)
    return F.cross_entropy(logits.float(), rows[:, tokens.FIELDS.index(attribute)], reduction="sum")


@contextlib.contextmanager
def before() -> Iterator[None]:
    """Training as it was."""
    plain = attention.chunked

    def unscaled(q: Tensor, k: Tensor, v: Tensor, decay: Tensor | None, scale: float = 1.0) -> Tensor:
        return plain(q, k, v, decay)

    def muon(params: list[Tensor], lr: float, weight_decay: float, momentum: float, products: torch.dtype) -> object:
        return torch.optim.Muon(params, lr=lr, weight_decay=weight_decay, momentum=momentum)

    with contextlib.ExitStack() as stack:
        for owner, name, value in (
            (LocalAttention, "forward", local_forward),
            (GatedAttention, "_parts", gated_parts),
            (network.Network, "read", read),
            (attention, "chunked", unscaled),
            (objective, "losses", losses_apart),
            (train, "Muon", muon),
        ):
            stack.enter_context(mock.patch.object(owner, name, value))
        yield


def run(shards: Path, recipe: Recipe, threads: int, compiler: str, group: Group) -> tuple[list[float], float]:
    """The loss of every step, and the median of the seconds of those that are timed."""
    group.join("cpu")
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    made, pace = Network(CONFIGS[recipe.config]), Pace(recipe.steps)
    optimizers, whole = train._optimizers(made, recipe), train._objective(made, compiler, group)
    draw = Draw.of(load(shards), recipe, group)
    losses, seconds = [], []
    for step in range(recipe.steps):
        batch = feed(draw(step, step / recipe.steps), made.config.attributes, "cpu")
        began = time.perf_counter()
        loss = train._step(whole, optimizers, batch, recipe, pace, group)
        losses.append(float(group.mean(loss)))
        seconds.append(time.perf_counter() - began)
        pace.tick()
    group.leave()
    return losses, statistics.median(seconds[UNTIMED:])


def main() -> None:
    """Print the curves side by side, then the speeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", type=Path)
    parser.add_argument("--config", default="default")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--processes", type=int, default=cores())
    parser.add_argument("--compiler", default="inductor", help="a backend of torch.compile")
    options = parser.parse_args()
    recipe = Recipe(options.config, steps=options.steps, batch=options.batch, length=options.length, warmup=1)
    found = {}
    with before():
        found["before"] = run(options.shards, recipe, cores(), "", Group())
    found["one process"] = run(options.shards, recipe, cores(), "", Group())
    work = partial(run, options.shards, recipe, max(1, cores() // options.processes), options.compiler)
    with company(options.processes, work) as group:
        found["now"] = work(group)
    print(f"{'step':>6}" + "".join(f"{name:>18}" for name in found))
    for step in range(options.steps):
        print(f"{step:>6}" + "".join(f"{losses[step]:18.4f}" for losses, _ in found.values()))
    rows = options.batch * options.length
    print(f"{'s':>6}" + "".join(f"{seconds:18.3f}" for _, seconds in found.values()))
    print(f"{'rows/s':>6}" + "".join(f"{rows / seconds:18.0f}" for _, seconds in found.values()))
    slowest = found["before"][1]
    print(f"{'times':>6}" + "".join(f"{slowest / seconds:18.2f}" for _, seconds in found.values()))


if __name__ == "__main__":
    main()
