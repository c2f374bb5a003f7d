"""How much the masks of control take away from the network, for checkpoints of one run: it falls as the network learns.

Run: python tests/bench/bench_pressure.py CHECKPOINT ... [--seeds N]. The shipped one is always the last row.

Mask pressure is -log of the probability that a network gives to all that a mask allows, in nats, summed over a bar: 0
where it would have kept to the plan by itself. Every decision counts, also those where the mask leaves a single class.
The plans are those of the example film in all genres, every bar and hit point bound (C = 1).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.job import prepare
from hitpoint.model.music.score import KIT_GENRES
from hitpoint.model.network import checkpoint
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.video.types import Clip

FILM = Path(__file__).parents[2] / "examples" / "film.mp4"


def pressures(path: Path | None, plans: list[Plan]) -> dict[str, float]:
    """Nats a bar by attribute, over all plans; "all" is their sum."""
    composer = CmtComposer(checkpoint.load(path))
    found: dict[str, float] = {}
    bars = 0
    for plan in plans:
        list(composer.stream(plan, plan.seed, weigh_forced=True))
        bars += composer.stats.bars
        for name, nats in (composer.stats.pressure_by_attribute or {}).items():
            found[name] = found.get(name, 0.0) + nats * composer.stats.bars
    each = {name: nats / bars for name, nats in found.items()}
    return {"all": sum(each.values())} | each


def main() -> None:
    """Print a row a checkpoint, and how it compares with the first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="*", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rhythm = prepare([Clip(FILM)], Wishes()).rhythm
    plans = [build_plan(rhythm, Wishes(genre=g, control=1.0, seed=s)) for g in KIT_GENRES for s in range(options.seeds)]
    first = 0.0
    for path in [*options.checkpoints, None]:
        found = pressures(path, plans)
        first = first or found["all"]
        name = path.parent.name + "/" + path.name if path else "shipped"
        parts = "  ".join(f"{key} {nats:.2f}" for key, nats in found.items())
        print(f"{name:40} nats a bar: {parts}  ({found['all'] / first:.2f} of the first)", flush=True)


if __name__ == "__main__":
    main()
