"""Eight-bit weights for decoding on a processor: one row of music at a time is bound by the bytes of the weights.

Only weights are rounded, symmetrically, with one scale an output; activations are bfloat16 on the way through the product
and float32 everywhere else.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from hitpoint.model.network import Network

LARGEST = 127.0


class Int8Linear(nn.Module):
    """A linear layer with int8 weights (out, in) and one float scale an output."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        scale = linear.weight.abs().amax(dim=1).clamp(min=1e-8) / LARGEST
        self.weight: Tensor
        self.register_buffer("weight", (linear.weight / scale[:, None]).round().to(torch.int8).contiguous())
        self.scale: Tensor
        self.register_buffer("scale", scale.bfloat16())
        self.bias: Tensor | None
        self.register_buffer("bias", None if linear.bias is None else linear.bias.clone())

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out), float32."""
        flat = x.reshape(-1, self.in_features).bfloat16()
        product = torch._weight_int8pack_mm(flat, self.weight, self.scale).float()
        if self.bias is not None:
            product = product + self.bias
        return product.view(*x.shape[:-1], self.out_features)


@torch.no_grad()
def quantised(network: Network) -> Network:
    """A copy of the network whose linear layers inside blocks and heads hold eight-bit weights."""
    network = copy.deepcopy(network)
    for part in (network.blocks, network.heads):
        for name, module in list(part.named_modules()):
            if isinstance(module, nn.Linear):
                parent = part.get_submodule(name.rpartition(".")[0])
                setattr(parent, name.rpartition(".")[2], Int8Linear(module))
    return network
