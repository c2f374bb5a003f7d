"""Weights of the diffusion network: safetensors with its configuration in the header."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch

from hitpoint.model.errors import InputError
from hitpoint.model.files import file_sha256, whole
from hitpoint.model.music.codec import plain_json
from hitpoint.model.network.checkpoint import read_file
from hitpoint.model.network.roll_network import RollConfig, RollNetwork

SCHEMA = "hitpoint.roll/1"
ENTRY = "enter.weight"
SHIPPED = Path(__file__).parents[1] / "checkpoints" / "diffusion.safetensors"


def save(network: RollNetwork, path: Path) -> str:
    """Write the weights in bfloat16, whole or not at all. Returns the file's SHA-256."""
    from safetensors.torch import save_file

    weights = {name: value.detach().bfloat16().contiguous() for name, value in network.state_dict().items()}
    with whole(path) as part:
        save_file(weights, part, metadata={"schema": SCHEMA, "config": json.dumps(asdict(network.config))})
    return file_sha256(path)


def load(path: Path | None = None) -> RollNetwork:
    """The network of a file, in evaluation mode; None: the shipped one.

    Raises InputError where the file is missing, damaged, of another kind, or holds what are no numbers.
    """
    path = SHIPPED if path is None else path
    header, weights = read_file(path)
    if header.get("schema") != SCHEMA:
        raise InputError(
            f"{path} holds no weights of the composer diffusion; train some with python -m "
            "hitpoint.model.training.diffusion, or leave --checkpoint out"
        )
    unfit = next((name for name, weight in weights.items() if not bool(torch.isfinite(weight).all())), "")
    if unfit:
        raise InputError(f"the weights {path} hold what are no numbers (in {unfit}); fetch or train them again")
    try:
        fields = plain_json(header["config"])
        config = RollConfig(**{**fields, "widths": tuple(fields["widths"]), "blocks": tuple(fields["blocks"])})
        network = RollNetwork(config)
        network.load_state_dict(weights | {ENTRY: _with_all_maps(weights[ENTRY], network.state_dict()[ENTRY])})
    except (ValueError, TypeError, KeyError, RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[-1].strip()
        raise InputError(f"the weights {path} do not fit their own description ({first}); train them again") from None
    return network.eval()


def _with_all_maps(weight: torch.Tensor, now: torch.Tensor) -> torch.Tensor:
    """The first layer of weights that were learnt before some of the maps were there: those say nothing."""
    more = now.shape[1] - weight.shape[1]
    return torch.cat([weight, weight.new_zeros(len(weight), more, 1, 1)], dim=1) if more > 0 else weight
