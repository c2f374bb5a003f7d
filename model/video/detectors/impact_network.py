"""How sure it is, moment by moment, that something strikes: a small network that hears the signs in their order.

It looks a second back and ahead, so it knows a step by the steps around it, and a drop by the rings that it leaves. It
never sees the pictures, only how much in them stops, turns and changes.
"""

from __future__ import annotations

import functools
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.detectors.shot_signs import product

WEIGHTS = "impacts.safetensors"
"""In the checkpoints' folder, with its card; `tests/bench/train_impacts.py` makes it."""
DILATIONS = (1, 2, 4, 8)
"""Steps between the taps of each residual layer."""
OPENING_TAPS, TAPS = 3, 5
"""Taps of the first layer, and of the residual ones."""

REACH = OPENING_TAPS // 2 + TAPS // 2 * sum(DILATIONS)
"""Steps on both sides by which it judges one."""
PIECE = 4096
"""Steps that are judged in one go, so that memory stays flat."""

Floats32 = NDArray[np.float32]


@functools.cache
def _weights() -> dict[str, Floats32]:
    from safetensors.numpy import load_file

    with as_file(files("hitpoint.model") / "checkpoints" / WEIGHTS) as path:
        return {name: np.ascontiguousarray(array, np.float32) for name, array in load_file(path).items()}


def judge(signs: Floats32) -> Floats32:
    """(n,) how sure it is, 0..1, that an impact lies at each of n steps of a thirtieth of a second, from signs
    (n, columns) in logarithms, as `visual_beats.columns` gives them.
    """
    parts = []
    for first in range(0, len(signs), PIECE):
        low = max(0, first - REACH)
        parts.append(_judged(signs[low : first + PIECE + REACH])[first - low : first - low + PIECE])
    return np.concatenate(parts)


def _judged(signs: Floats32) -> Floats32:
    """`judge` of one piece."""
    weights = _weights()
    logits = np.zeros(len(signs), np.float32)
    members = len(weights["out_bias"])
    for member in range(members):
        heard = (signs - weights["mean"]) / weights["spread"]
        heard = np.maximum(_convolved(heard, weights["in"][member], weights["in_bias"][member], 1), 0)
        for layer, dilation in enumerate(DILATIONS):
            kernel, bias = weights[f"layer_{layer}"][member], weights[f"layer_{layer}_bias"][member]
            heard = heard + np.maximum(_convolved(heard, kernel, bias, dilation), 0)
        logits += product(heard, weights["out"][member][None])[:, 0] + weights["out_bias"][member]
    return np.asarray(1 / (1 + np.exp(-np.clip(logits / members, -30, 30))), np.float32)


def _convolved(values: Floats32, kernel: Floats32, bias: Floats32, dilation: int) -> Floats32:
    """(n, out) from values (n, in) and a kernel (out, taps, in) whose taps lie `dilation` steps apart; zeros beyond."""
    taps = kernel.shape[1]
    reach = dilation * (taps // 2)
    wide = np.pad(values, ((reach, reach), (0, 0)))
    around = np.concatenate([wide[tap * dilation : tap * dilation + len(values)] for tap in range(taps)], axis=1)
    return product(np.ascontiguousarray(around, np.float32), kernel.reshape(len(kernel), -1)) + bias
