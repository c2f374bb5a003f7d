"""A small network that tells cuts and transitions from the signs around a moment."""

from __future__ import annotations

import functools
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.files import file_sha256
from hitpoint.model.video.detectors.shot_signs import product

WEIGHTS = "shots.safetensors"
"""In the checkpoints' folder, with its card; `hitpoint.model.training.shots` makes it."""
_LAYERS = 3


@functools.cache
def _weights() -> tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]:
    from safetensors.numpy import load_file

    with as_file(files("hitpoint.model") / "checkpoints" / WEIGHTS) as path:
        arrays = load_file(path)
    wide = {name: array.astype(np.float32) for name, array in arrays.items()}
    return tuple((np.ascontiguousarray(wide[f"weight_{k}"].T), wide[f"bias_{k}"]) for k in range(_LAYERS))


@functools.cache
def digest() -> str:
    """A few digits that change with the weights."""
    with as_file(files("hitpoint.model") / "checkpoints" / WEIGHTS) as path:
        return file_sha256(path)[:8]


def judge(signs: NDArray[np.float32]) -> NDArray[np.float32]:
    """(moments, 2) from (moments, SIGNS): how sure it is, 0..1, that a cut and that a transition's middle lie there."""
    values = signs
    for index, (weight, bias) in enumerate(_weights()):
        values = product(values, weight) + bias
        if index < _LAYERS - 1:
            values = np.maximum(values, 0)
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))), np.float32)
