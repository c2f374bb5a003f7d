"""Muon's orthogonal updates, beside torch's own where this torch has it."""

from __future__ import annotations

import copy

import pytest
import torch

from hitpoint.model.training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(3, 40, 24), (2, 24, 40), (1, 16, 16)])
def test_singular_values_end_near_one(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
    assert values.min() > 0.3 and values.max() < 1.4
    assert not orthogonal(torch.zeros(shape)).any()


def test_it_updates_as_torchs_own_does() -> None:
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon to compare with")
    torch.manual_seed(0)
    ours = [torch.nn.Parameter(torch.randn(shape) / 8) for shape in ((48, 32), (32, 48), (48, 32))]
    theirs = copy.deepcopy(ours)
    one = Muon(ours, 0.02, 0.01, momentum=0.95, products=torch.bfloat16)
    other = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.01, momentum=0.95)
    for _ in range(3):
        for mine, its in zip(ours, theirs, strict=True):
            mine.grad = torch.randn(mine.shape)
            its.grad = mine.grad.clone()
        one.step()
        other.step()
    for mine, its in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, its, atol=2e-3, rtol=0)
