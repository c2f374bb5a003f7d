"""Muon (Jordan et al. 2024): momentum whose matrices are made nearly orthogonal before each update.

The orthogonal factor comes from Newton-Schulz steps of fifth degree. Matrices of one shape go through them together,
and in the precision that the device multiplies quickly: bfloat16 suffices, float32 is quicker where there is no
bfloat16 in the processor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch import distributed as dist

STEPS = 5
POLYNOMIAL = (3.4445, -4.775, 2.0315)
"""Of X, X X'X and X X'X X'X: singular values between 0 and 1 end within some 30 % of 1."""
SMALLEST_NORM = 1e-7


class Muon(torch.optim.Optimizer):
    """For matrices alone. lr: the size of an update's singular values, wide matrices' as it is, tall ones' times the
    root of their height over their width. Its state is `momentum_buffer`, as in torch's own.
    """

    def __init__(
        self, params: Iterable[Tensor], lr: float, weight_decay: float, momentum: float, products: torch.dtype
    ) -> None:  # fmt: skip
        """products: the precision of the Newton-Schulz steps."""
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.products = products

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update of all matrices that have a gradient."""
        loss = None if closure is None else closure()
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for matrix in group["params"]:
                if matrix.grad is not None:
                    by_shape.setdefault(matrix.shape, []).append(matrix)
            for shape, matrices in by_shape.items():
                ahead = torch.stack([self._ahead(matrix, group["momentum"]) for matrix in matrices])
                rate = group["lr"] * math.sqrt(max(1.0, shape[0] / shape[1]))
                for matrix, update in zip(matrices, self._updates(ahead), strict=True):
                    matrix.mul_(1 - group["lr"] * group["weight_decay"])
                    matrix.add_(update, alpha=-rate)
        return loss

    def _updates(self, ahead: Tensor) -> Tensor:
        """`orthogonal`; of processes that train together each works out its share of the matrices."""
        world = dist.get_world_size() if dist.is_initialized() else 1
        if world == 1:
            return orthogonal(ahead, self.products)
        updates, own = torch.zeros_like(ahead, dtype=self.products), slice(dist.get_rank(), None, world)
        if len(ahead[own]):
            updates[own] = orthogonal(ahead[own], self.products)
        dist.all_reduce(updates)
        return updates

    def _ahead(self, matrix: Tensor, momentum: float) -> Tensor:
        """The gradient averaged over the past, looked at from one step ahead (Nesterov)."""
        gradient, state = matrix.grad, self.state[matrix]
        assert gradient is not None
        average = state.setdefault("momentum_buffer", torch.zeros_like(gradient))
        average.lerp_(gradient, 1 - momentum)
        return gradient.lerp(average, momentum)


def orthogonal(matrices: Tensor, products: torch.dtype = torch.float32) -> Tensor:
    """Matrices (n, rows, columns) with all singular values moved to about 1."""
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = (matrices.mT if tall else matrices).to(products)
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=SMALLEST_NORM)
    first, third, fifth = POLYNOMIAL
    for _ in range(STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=third, alpha=fifth), x, beta=first)
    return x.mT if tall else x
