"""A batch as the device takes it: whatever needs a look at values is found out on the host, before it goes there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from hitpoint.model.data.windows import Batch
from hitpoint.model.network.network import counting_rows


class Fed(NamedTuple):
    """As `Batch`, on the device. counting: by attribute the numbers of the rows (n,) on which it counts, counted
    through all windows; attributes that count on the same rows have the same tensor.
    """

    rows: Tensor
    time: Tensor
    slot: Tensor
    table: Tensor
    counting: dict[str, Tensor]


def feed(batch: Batch, attributes: Sequence[str], device: str) -> Fed:
    """The batch on its way to the device; a graphics card fetches it while it works on the one before."""
    target, valid, loud = (torch.from_numpy(each) for each in (batch.rows[:, 1:], batch.valid, batch.loud))
    loud = loud[:, None].expand_as(valid)
    kept: list[tuple[Tensor, Tensor]] = []
    counting = {}
    for attribute in attributes:
        counts = counting_rows(attribute, target) & valid
        counts = counts & loud if attribute == "velocity" else counts
        known = next((there for mask, there in kept if torch.equal(mask, counts)), None)
        if known is None:
            known = _sent(counts.flatten().nonzero().squeeze(1), device)
            kept.append((counts, known))
        counting[attribute] = known
    columns = (batch.rows, batch.time, batch.slot, batch.table)
    rows, time, slot, table = (_sent(torch.from_numpy(column), device) for column in columns)
    return Fed(rows, time, slot, table, counting)


def _sent(values: Tensor, device: str) -> Tensor:
    pinned = values.pin_memory() if device.startswith("cuda") else values
    return pinned.to(device, non_blocking=True)
