"""Trains the chord planner's network on songs with human chord labels, and says how well it guesses held-out ones.

Run: python -m hitpoint.model.training.chords SONGS.json.xz --manifest BAND/manifest.json -o chords.safetensors
     [--steps N] [--rate R] [--resume WEIGHTS]

The network reads every column of a half bar in both directions, and the chords so far in one; it gives the root
of the next chord counted from the tonic, and its quality given the root. `hitpoint.model.plan.harmony.network` runs
the same weights without torch. The weights kept are those that guess validation songs best, told of the picture and
not told of it alike; training ends early where they have not got better for a while.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from hitpoint.model.mood.types import MOODS
from hitpoint.model.music.chords import QUALITIES
from hitpoint.model.plan.harmony.columns import COLUMN, QUALITIES_OF, SIZES
from hitpoint.model.plan.harmony.network import DISTANCES, ROOTS, Sizes, distance_class
from hitpoint.model.training.chord_songs import Example, Scales, conditions_of, example_of, read_songs, scales_of

CROP_HALVES = 192
BATCH = 16
RATE, WARM_STEPS, WEIGHT_DECAY = 2e-3, 60, 0.02
DROPOUT = 0.1
LOOK_STEPS, PATIENCE = 200, 5
"""Steps between two looks at the validation songs, and how many looks without a better one end the training."""
EMOTION_SHARE = 0.3
FORGET_ONE, FORGET_ALL = 0.15, 0.1
"""Chances that one column, and that all of them, are not told: any may be missing later on."""
KEPT = (COLUMN["half"],)
_ALLOWED = torch.tensor(
    [[True] * len(QUALITIES)]
    + [[not QUALITIES_OF[name] or quality in QUALITIES_OF[name] for quality in QUALITIES] for name in MOODS]
)


class Block(nn.Module):
    """Attention with a learnt bias for each distance, then two dense layers; norms before each."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width
        self.heads = sizes.heads
        self.norm_attention, self.norm_dense = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, sizes.inner), nn.Linear(sizes.inner, width)
        self.bias = nn.Parameter(torch.zeros(self.heads, 2 * DISTANCES))

    def forward(self, x: Tensor, distance: Tensor, mask: Tensor) -> Tensor:
        """x (n, t, width), distance (t, t): classes; mask (n, 1, t, t): what may be looked at."""
        n, t, width = x.shape
        q, k, v = self.qkv(self.norm_attention(x)).view(n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        bias = self.bias[:, distance][None].masked_fill(~mask, -1e9)
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        x = x + self._drop(self.out(seen.transpose(1, 2).reshape(n, t, width)))
        grown: Tensor = x + self._drop(self.narrow(torch.relu(self.wide(self.norm_dense(x)))))
        return grown

    def _drop(self, x: Tensor) -> Tensor:
        return functional.dropout(x, DROPOUT, self.training)


class ChordNetwork(nn.Module):
    """Conditions (n, t, columns) and the chords before (n, t) -> hidden vectors; heads for root and quality."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.columns = nn.ModuleList(nn.Embedding(size, sizes.width) for size in SIZES)
        self.root = nn.Embedding(ROOTS + 2, sizes.width)
        self.quality = nn.Embedding(len(QUALITIES) + 2, sizes.width)
        self.encoder = nn.ModuleList(Block(sizes) for _ in range(sizes.encoder))
        self.decoder = nn.ModuleList(Block(sizes) for _ in range(sizes.decoder))
        self.norm = nn.LayerNorm(sizes.width)
        self.root_head = nn.Linear(sizes.width, ROOTS)
        self.given_root = nn.Embedding(ROOTS, sizes.width)
        self.quality_head = nn.Linear(sizes.width, len(QUALITIES))
        for name, weight in self.named_parameters():
            if "columns" in name or name.startswith(("root.", "quality.", "given_root")):
                nn.init.normal_(weight, std=0.05 if "columns" in name else 0.1)

    def forward(self, told: Tensor, roots: Tensor, qualities: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """told (n, t, columns); roots, qualities (n, t): -1 where no chord sounds or the song has ended; length (n,).

        Returns logits (n, t, 12) of the roots and (n, t, 13) of the qualities given the true roots.
        """
        t = told.shape[1]
        place = torch.arange(t)
        distance = torch.from_numpy(distance_class((place[None] - place[:, None]).numpy()))
        there = (place[None] < length[:, None])[:, None, None]
        x = torch.stack([column(told[..., k]) for k, column in enumerate(self.columns)]).sum(0)
        for block in self.encoder:
            x = block(x, distance, there)
        x = x + self.root(_before(roots, ROOTS)) + self.quality(_before(qualities, len(QUALITIES)))
        causal = there & (place[None] <= place[:, None])
        for block in self.decoder:
            x = block(x, distance, causal)
        x = self.norm(x)
        return self.root_head(x), self.quality_head(torch.relu(x + self.given_root(roots.clamp(min=0))))


def _before(values: Tensor, none: int) -> Tensor:
    """Each row moved on by one place; no chord (-1) is class `none`, the place before the first `none` + 1."""
    moved = torch.where(values < 0, none, values).roll(1, dims=1)
    moved[:, 0] = none + 1
    return moved


@dataclass
class Batch:
    """Songs side by side: told (n, t, columns), roots and qualities (n, t) with -1 beyond the end, length (n,)."""

    told: Tensor
    roots: Tensor
    qualities: Tensor
    length: Tensor


def batch_of(rows: Sequence[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]) -> Batch:
    """Rows of (conditions, roots, qualities), padded to the longest."""
    longest = max(len(roots) for _, roots, _ in rows)
    told = np.zeros((len(rows), longest, len(SIZES)), np.int64)
    roots, qualities = np.full((2, len(rows), longest), -1)
    for n, (table, root, quality) in enumerate(rows):
        told[n, : len(root)], roots[n, : len(root)], qualities[n, : len(root)] = table, root, quality
    length = torch.tensor([len(root) for _, root, _ in rows])
    return Batch(torch.from_numpy(told), torch.from_numpy(roots), torch.from_numpy(qualities), length)


def batches(examples: Sequence[Example], scales: Scales, rng: np.random.Generator) -> Iterator[Batch]:
    """Batches without end: random stretches of random songs of about one length."""
    while True:
        order = rng.permutation(len(examples))
        for start in range(0, len(order) - BATCH * 8 + 1, BATCH * 8):
            near = sorted(order[start : start + BATCH * 8], key=lambda k: len(examples[k].root))
            for first in rng.permutation(8) * BATCH:
                yield batch_of([_crop(examples[k], scales, rng) for k in near[first : first + BATCH]])


def _crop(
    example: Example, scales: Scales, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    told = conditions_of(example, scales, int(rng.integers(1 << 16)))
    first = 2 * int(rng.integers(max(0, len(told) - CROP_HALVES) // 2 + 1))
    span = slice(first, first + CROP_HALVES)
    told = forget(told[span], rng)
    return told, example.root[span], example.quality[span]


def forget(told: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Some columns as unknown."""
    chance = 1.0 if rng.random() < FORGET_ALL else FORGET_ONE
    lost = np.asarray(rng.random(told.shape[1]) < chance)
    lost[list(KEPT)] = False
    return np.where(lost, 0, told)


def losses(network: ChordNetwork, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Mean nats of root and of quality over the half bars that sound, and the emotion's part of the loss."""
    root_logits, quality_logits = network(batch.told, batch.roots, batch.qualities, batch.length)
    known = batch.roots >= 0
    quality = quality_logits[known].log_softmax(dim=-1)
    emotion = batch.told[..., COLUMN["emotion"]][known]
    mass = quality.masked_fill(~_ALLOWED[emotion], -1e9).logsumexp(dim=-1)
    return (
        functional.cross_entropy(root_logits[known], batch.roots[known]),
        functional.nll_loss(quality, batch.qualities[known]),
        -mass.mean(),
    )


def train(network: ChordNetwork, examples: Mapping[str, Sequence[Example]], scales: Scales, steps: int, out: Path,
          rate: float = RATE, seed: int = 0) -> int:  # fmt: skip
    """Train for so many steps at the most; `out` holds the best weights so far. rate: of learning, at its highest.

    Returns the step after which the weights that were kept stood.
    """
    torch.manual_seed(seed)
    optimiser = torch.optim.AdamW(network.parameters(), rate, (0.9, 0.98), weight_decay=WEIGHT_DECAY)
    mean, best, kept = np.zeros(3), float("inf"), 0
    for step, batch in enumerate(batches(examples["train"], scales, np.random.default_rng(seed)), 1):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, step / WARM_STEPS) * (0.02 + 0.49 * (1 + np.cos(np.pi * step / steps)))
        mean = 0.95 * mean + 0.05 * _step(network, optimiser, batch)
        if step % LOOK_STEPS and step < steps:
            continue
        with_and_without = [evaluate(network, examples["validation"], scales, told)["nats"] for told in (None, KEPT)]
        shown = " ".join(f"{value / (1 - 0.95**step):.3f}" for value in mean)
        looked = "{:.4f}, not told {:.4f}".format(*with_and_without)
        print(f"step {step} root/quality/emotion {shown} validation {looked} cpu {time.process_time():.0f}", flush=True)
        if sum(with_and_without) < best:
            best, kept = sum(with_and_without), step
            save(network, out)
        if step >= steps or step - kept >= PATIENCE * LOOK_STEPS:
            break
    return kept


def _step(network: ChordNetwork, optimiser: torch.optim.Optimizer, batch: Batch) -> NDArray[np.float64]:
    """One update; returns the three parts of its loss."""
    network.train()
    parts = losses(network, batch)
    optimiser.zero_grad()
    (parts[0] + parts[1] + EMOTION_SHARE * parts[2]).backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return np.array([float(part.detach()) for part in parts])


@torch.no_grad()
def evaluate(
    network: ChordNetwork, examples: Sequence[Example], scales: Scales, keep: Sequence[int] | None = None
) -> dict[str, float]:
    """Nats a half bar (root and quality together), and how often the true chord is among the first 1, 3 and 5.

    keep: the columns that are told; None = all.
    """
    network.eval()
    nats, found, count = 0.0, np.zeros(3), 0
    for example in examples:
        told = conditions_of(example, scales, 0)[: 2 * CROP_HALVES]
        if keep is not None:
            told[:, [k for k in range(told.shape[1]) if k not in keep]] = 0
        roots, qualities = example.root[: len(told)], example.quality[: len(told)]
        batch = batch_of([(told, roots, qualities)])
        logs = chord_logs(network, batch)[0].numpy()
        known = np.flatnonzero(roots >= 0)
        true = logs[known, roots[known], qualities[known]]
        nats -= true.sum()
        above = (logs[known].reshape(len(known), -1) > true[:, None]).sum(axis=1)
        found += [(above < k).sum() for k in (1, 3, 5)]
        count += len(known)
    return {"nats": nats / count} | {f"hits@{k}": f / count for k, f in zip((1, 3, 5), found, strict=True)}


def chord_logs(network: ChordNetwork, batch: Batch) -> Tensor:
    """Log probabilities of all chords, (n, t, 12, 13)."""
    hidden: list[Tensor] = []
    hook = network.norm.register_forward_hook(lambda _module, _inputs, out: hidden.append(out))
    root_logits, _ = network(batch.told, batch.roots, batch.qualities, batch.length)
    hook.remove()
    each = torch.relu(hidden[0][:, :, None] + network.given_root.weight[None, None])
    logs: Tensor = root_logits.log_softmax(-1)[..., None] + network.quality_head(each).log_softmax(-1)
    return logs


def save(network: ChordNetwork, path: Path) -> None:
    """The weights in half precision, with the sizes beside them."""
    from safetensors.torch import save_file

    part = path.with_name(path.name + ".part")
    arrays = {name: value.detach().half().contiguous() for name, value in network.state_dict().items()}
    save_file(arrays, part, {"sizes": json.dumps(asdict(network.sizes))})
    part.replace(path)


def prepare(songs: Path, manifest: Path | None, kept: Path) -> tuple[Scales, dict[str, list[Example]]]:
    """Examples by split; `kept`: where they are kept for the next run."""
    if kept.exists():
        with kept.open("rb") as file:
            scales, examples = pickle.load(file)
            return scales, examples
    read = read_songs(songs, manifest)
    scales = scales_of([song for song in read if song.split == "train"])
    examples = {
        split: [example_of(song, scales) for song in read if song.split == split]
        for split in ("train", "validation", "test")
    }
    with kept.open("wb") as file:
        pickle.dump((scales, examples), file)
    return scales, examples


def main(arguments: Sequence[str] | None = None) -> None:
    """As the page's head says."""
    parser = argparse.ArgumentParser(description="train the chord planner")
    parser.add_argument("songs", type=Path)
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--width", type=int, default=96)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--resume", type=Path, help="weights to go on from")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.manual_seed(chosen.seed)
    scales, examples = prepare(chosen.songs, chosen.manifest, chosen.out.with_suffix(".songs.pkl"))
    network = ChordNetwork(Sizes(chosen.width, 4, 2 * chosen.width, 2, 2))
    if chosen.resume is not None:
        network.load_state_dict(_weights(chosen.resume))
    print(f"{sum(each.numel() for each in network.parameters())} parameters", flush=True)
    kept = train(network, examples, scales, chosen.steps, chosen.out, chosen.rate, chosen.seed)
    print(f"step {kept} kept", flush=True)
    network.load_state_dict(_weights(chosen.out))
    for split in ("validation", "test"):
        print(split, evaluate(network, examples[split], scales), flush=True)
        print(split, "no conditions", evaluate(network, examples[split], scales, KEPT), flush=True)


def _weights(path: Path) -> dict[str, Tensor]:
    return {name: value.float() for name, value in load_file(path).items()}


if __name__ == "__main__":
    main()
