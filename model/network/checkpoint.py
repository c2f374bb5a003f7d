"""Checkpoints: safetensors with the network's configuration in their header, and a card beside them. Never pickles."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch

from hitpoint.model.errors import InputError
from hitpoint.model.files import file_sha256, whole
from hitpoint.model.music import tokens
from hitpoint.model.music.codec import plain_json
from hitpoint.model.music.score import INSTRUMENTS
from hitpoint.model.network.layout import FIRST, FIRST_VOCABULARY, PRESENT, Layout, fitted
from hitpoint.model.network.network import Network, NetworkConfig

SCHEMA = "hitpoint.checkpoint/1"
MOST_BYTES = 4 << 30
MOST_WIDE, MOST_LAYERS = 1 << 16, 256
SPARE_SHARE = 1.5
"""What is newer than a checkpoint is filled up with zeros, so that it may hold somewhat less than the network has."""
SHIPPED = Path(__file__).parents[1] / "checkpoints" / "default.safetensors"


@dataclass(frozen=True)
class Loaded:
    """A network in evaluation mode, with the hash of the file it came from.

    layout: the genres and condition columns that it was trained with; the others' weights are zero.
    """

    network: Network
    name: str
    sha256: str
    parameters: int
    layout: Layout = PRESENT


def save(
    network: Network, path: Path, *, dtype: torch.dtype = torch.float16, layout: Layout | None = None
) -> str:  # fmt: skip
    """Write the weights, whole or not at all. Returns the file's SHA-256.

    layout: what the network was trained with; None: all that this version has.
    """
    from safetensors.torch import save_file

    header = {
        "schema": SCHEMA,
        "config": json.dumps(dataclasses.asdict(network.config)),
        "vocabulary": vocabulary(),
        "layout": (layout or PRESENT).to_text(),
    }
    weights = {name: value.detach().to(dtype).contiguous() for name, value in network.state_dict().items()}
    with whole(path) as part:
        save_file(weights, part, metadata=header)
    return file_sha256(path)


def read_file(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """(what the file says of itself, its weights as float32).

    Raises InputError when it is missing, damaged, or larger than any of ours.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"there is no checkpoint {path}; leave --checkpoint out to use the shipped one")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"the checkpoint {path} is larger than {MOST_BYTES >> 30} GiB; use another one")
        with safe_open(str(path), framework="pt", device="cpu") as file:
            header = file.metadata() or {}
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"the checkpoint {path} is damaged ({error}); fetch or train it again") from None
    return header, weights


def load(path: Path | None = None, device: str = "cpu") -> Loaded:
    """Read a checkpoint; None means the shipped one.

    Raises InputError when the file is missing, damaged, or of another vocabulary.
    """
    path = SHIPPED if path is None else path
    header, weights = read_file(path)
    if header.get("schema") != SCHEMA:
        raise InputError(f"{path} is not a Hitpoint checkpoint; train one with `hitpoint train`")
    layout = _layout(header, path)
    config = _config(header.get("config", ""), path)
    _check_size(config, sum(weight.numel() for weight in weights.values()), path)
    unfit = next((name for name, weight in weights.items() if not bool(torch.isfinite(weight).all())), "")
    if unfit:
        raise InputError(f"the checkpoint {path} holds weights that are not numbers (in {unfit}); train it again")
    network = Network(config)
    try:
        network.load_state_dict(fitted(weights, layout))
    except (RuntimeError, ValueError) as error:
        first = str(error).splitlines()[-1].strip()
        raise InputError(f"the checkpoint {path} does not fit its own description ({first}); train it again") from None
    network.eval().to(device)
    parameters = sum(weight.numel() for weight in network.parameters())
    return Loaded(network, config.name, file_sha256(path), parameters, layout)


def _layout(header: dict[str, str], path: Path) -> Layout:
    """The genres and condition columns of a checkpoint. Raises InputError where this version has not all of them."""
    if "layout" not in header and header.get("vocabulary") == FIRST_VOCABULARY:
        return FIRST
    if header.get("vocabulary") != vocabulary():
        raise InputError(f"the checkpoint {path} has another vocabulary than this version; train it again")
    try:
        layout = Layout.from_text(header.get("layout", ""))
    except ValueError as error:
        raise InputError(f"{path} does not say what it was trained with ({error}); train it again") from None
    newer = layout.beyond(PRESENT)
    if newer:
        raise InputError(f"the checkpoint {path} was made by a newer version (it has {newer}); update Hitpoint")
    return layout


def _config(text: str, path: Path) -> NetworkConfig:
    """The description in a header. Raises InputError where it is none, or one that no network has."""
    try:
        fields = plain_json(text)
        config = NetworkConfig(**{**fields, "attention": tuple(fields["attention"])})
        sizes = [config.d_model, config.heads, config.d_ff, config.d_head, config.window]
        fits = all(isinstance(size, int) and 0 < size <= MOST_WIDE for size in sizes)
        fits = fits and 0 < len(config.attention) <= MOST_LAYERS and config.d_model % config.heads == 0
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"the checkpoint {path} does not say what network it is ({error}); train it again") from None
    if not fits:
        raise InputError(f"the checkpoint {path} describes a network of impossible size; train it again")
    return config


def _check_size(config: NetworkConfig, weights: int, path: Path) -> None:
    """Raise InputError where the network described is far larger than what the file holds: nothing is allocated."""
    with torch.device("meta"):
        described = sum(weight.numel() for weight in Network(config).parameters())
    if described > SPARE_SHARE * weights:
        raise InputError(
            f"the checkpoint {path} describes {described:,} weights and holds {weights:,}; fetch or train it again"
        )


def vocabulary() -> str:
    """A short word that changes whenever the classes of tokens do; genres and condition columns may be added to."""
    text = repr((tokens.FIELDS, tokens.SIZES, tokens.DURATIONS, INSTRUMENTS))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
