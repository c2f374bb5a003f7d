"""Teach the network that hears impacts, on rendered scenes: `python tests/bench/train_impacts.py [SEED …]`.

Renders the scenes of `impact_scenes.py` for the seeds (default 1 to 5), measures their signs with the detector, and
fits the network of `impact_network.py` to them; writes its weights and their card. Every scene is taught as it is and
cut into shots, and some at half their rate. The seeds that `bench_impacts.py` reports on (31 and up) are never used
here.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

CHECKPOINT = Path(__file__).parents[2] / "model" / "checkpoints" / "impacts.safetensors"
CHANNELS, STEPS, NETWORKS = 24, 2000, 2
BATCH, LENGTH = 32, 150
"""Stretches a step, and thirtieths of a second in each."""
RATE, DECAY, DROPPED = 0.004, 0.02, 0.1
TRAP_WEIGHT = 3.0
"""Of a scene in which nothing strikes: such scenes are few, and what is found there is always wrong."""
NOISE, GAIN = 0.15, 0.4
"""Spread of what is added to each column (standardised), and to all alike (a logarithm): everything is larger, or less
in contrast. Both keep the network from learning the renderer."""
MIXED, FAINTEST, LOUDEST, HEARD_FROM = 0.4, -1.5, 0.4, -0.6
"""Share of stretches to which another is added, as films show several things at once; by how much that one is larger or
smaller (a logarithm); if smaller than the last, its impacts are taught neither as such nor as none."""
SIZES, RESIZED = (-0.7, 3.0), 0.5
"""What moves may be smaller or, before the lens, twenty times larger (a logarithm); in such a share of stretches."""
STRETCHED = (0.8, 1.25)
"""Half of all stretches are quicker or slower, by a factor between these."""
HALVED = ("still", "fast", "dark")
"""Variants that are also taught at half their rate."""
EDGE_STEPS, CUT_S = 5, 0.13
"""So near a scene's ends, and so near a cut, nothing is taught."""


@dataclass(frozen=True)
class Measured:
    """The new frames of a scene: their times (n,), changes (n, len(NAMES)), and the seconds of its impacts."""

    times_s: np.ndarray
    changes: np.ndarray
    truth: list[float]


@dataclass(frozen=True)
class Example:
    """Columns (n, COLUMNS), how much of an impact lies at each step (n,) 0..1, and what each step weighs (n,)."""

    columns: np.ndarray
    wanted: np.ndarray
    weight: np.ndarray


def measured(path: Path, truth: list[float], every: int = 1) -> Measured:
    """A scene as the detector measures it, or every second frame of it."""
    from hitpoint.model.video.detectors.motion import Motion
    from hitpoint.model.video.film import open_film
    from hitpoint.model.video.frames import decode

    detector, times = Motion(), []
    for number, frame in enumerate(decode(open_film(path), 0.0, None)):
        if number % every == 0:
            detector.measure(frame)
            times.append(frame.time_s)
    arrays = detector.finish()
    new = np.flatnonzero(arrays["is_new"])
    return Measured(np.array(times)[new], arrays["changes"][new], truth)


def examples(scene: Measured) -> list[Example]:
    """The scene as it is, and cut into shots."""
    lengths_s = np.random.default_rng(len(scene.times_s)).uniform(1.2, 4, 5)
    cuts = np.searchsorted(scene.times_s, np.cumsum(lengths_s))
    cut = np.unique([0, *cuts[cuts < len(scene.times_s) - 5]])
    return [_example(scene, np.array([0])), _example(scene, cut)]


def _example(scene: Measured, breaks: np.ndarray) -> Example:
    from hitpoint.model.video.detectors import visual_beats
    from hitpoint.model.video.detectors.impact_signs import impact_curve, signs

    found = signs(scene.times_s, scene.changes, breaks)
    at_s, columns = visual_beats.columns(found, impact_curve(found))
    off_s = np.abs(at_s[:, None] - np.array([*scene.truth, np.inf])[None]).min(axis=1)
    weight = np.full(len(at_s), 1.0 if scene.truth else TRAP_WEIGHT)
    weight[:EDGE_STEPS] = weight[-EDGE_STEPS:] = 0.0
    for break_s in scene.times_s[breaks[1:]]:
        weight[np.abs(at_s - break_s) < CUT_S] = 0.0
    wanted = np.clip(1.5 - off_s / visual_beats.SHORT_S, 0, 1)
    return Example(columns, wanted, weight)


def fit(taught: list[Example]) -> dict[str, np.ndarray]:
    """The tables of `impact_network.py`: NETWORKS networks side by side, whose logits are averaged."""
    every = np.concatenate([each.columns for each in taught])
    mean, spread = every.mean(axis=0), every.std(axis=0) + 1e-6
    networks = [_network(taught, mean, spread, seed) for seed in range(NETWORKS)]
    stacked = {name: np.stack([each[name] for each in networks]) for name in networks[0]}
    return {name: table.astype(np.float32) for name, table in (stacked | {"mean": mean, "spread": spread}).items()}


def _network(taught: list[Example], mean: np.ndarray, spread: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    import torch

    from hitpoint.model.video.detectors import impact_network as shape

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            taps = shape.OPENING_TAPS
            self.opening = torch.nn.Conv1d(len(mean), CHANNELS, taps, padding=taps // 2)
            self.layers = torch.nn.ModuleList(
                torch.nn.Conv1d(CHANNELS, CHANNELS, shape.TAPS, padding=step * (shape.TAPS // 2), dilation=step)
                for step in shape.DILATIONS
            )
            self.out = torch.nn.Conv1d(CHANNELS, 1, 1)
            self.dropout = torch.nn.Dropout(DROPPED)

        def forward(self, values):
            heard = torch.relu(self.opening(values))
            for layer in self.layers:
                heard = heard + torch.relu(self.dropout(layer(heard)))
            return self.out(heard)[:, 0]

    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    network = Network()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, STEPS)
    alike = torch.tensor(1 / spread, dtype=torch.float32)[None, :, None]
    for _ in range(STEPS):
        values, wanted, weight = (torch.tensor(each, dtype=torch.float32) for each in _batch(taught, random))
        values = (values - torch.tensor(mean, dtype=torch.float32)[None, :, None]) * alike
        values += NOISE * torch.randn_like(values) + GAIN * torch.randn(len(values), 1, 1) * alike
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(values), wanted, reduction="none")
        optimiser.zero_grad()
        (loss * weight).mean().backward()
        optimiser.step()
        schedule.step()
    tables = {f"layer_{k}": _kernel(layer) for k, layer in enumerate(network.layers)}
    tables |= {f"layer_{k}_bias": layer.bias.detach().numpy() for k, layer in enumerate(network.layers)}
    tables |= {"in": _kernel(network.opening), "in_bias": network.opening.bias.detach().numpy()}
    return tables | {
        "out": network.out.weight.detach().numpy()[0, :, 0],
        "out_bias": network.out.bias.detach().numpy()[0],
    }


def _kernel(layer) -> np.ndarray:
    """(out, taps, in)"""
    return np.ascontiguousarray(layer.weight.detach().numpy().transpose(0, 2, 1))


def _batch(taught: list[Example], random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(columns (BATCH, COLUMNS, LENGTH), wanted (BATCH, LENGTH), weight (BATCH, LENGTH)) of random stretches."""
    parts = []
    for _ in range(BATCH):
        part = _stretch(taught, random)
        parts.append(_mixed(part, _stretch(taught, random), random) if random.random() < MIXED else part)
    columns, wanted, weight = (np.stack(each) for each in zip(*parts, strict=True))
    return columns.transpose(0, 2, 1), wanted, weight


Part = tuple[np.ndarray, np.ndarray, np.ndarray]


def _stretch(taught: list[Example], random: np.random.Generator) -> Part:
    """(columns (LENGTH, COLUMNS), wanted (LENGTH,), weight (LENGTH,)) of a random one, at its speed or another."""
    each = taught[int(random.integers(len(taught)))]
    speed = random.uniform(*STRETCHED) if random.random() < 0.5 else 1.0
    span = LENGTH * speed
    at = random.uniform(0, max(0.0, len(each.wanted) - span)) + np.arange(LENGTH) * speed
    at = np.rint(at) if speed == 1.0 else at
    lies_in = at <= len(each.wanted) - 1
    low = np.minimum(at.astype(int), len(each.wanted) - 1)
    high, share = np.minimum(low + 1, len(each.wanted) - 1), (at - low)[:, None]
    columns = each.columns[low] * (1 - share) + each.columns[high] * share
    wanted = each.wanted[low] * (1 - share[:, 0]) + each.wanted[high] * share[:, 0]
    return (
        _sized(columns, random.uniform(*SIZES) if random.random() < RESIZED else 0.0),
        wanted,
        each.weight[low] * lies_in,
    )


def _sized(columns: np.ndarray, gain: float) -> np.ndarray:
    """The same where everything that moves is larger by the exponential of `gain`."""
    from hitpoint.model.video.detectors.visual_beats import QUIET

    return np.log(np.exp(gain) * np.maximum(np.exp(columns) - QUIET, 0) + QUIET)


def _mixed(part: Part, other: Part, random: np.random.Generator) -> Part:
    """Both at once: signs add up, and either's impacts are impacts."""
    from hitpoint.model.video.detectors.visual_beats import QUIET

    gain = random.uniform(FAINTEST, LOUDEST)
    columns = np.log(np.exp(part[0]) + np.exp(_sized(other[0], gain)) - QUIET)
    weight = np.minimum(np.minimum(part[2], other[2]), 1.0)
    if gain < HEARD_FROM:
        return columns, part[1], np.where((other[1] > 0) & (part[1] == 0), 0.0, weight)
    return columns, np.maximum(part[1], other[1]), weight


def save(tables: dict[str, np.ndarray], scenes: int, seeds: list[int]) -> None:
    """The weights and their card."""
    from safetensors.numpy import save_file

    from hitpoint.model.files import file_sha256

    save_file(tables, CHECKPOINT)
    card = {
        "name": "impacts",
        "licence": "MIT",
        "task": "how sure it is, a thirtieth of a second at a time, that something in the picture strikes or turns",
        "parameters": sum(table.size for table in tables.values()),
        "note": f"{NETWORKS} networks side by side, whose logits are averaged. Taught on nothing but scenes drawn by "
        "tests/bench/impact_scenes.py, with tests/bench/train_impacts.py.",
        "scenes": scenes,
        "seeds": seeds,
        "bytes": CHECKPOINT.stat().st_size,
        "sha256": file_sha256(CHECKPOINT),
    }
    CHECKPOINT.with_suffix(".card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Render, measure, fit, write."""
    from tests.bench.bench_impacts import scenes

    seeds = [int(each) for each in sys.argv[1:]] or [1, 2, 3, 4, 5]
    taught, count = [], 0
    for scene in scenes(seeds):
        count += 1
        for every in (1, 2) if scene.variant in HALVED else (1,):
            taught += examples(measured(scene.path, scene.truth, every))
    save(fit(taught), count, seeds)
    print(f"{count} scenes, {sum(len(each.wanted) for each in taught)} steps; written to {CHECKPOINT}")


if __name__ == "__main__":
    main()
