"""How quickly training goes, beside its slower form: seconds of the processor a step, and the loss of every step.

    python tests/bench/bench_training.py SHARDS --steps 6 --batch 2 --length 512

"before" multiplies in bfloat16 whatever the processor can do, masks a full matrix in the local layer, turns queries and
keys apart, spreads the conditions over the rows by a gather, fetches the rows of each head by itself, and takes Muon
from torch. "before, float32" is the same
in the precision that the processor is quick in; "now" is what `hitpoint train` does. All begin with the same weights
and see the same windows; one thread, since processor seconds are counted.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hitpoint.model.data.build import load
from hitpoint.model.data.windows import Windows
from hitpoint.model.music import tokens
from hitpoint.model.network import attention, network
from hitpoint.model.network.attention import GatedAttention, LocalAttention, turned
from hitpoint.model.network.network import CHAIN, CONFIGS, Network
from hitpoint.model.training import train
from hitpoint.model.training.feed import feed
from hitpoint.model.training.pace import Pace
from hitpoint.model.training.train import Objective, Recipe


def local_forward(self: LocalAttention, x: Tensor, turn: attention.Turn) -> Tensor:
    q, k, v = (attention._split(part, self.heads) for part in self.project(x).chunk(3, dim=-1))
    row = torch.arange(x.shape[1])
    distance = row[:, None] - row[None, :]
    seen = (distance >= 0) & (distance < self.window)
    read = F.scaled_dot_product_attention(turned(q, turn), turned(k, turn), v, attn_mask=seen)
    return self.out(attention._join(read))


def gated_parts(self: GatedAttention, x: Tensor, turn: attention.Turn) -> tuple[Tensor, ...]:
    q, k, v, gate, forget = self.project(x).split([self.d_model] * 4 + [self.heads], dim=-1)
    q = turned(attention._split(q, self.heads) * self._scale, turn)
    k = turned(attention._split(k, self.heads), turn)
    log_decay = -F.softplus(forget.float() + self.decay).transpose(1, 2)
    return q, k, attention._split(v, self.heads), gate, log_decay


def network_forward(self: Network, rows: Tensor, at: Tensor, slot: Tensor, table: Tensor) -> Tensor:
    x = self.embedding(rows)
    bars = self.bar_vectors(table)
    turn = attention.rotation(at, self.config.d_model // self.config.heads)
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
def before(bfloat16: bool) -> Iterator[None]:
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
            (network.Network, "forward", network_forward),
            (attention, "chunked", unscaled),
            (train, "losses", losses_apart),
            *(((train, "Muon", muon),) if bfloat16 else ()),
            (train, "has_bfloat16", lambda device: bfloat16),
        ):
            stack.enter_context(mock.patch.object(owner, name, value))
        yield


def run(windows: Windows, options: argparse.Namespace) -> tuple[list[float], float]:
    """The loss of every step, and the median of their processor seconds."""
    torch.manual_seed(0)
    recipe = Recipe(options.config, steps=options.steps, batch=options.batch, length=options.length, warmup=1)
    made = Network(CONFIGS[options.config])
    optimizers, objective, pace = train._optimizers(made, recipe), Objective(made), Pace(options.steps)
    losses, seconds, attributes = [], [], made.config.attributes
    for step in range(options.steps):
        batch = windows.draw(recipe.batch, np.random.default_rng([0, step]))
        began = time.process_time()
        losses.append(float(train._step(objective, optimizers, feed(batch, attributes, "cpu"), recipe, pace)))
        seconds.append(time.process_time() - began)
        pace.tick()
    return losses, float(np.median(seconds[1:] or seconds))


def main() -> None:
    """Print the curves side by side, then the speeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", type=Path)
    parser.add_argument("--config", default="default")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--length", type=int, default=512)
    options = parser.parse_args()
    torch.set_num_threads(1)
    windows = Windows(load(options.shards), "train", options.length)
    ways: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
        "before": lambda: before(True),
        "before, float32": lambda: before(False),
        "now": contextlib.nullcontext,
    }
    found = {}
    for name, way in ways.items():
        with way():
            found[name] = run(windows, options)
    print(f"{'step':>6}" + "".join(f"{name:>18}" for name in found))
    for step in range(options.steps):
        print(f"{step:>6}" + "".join(f"{losses[step]:18.4f}" for losses, _ in found.values()))
    rows = options.batch * options.length
    print(f"{'s':>6}" + "".join(f"{seconds:18.2f}" for _, seconds in found.values()))
    print(f"{'rows/s':>6}" + "".join(f"{rows / seconds:18.0f}" for _, seconds in found.values()))
    slowest = found["before"][1]
    print(f"{'times':>6}" + "".join(f"{slowest / seconds:18.2f}" for _, seconds in found.values()))


if __name__ == "__main__":
    main()
