"""The paper's network, ours, and ours less one thing each, trained from nothing on the same batches.

Run: python tests/bench/bench_ablation.py SHARDS [--steps N] [--batch N] [--length N] [--only NAME ...] [--run FOLDER].
The defaults take minutes and only show that it works; the long form is --steps 200 --batch 8 --length 1024 with a --run
folder, which goes on where it was stopped and prints every network found there.

Seed, mix, optimiser, schedule and tokens are the same for all; nobody drops out, since no row is seen twice. Held-out
loss is in nats a row where the attribute counts, on the same windows of the validation songs, mean of the data sets.
`sum of 7`: nats a row over the attributes that all networks predict, so that a network that predicts them one after
another and one that predicts them at once are compared by what they say of the whole row. `given` has every control
of the bar told, as in composing; the first table has none. d: less `default`, with its 95% bootstrap interval over
windows, drawn in pairs. Speed is that of the recurrent form in plain float32, one stream, in rows a CPU second, masks
included. A last table has every data set by itself, which tells what `no scores` loses and where.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.data.build import Shard, load
from hitpoint.model.data.windows import CONTROLLED, PLAIN, Windows
from hitpoint.model.job import prepare
from hitpoint.model.network import checkpoint, conditions
from hitpoint.model.network.attention import GatedAttention
from hitpoint.model.network.network import ATTRIBUTES, DEFAULT, PAPER_SMALL, Network, NetworkConfig
from hitpoint.model.plan.types import Wishes
from hitpoint.model.training.feed import feed
from hitpoint.model.training.objective import Objective
from hitpoint.model.training.recipe import Recipe
from hitpoint.model.training.together import train_together
from hitpoint.model.video.types import Clip

FILM = Path(__file__).parents[2] / "examples" / "film.mp4"
COMMON = ATTRIBUTES[:-1]
MODES = {"plain": PLAIN, "given": CONTROLLED}
LOOK_AHEAD = ("energy_next", "density_next", "density_next2", "bars_left", "bars_to_hit")
CHORDS = tuple(f"{part}_{half}" for half in ("0", "1", "next") for part in ("root", "quality"))
MOOD = ("mode", "valence", "arousal", "tension")
MIX = {"real5": 4.0, "pop909_5": 1.5, "games": 4.0}
LESS_MUSIC = {"no scores": {**MIX, "scores": 0.0}}
"""Networks that see less music, and the weights of the data sets for them."""


class Undecayed(GatedAttention):
    """Linear attention that never forgets: the gate is held open."""

    def _parts(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        *parts, log_decay = super()._parts(x, turn)
        return (*parts, torch.zeros_like(log_decay))  # type: ignore[return-value]


class Nothing(nn.Module):
    """Adds nothing, whatever the bar's condition."""

    def forward(self, bars: Tensor) -> Tensor:
        """bars (..., d) -> zeros of that shape."""
        return torch.zeros_like(bars)


class Blinkered(Network):
    """Is not told what stands in some columns of the bar's condition, neither in training nor later."""

    unknown: tuple[str, ...]

    def bar_vectors(self, table: Tensor) -> Tensor:
        """As Network's, with those columns unknown."""
        table = table.clone()
        table[..., [conditions.COLUMN[name] for name in self.unknown]] = 0
        return super().bar_vectors(table)


def without(*columns: str) -> Callable[[NetworkConfig], Network]:
    """Builds networks that are never told these columns."""

    def build(config: NetworkConfig) -> Network:
        network = Blinkered(config)
        network.unknown = columns
        return network

    return build


def undecayed(config: NetworkConfig) -> Network:
    """Every gated layer without its gate on the past."""
    network = Network(config)
    for block in network.layers:
        if block.kind == "gated":
            block.attention.__class__ = Undecayed
    return network


def conditioned_once(config: NetworkConfig) -> Network:
    """Bar conditions at the first layer alone."""
    network = Network(config)
    for block in network.layers[1:]:
        block.condition = Nothing()  # type: ignore[assignment]
    return network


NETWORKS: dict[str, tuple[NetworkConfig, Callable[[NetworkConfig], Network]]] = {
    "paper-small": (replace(PAPER_SMALL, dropout=0.0), Network),
    "default": (DEFAULT, Network),
    "no chain": (replace(DEFAULT, head="parallel"), Network),
    "no local": (replace(DEFAULT, attention=("gated",) * 6), Network),
    "no gates": (DEFAULT, undecayed),
    "condition once": (DEFAULT, conditioned_once),
    "no look-ahead": (DEFAULT, without(*LOOK_AHEAD)),
    "no chords": (DEFAULT, without(*CHORDS)),
    "no mood": (DEFAULT, without(*MOOD)),
    "no scores": (DEFAULT, Network),
}


def make(name: str) -> Network:
    """A fresh network of that name."""
    config, build = NETWORKS[name]
    return build(config)


@torch.no_grad()
def held_out(network: Network, shard: Shard, windows: int, length: int) -> dict[str, list[list[list[float]]]]:
    """ "mode data-set" -> for each window, for each attribute, (summed loss, rows it counts on)."""
    objective = Objective(network).eval()
    found = {}
    for mode, augmentation in MODES.items():
        for dataset in sorted({piece.dataset for piece in shard.pieces}):
            part = replace(shard, pieces=tuple(piece for piece in shard.pieces if piece.dataset == dataset))
            each = []
            for batch in Windows(part, "validation", length, augmentation=augmentation).sweep(1, windows):
                fed = feed(batch, network.config.attributes, "cpu")
                counts = [len(fed.counting[name]) for name in network.config.attributes]
                each.append([list(pair) for pair in zip(objective(fed)[1].tolist(), counts, strict=True)])
            found[f"{mode} {dataset}"] = each
    return found


def speed(network: Network) -> float:
    """Rows a CPU second of composing the example film, one stream, float32."""
    loaded = checkpoint.Loaded(network.eval(), network.config.name, "", 0)
    composer = CmtComposer(loaded, precision="float32")
    plan = prepare([Clip(FILM)], Wishes(control=1.0)).plan
    began, rows = time.process_time(), 0
    for seed in range(2):
        list(composer.stream(plan, seed))
        rows += composer.stats.tokens
    return rows / (time.process_time() - began)


def made(name: str, _config: NetworkConfig) -> Network:
    """As `make`, for processes that are told by name."""
    return make(name)


def run_one(name: str, shards: Path, folder: Path, recipe: Recipe, windows: int) -> None:
    """Train one network in `folder` and leave its figures in `figures.json`."""
    recipe = replace(recipe, config=NETWORKS[name][0].name, mix=LESS_MUSIC.get(name, recipe.mix))
    began = time.monotonic()
    train_together(shards, folder, recipe, make=partial(made, name), compiled="off")
    spent_s = time.monotonic() - began
    network = make(name)
    network.load_state_dict(torch.load(folder / "state.pt", weights_only=True)["network"])
    figures = {
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "train_s": spent_s,
        "rows_per_cpu_s": speed(network),
        "held_out": held_out(network, load(shards), windows, recipe.length),
    }
    (folder / "figures.json").write_text(json.dumps(figures))


def losses_of(
    figures: dict[str, dict[str, list[list[list[float]]]]], mode: str, draws: np.ndarray
) -> dict[str, np.ndarray]:
    """Attribute (and "sum of 7") -> mean over the data sets of the loss, for each row of window indices in `draws`."""
    total: dict[str, list[np.ndarray]] = {}
    for key, each in figures["held_out"].items():
        if key.startswith(mode):
            sums = np.array(each)[draws % len(each)].sum(axis=1)  # (draws, attributes, 2)
            for index in range(sums.shape[1]):
                total.setdefault(ATTRIBUTES[index], []).append(sums[:, index, 0] / np.maximum(sums[:, index, 1], 1))
            total.setdefault("sum of 7", []).append(sums[:, : len(COMMON), 0].sum(axis=1) / sums[:, 0, 1])
    return {name: np.mean(values, axis=0) for name, values in total.items()}


def print_tables(found: dict[str, dict], windows: int) -> None:
    """One table a mode: losses, and how far from those of `default`."""
    names = ("sum of 7", *ATTRIBUTES)
    order = np.concatenate([[np.arange(windows)], np.random.default_rng(0).integers(0, windows, (1000, windows))])
    for mode in MODES:
        print(
            f"\n{mode}".ljust(17) + "".join(f"{name:>12}" for name in names) + "   parameters     train, s  rows/CPU-s"
        )
        losses = {name: losses_of(figures, mode, order) for name, figures in found.items()}
        for name, loss in losses.items():
            cells = [f"{loss[each][0]:12.4f}" if each in loss else f"{'-':>12}" for each in names]
            one = found[name]
            print(
                f"{name:<16}"
                + "".join(cells)
                + f"{one['parameters']:13,}{one['train_s']:13.0f}{one['rows_per_cpu_s']:12.0f}"
            )
            if name != "default" and "default" in losses:
                cells = []
                for each in names:
                    apart = loss[each] - losses["default"][each] if each in loss else np.array([np.nan])
                    low, high = np.percentile(apart, [2.5, 97.5])
                    cells.append(f"{apart[0]:+.3f}±{(high - low) / 2:.3f}".rjust(12) if each in loss else f"{'-':>12}")
                print(f"{'  d':<16}" + "".join(cells))


def print_by_set(found: dict[str, dict]) -> None:
    """Nats a row, all attributes together, with every control told, on each data set by itself."""
    sets = [key.removeprefix("given ") for key in next(iter(found.values()))["held_out"] if key.startswith("given ")]
    print("\ngiven, by set".ljust(17) + "".join(f"{name:>12}" for name in sets))
    for name, one in found.items():
        sums = [np.array(one["held_out"][f"given {each}"]).sum(axis=0) for each in sets]
        print(f"{name:<16}" + "".join(f"{each[:, 0].sum() / each[0, 1]:12.4f}" for each in sums))


def main() -> None:
    """Train what was asked for and is not there yet, and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("shards", type=Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--windows", type=int, default=16, help="held-out windows a data set")
    parser.add_argument("--only", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--run", type=Path, help="keep the runs here and go on with them")
    asked = parser.parse_args()
    recipe = Recipe(
        steps=asked.steps, batch=asked.batch, length=asked.length, mix=MIX, last_share=0.0,
        warmup=max(1, asked.steps // 10), evaluate_every=max(10, asked.steps // 4), evaluate_windows=2,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        run = asked.run or Path(name)
        for each in asked.only:
            if not (run / each / "figures.json").is_file():
                run_one(each, asked.shards, run / each, recipe, asked.windows)
        done = [each for each in NETWORKS if (run / each / "figures.json").is_file()]
        print(f"{asked.steps} steps of {asked.batch} x {asked.length} rows")
        found = {each: json.loads((run / each / "figures.json").read_text()) for each in done}
        print_tables(found, asked.windows)
        print_by_set(found)


if __name__ == "__main__":
    main()
