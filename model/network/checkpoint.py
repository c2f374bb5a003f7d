"""Checkpoints: safetensors with the network's configuration in their header, and a card beside them. Never pickles."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch

from hitpoint.model.errors import InputError
from hitpoint.model.files import whole
from hitpoint.model.music import tokens
from hitpoint.model.network import conditions
from hitpoint.model.network.network import Network, NetworkConfig

SCHEMA = "hitpoint.checkpoint/1"
SHIPPED = Path(__file__).parents[1] / "checkpoints" / "default.safetensors"


@dataclass(frozen=True)
class Loaded:
    """A network in evaluation mode, with the hash of the file it came from."""

    network: Network
    name: str
    sha256: str
    parameters: int


def save(network: Network, path: Path, *, dtype: torch.dtype = torch.float16) -> str:
    """Write the weights, whole or not at all. Returns the file's SHA-256."""
    from safetensors.torch import save_file

    header = {
        "schema": SCHEMA,
        "config": json.dumps(dataclasses.asdict(network.config)),
        "vocabulary": vocabulary(),
    }
    weights = {name: value.detach().to(dtype).contiguous() for name, value in network.state_dict().items()}
    with whole(path) as part:
        save_file(weights, part, metadata=header)
    return file_sha256(path)


def load(path: Path | None = None, device: str = "cpu") -> Loaded:
    """Read a checkpoint; None means the shipped one.

    Raises InputError when the file is missing, damaged, or of another vocabulary.
    """
    from safetensors import SafetensorError, safe_open

    path = SHIPPED if path is None else path
    if not path.is_file():
        raise InputError(f"there is no checkpoint {path}; leave --checkpoint out to use the shipped one")
    try:
        with safe_open(str(path), framework="pt", device="cpu") as file:
            header = file.metadata() or {}
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"the checkpoint {path} is damaged ({error}); fetch or train it again") from None
    if header.get("schema") != SCHEMA:
        raise InputError(f"{path} is not a Hitpoint checkpoint; train one with `hitpoint train`")
    if header.get("vocabulary") != vocabulary():
        raise InputError(f"the checkpoint {path} has another vocabulary than this version; train it again")
    fields = json.loads(header["config"])
    config = NetworkConfig(**{**fields, "attention": tuple(fields["attention"])})
    network = Network(config)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise InputError(f"the checkpoint {path} does not fit its own description ({first}); train it again") from None
    network.eval().to(device)
    parameters = sum(weight.numel() for weight in network.parameters())
    return Loaded(network, config.name, file_sha256(path), parameters)


def vocabulary() -> str:
    """A short word that changes whenever token classes or condition columns do."""
    layout = repr((tokens.FIELDS, tokens.SIZES, tokens.DURATIONS, tokens.INIT_IDS, conditions.NAMES, conditions.SIZES))
    return hashlib.sha256(layout.encode()).hexdigest()[:12]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
