"""What a step works out: the loss of a batch, in the precision and by the compiler that suit the device."""

from __future__ import annotations

import functools
import os
import shutil
import sys
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from hitpoint.model.errors import InputError
from hitpoint.model.network.network import Network, losses
from hitpoint.model.training.feed import Fed


class Objective(nn.Module):
    """Network and loss in one module, so that data-parallel training sees one forward pass."""

    def __init__(self, network: Network, compiler: str | Callable[..., Any] = "") -> None:
        """compiler: a backend of `torch.compile` for the network, "" for none."""
        super().__init__()
        self.network = network
        # Outside of the module's own parts, so that weights keep their names.
        self._read = (torch.compile(network.read, backend=compiler, fullgraph=True) if compiler else network.read,)

    def forward(self, batch: Fed) -> tuple[Tensor, Tensor]:
        """-> (mean loss a row in nats, (attributes,): summed loss of each)."""
        rows, time = batch.rows, batch.time[:, :-1]
        torch._dynamo.maybe_mark_dynamic(batch.table, 1)  # bars: else the second batch is compiled anew
        hidden = self._read[0](rows[:, :-1], time, self.network.turn(time), batch.slot[:, :-1], batch.table)
        parts = torch.stack([*losses(self.network, hidden, rows[:, 1:], batch.counting).values()])
        return parts.sum() / len(batch.counting["type"]), parts.detach()


def products(device: str) -> torch.autocast:
    """The context in which matrix products run: in bfloat16 where the device has instructions for it.

    A processor without them takes 7 to 20 times as long for bfloat16 as for float32.
    """
    return torch.autocast(device.partition(":")[0], torch.bfloat16, enabled=has_bfloat16(device))


@functools.cache
def has_bfloat16(device: str) -> bool:
    """Whether products in bfloat16 are quicker than in float32 there."""
    if device.startswith("cuda"):
        return bool(torch.cuda.get_device_capability(device) >= (8, 0))
    if not device.startswith("cpu"):
        return False
    known = [getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile")]
    return any(probe is not None and probe() for probe in known)


def compiler_for(device: str, wish: str, long: bool) -> str:
    """A backend of `torch.compile`, or "" for none.

    wish: "on", "off" or "auto": on graphics cards, whose kernels are launched one by one otherwise, and on a processor
    where a C++ compiler is installed and the run is `long` enough to earn back the two minutes that compiling takes.

    Raises InputError where it is "on" and nothing can be compiled.
    """
    if wish == "off" or (wish == "auto" and not device.startswith("cuda") and not (long and _cpp_compiler())):
        return ""
    try:
        torch.compile(torch.sin, backend="inductor")(torch.ones(8, device=device))
    except Exception as error:  # inductor raises many kinds
        if wish == "on":
            raise InputError(f"nothing can be compiled here ({_first_line(error)}); leave out --compile on") from None
        warnings.warn(f"training is slower than it could be: compiling fails ({_first_line(error)})", stacklevel=2)
        return ""
    return "inductor"


def _cpp_compiler() -> bool:
    """Whether the compiler is there that inductor would call."""
    return shutil.which(os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")) is not None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
