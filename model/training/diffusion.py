"""Trains the diffusion network on songs of tune and piano: rolls made noisy, their clean pixels guessed as logits.

Run: python -m hitpoint.model.training.diffusion SHARDS --run RUN [--minutes M] [--from WEIGHTS] [--learning-rate R]
[--dataset NAME] [--note TEXT]

A run folder that is there is gone on with; a new one may begin from weights that were exported before. What is exported
is the mean of the weights over the last steps (EMA), in bfloat16, with its card. Takes an hour or two on one core.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hitpoint.model.data.build import load
from hitpoint.model.errors import InputError
from hitpoint.model.files import whole
from hitpoint.model.network.roll_checkpoint import SHIPPED, save
from hitpoint.model.network.roll_checkpoint import load as load_weights
from hitpoint.model.network.roll_network import STEPS, Block, RollConfig, RollNetwork
from hitpoint.model.training.pace import Pace
from hitpoint.model.training.rolls import Batch, Songs, batch_of

LOSS_SCALE = 10.0
LOG_STEPS, SAVE_S = 20, 240.0
HELD_OUT_WINDOWS = 32


@dataclass(frozen=True)
class Recipe:
    """batch windows a step; rate: AdamW's highest, falling as a cosine; drop: the chance that nothing is told of a
    window; mean: what the kept weights keep of themselves at each step. minutes: the run ends after so long; None:
    after its steps. short: convolutions in bfloat16, quicker where the processor has them.
    """

    steps: int = 20_000
    minutes: float | None = None
    batch: int = 8
    rate: float = 1e-3
    warm_steps: int = 60
    weight_decay: float = 0.01
    clip: float = 1.0
    drop: float = 0.1
    mean: float = 0.995
    evaluate_every: int = 300
    seed: int = 0
    short: bool = True

    def rate_at(self, step: int, share: float) -> float:
        """share: of the run that is done, 0..1."""
        falling = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
        return self.rate * min(1.0, (step + 1) / self.warm_steps) * falling


def loss_of(network: RollNetwork, batch: Batch, t: Tensor, untold: Tensor, noise: Tensor) -> Tensor:
    """Binary cross-entropy of the clean pixels, times LOSS_SCALE, of rolls at noise levels t (n,)."""
    clean = torch.from_numpy(batch.rolls).float()
    a = network.alpha_bar[t][:, None, None, None]
    noisy = a.sqrt() * (2 * clean - 1) + (1 - a).sqrt() * noise
    tokens = network.tokens(torch.from_numpy(batch.semantic), torch.from_numpy(batch.dynamic), untold)
    maps = torch.from_numpy(batch.maps) * ~untold[:, None, None, None]
    return LOSS_SCALE * functional.binary_cross_entropy_with_logits(network(noisy, t, tokens, maps), clean)


class Trainer:
    """A network under training, its mean, and how far it has come."""

    def __init__(self, songs: Songs, held_out: Songs, recipe: Recipe, config: RollConfig) -> None:
        torch.manual_seed(recipe.seed)
        self.songs, self.recipe = songs, recipe
        self.network = RollNetwork(config)
        self.mean = RollNetwork(config)
        self.mean.load_state_dict(self.network.state_dict())
        for module in self.network.modules():
            if isinstance(module, Block):
                module.short = recipe.short
        self.optimiser = torch.optim.AdamW(self.network.parameters(), recipe.rate, (0.9, 0.99), fused=True,
                                           weight_decay=recipe.weight_decay)  # fmt: skip
        windows = list(held_out.sweep(HELD_OUT_WINDOWS, seed=1))
        self._held_out = [batch_of(windows[at : at + HELD_OUT_WINDOWS // 2]) for at in (0, HELD_OUT_WINDOWS // 2)]

    def step(self, number: int, share: float) -> float:
        """One update; returns its loss."""
        recipe = self.recipe
        rng = np.random.default_rng([recipe.seed, number])
        batch = self.songs.draw(recipe.batch, rng)
        t = torch.from_numpy(rng.integers(1, STEPS + 1, recipe.batch))
        untold = torch.from_numpy(rng.random(recipe.batch) < recipe.drop)
        noise = torch.from_numpy(rng.standard_normal(batch.rolls.shape, np.float32))
        loss = loss_of(self.network, batch, t, untold, noise)
        for group in self.optimiser.param_groups:
            group["lr"] = recipe.rate_at(number, share)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip)
        self.optimiser.step()
        keep = min(recipe.mean, (number + 1) / (number + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.mean.parameters()), list(self.network.parameters()), 1 - keep)
        return float(loss.detach())

    @torch.no_grad()
    def held_out(self) -> dict[str, float]:
        """Loss of the mean weights on held-out windows: by quarter of the noise levels, and of all; told and untold."""
        found: dict[str, float] = {}
        for name, silent in (("told", False), ("untold", True)):
            losses = []
            for number, batch in enumerate(self._held_out):
                rng = np.random.default_rng([5, number])
                count = len(batch.rolls)
                t = torch.from_numpy(((np.arange(count) + 0.5) * STEPS / count).astype(np.int64))
                noise = torch.from_numpy(rng.standard_normal(batch.rolls.shape, np.float32))
                losses.append(float(loss_of(self.mean, batch, t, torch.full((count,), silent), noise)))
            found[name] = round(float(np.mean(losses)), 4)
        return found

    def begin_from(self, weights: RollNetwork) -> None:
        """Take over weights, for the network and its mean. Raises InputError where they are of another network."""
        if weights.config != self.network.config:
            raise InputError("those weights are of a network of another size; leave --from out")
        self.network.load_state_dict(weights.state_dict())
        self.mean.load_state_dict(weights.state_dict())

    def state(self) -> dict[str, object]:
        """Everything that is needed to go on."""
        return {"network": self.network.state_dict(), "mean": self.mean.state_dict(),
                "optimiser": self.optimiser.state_dict()}  # fmt: skip

    def restore(self, path: Path) -> tuple[int, float]:
        """Go on from a file; returns steps done and seconds spent. Raises InputError where it is of another network."""
        kept = torch.load(path, weights_only=True)
        try:
            self.network.load_state_dict(kept["network"])
            self.mean.load_state_dict(kept["mean"])
            self.optimiser.load_state_dict(kept["optimiser"])
        except (KeyError, RuntimeError, ValueError):
            raise InputError(f"{path} is a run of another network; choose another run folder") from None
        return int(kept["step"]), float(kept["seconds"])


def train(
    songs: Songs, held_out: Songs, run: Path, recipe: Recipe, *, config: RollConfig | None = None, note: str = "",
    beginning: RollNetwork | None = None, stop_at: int | None = None, say: Callable[[str], None] = print,
) -> Path:  # fmt: skip
    """Train (or go on training) in the folder `run`; returns the path of the exported weights.

    note: goes into the card: whose music, under which licences. beginning: weights of which a new run is made; None:
    random ones. stop_at: leave after this step as if killed.
    """
    trainer = Trainer(songs, held_out, recipe, config or (RollConfig() if beginning is None else beginning.config))
    run.mkdir(parents=True, exist_ok=True)
    state = run / "state.pt"
    if beginning is not None and not state.is_file():
        trainer.begin_from(beginning)
    pace = Pace(recipe.steps, recipe.minutes, *(trainer.restore(state) if state.is_file() else ()))
    saved, losses = time.monotonic(), []
    while not pace.done and pace.step != stop_at:
        losses.append(trainer.step(pace.step, pace.share))
        pace.tick()
        row: dict[str, object] = {}
        if pace.step % LOG_STEPS == 0:
            row = {"loss": round(float(np.mean(losses[-LOG_STEPS:])), 4)}
        if pace.step % recipe.evaluate_every == 0 or pace.done:
            row["held_out"] = trainer.held_out()
        if row:
            row = {"step": pace.step, "minutes": round(pace.seconds / 60, 2), "cpu_s": round(time.process_time())} | row
            _log(run, row)
        if "held_out" in row:
            say(json.dumps(row))
        if pace.done or time.monotonic() - saved > SAVE_S:
            _keep(trainer, pace, state)
            saved = time.monotonic()
    _keep(trainer, pace, state)
    return export(trainer, run, pace, note)


def _keep(trainer: Trainer, pace: Pace, path: Path) -> None:
    with whole(path) as part:
        torch.save(trainer.state() | {"step": pace.step, "seconds": pace.seconds}, part)


def _log(run: Path, row: dict[str, object]) -> None:
    with (run / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def export(trainer: Trainer, run: Path, pace: Pace, note: str) -> Path:
    """Write the mean weights and their card into the run folder."""
    path = run / "diffusion.safetensors"
    sha256 = save(trainer.mean, path)
    card = {
        "file": path.name,
        "sha256": sha256,
        "bytes": path.stat().st_size,
        "note": note,
        "pieces": len(trainer.songs.pieces),
        "bars": sum(piece.bars for piece in trainer.songs.pieces),
        "recipe": asdict(trainer.recipe),
        "parameters": sum(each.numel() for each in trainer.mean.parameters()),
        "steps": pace.step,
        "minutes": round(pace.seconds / 60, 1),
        "held_out": {"unit": f"cross-entropy a pixel in nats, times {LOSS_SCALE:g}, over all noise levels",
                     **trainer.held_out()},
    }  # fmt: skip
    path.with_name("diffusion.card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    """As the page's head says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--run", type=Path, required=True, help="the run folder; one that is there is continued")
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--minutes", type=float, help="end after so long, the rate fallen to zero")
    parser.add_argument("--from", dest="beginning", help="begin with the weights of a file; shipped: with ours")
    parser.add_argument("--learning-rate", type=float, default=Recipe.rate, help="the highest")
    parser.add_argument("--dataset", default="", help="only pieces of this data set")
    parser.add_argument("--note", default="", help="for the card: whose music, under which licences")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    shard = load(chosen.shards)
    songs, held_out = (Songs.of(shard, split, chosen.dataset) for split in ("train", "validation"))
    bars = sum(each.bars for each in songs.pieces)
    print(f"{len(songs.pieces)} songs, {bars} bars; process {os.getpid()}", flush=True)
    recipe = Recipe(steps=chosen.steps, minutes=chosen.minutes, seed=chosen.seed, rate=chosen.learning_rate)
    beginning = None
    if chosen.beginning:
        beginning = load_weights(SHIPPED if chosen.beginning == "shipped" else Path(chosen.beginning))
    path = train(songs, held_out, chosen.run, recipe, note=chosen.note, beginning=beginning,
                 say=lambda text: print(text, flush=True))  # fmt: skip
    print(f"wrote {path}", flush=True)


if __name__ == "__main__":
    main()
