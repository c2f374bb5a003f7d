"""Held-out loss of checkpoints side by side: nats by data set and attribute, on the same windows.

    python tests/bench/bench_nats.py SHARDS run/default.safetensors --windows 16

The shipped checkpoint comes first. "all" is a whole row without any control, an attribute where it counts, "controlled"
the whole row with every control given. Where a piece's velocities are flat they count nowhere.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from hitpoint.model.data.build import load
from hitpoint.model.network import checkpoint
from hitpoint.model.training.held_out import evaluate, held_out_of
from hitpoint.model.training.recipe import Recipe


def main() -> None:
    """Print a table for each data set of the shards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", type=Path)
    parser.add_argument("checkpoints", nargs="*", type=Path)
    parser.add_argument("--windows", type=int, default=16)
    parser.add_argument("--length", type=int, default=1024)
    options = parser.parse_args()
    torch.set_num_threads(1)
    recipe = Recipe(length=options.length, evaluate_windows=options.windows)
    held_out = held_out_of(load(options.shards), recipe)
    paths = [checkpoint.SHIPPED, *options.checkpoints]
    scores = [evaluate(checkpoint.load(path).network, held_out, recipe) for path in paths]
    width = max(len(str(path.name)) for path in paths) + 2
    for dataset in held_out:
        print(f"{dataset:<{width}}" + "".join(f"{name[:10]:>11}" for name in scores[0][dataset]))
        for path, found in zip(paths, scores, strict=True):
            print(f"{path.name:<{width}}" + "".join(f"{nats:11.4f}" for nats in found[dataset].values()))


if __name__ == "__main__":
    main()
