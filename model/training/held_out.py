"""How well a network predicts music that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from hitpoint.model.data.build import Shard
from hitpoint.model.data.windows import CONTROLLED, PLAIN, Windows
from hitpoint.model.network.network import Network
from hitpoint.model.training.feed import feed
from hitpoint.model.training.objective import Objective, products
from hitpoint.model.training.recipe import Recipe

HeldOut = Mapping[str, tuple[Windows, Windows]]
"""By data set: windows of its validation split without any control and with every control."""


def held_out_of(shard: Shard, recipe: Recipe) -> HeldOut:
    """Per data set of the validation split: its windows without any control and with every control."""
    found = {}
    for dataset in sorted({piece.dataset for piece in shard.pieces}):
        part = replace(shard, pieces=tuple(piece for piece in shard.pieces if piece.dataset == dataset))
        plain = Windows(part, "validation", recipe.length, augmentation=PLAIN)
        if plain.pieces:
            found[dataset] = plain, Windows(part, "validation", recipe.length, augmentation=CONTROLLED)
    return found


@torch.no_grad()
def evaluate(network: Network, held_out: HeldOut, recipe: Recipe, device: str = "cpu") -> dict[str, dict[str, float]]:
    """Held-out loss in nats by data set: "all" a row (all attributes together), each attribute on the rows where it
    counts, and "controlled": "all" with every control given."""
    objective, attributes = Objective(network).eval(), network.config.attributes

    def sums_of(windows: Windows) -> Tensor:
        """(attributes, 2): summed loss of each, and the rows on which it counts."""
        sums = torch.zeros(len(attributes), 2, dtype=torch.float64)
        for batch in windows.sweep(recipe.batch, recipe.evaluate_windows):
            fed = feed(batch, attributes, device)
            with products(device):
                sums[:, 0] += objective(fed)[1].double().cpu()
            sums[:, 1] += torch.tensor([len(fed.counting[name]) for name in attributes])
        return sums

    scores: dict[str, dict[str, float]] = {}
    for name, (plain, controlled) in held_out.items():
        sums = sums_of(plain)
        scores[name] = {"all": float(sums[:, 0].sum() / sums[0, 1])}
        for attribute, (loss, count) in zip(attributes, sums.tolist(), strict=True):
            scores[name][attribute] = loss / max(1.0, count)
        sums = sums_of(controlled)
        scores[name]["controlled"] = float(sums[:, 0].sum() / sums[0, 1])
        scores[name] = {key: round(value, 4) for key, value in scores[name].items()}
    return scores
