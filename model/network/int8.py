"""Eight-bit weights for decoding on a processor: one row of music at a time is bound by the bytes of the weights.

Only weights are rounded, symmetrically, with one scale an output; activations are bfloat16 on the way through the
product and float32 everywhere else.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LARGEST = 127.0
PROBE = 64
"""Width of the matrix that the product is tried on."""

Array = NDArray[np.float32]


@cache
def is_available() -> bool:
    """Whether this torch has the product that `Int8Matrix` needs and gets it right: torch does not promise it."""
    x = (torch.arange(PROBE) % 3 - 1).float()[None]
    weight = (torch.arange(PROBE * PROBE) % 7 - 3).reshape(PROBE, PROBE)
    try:
        y = torch._weight_int8pack_mm(x.bfloat16(), weight.to(torch.int8), torch.ones(PROBE, dtype=torch.bfloat16))
    except (AttributeError, RuntimeError, TypeError):
        return False
    return torch.equal(y.float(), x @ weight.float().T)  # whole numbers below 256: exact in bfloat16


class Int8Matrix:
    """A matrix (out, in) with int8 weights and one scale an output, and maybe a bias (out,)."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        scale = weight.detach().float().abs().amax(dim=1).clamp(min=1e-8) / LARGEST
        self._weight = (weight.detach().float() / scale[:, None]).round().to(torch.int8).contiguous()
        self._scale = scale.bfloat16()
        self._bias = None if bias is None else bias.detach().float()

    def product(self, x: Tensor) -> Tensor:
        """x (n, in) float32 -> (n, out) float32, the bias added."""
        y = torch._weight_int8pack_mm(x.bfloat16(), self._weight, self._scale).float()
        return y if self._bias is None else y + self._bias

    def __call__(self, x: Array) -> Array:
        """The same on arrays."""
        return self.product(torch.from_numpy(x)).numpy()
