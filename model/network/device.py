"""What the static step needs of a device: memory at fixed addresses, work recorded once and run again, and a wait.

On a processor nothing is recorded: the same work runs as it is written. With CUDA it becomes a graph, which is launched
as a whole, without Python between its kernels. Everything runs on one stream of its own, so that another program, or
another library in this process, is neither waited for nor kept waiting.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

Work = Callable[[], None]
WARM_UPS = 3
"""Before work is recorded: libraries choose their kernels and take their memory in the first runs."""
USUAL_SHARE = 0.5
"""Of a card's memory that composing may take at most: the card also draws the editor's picture."""


class DeviceLost(RuntimeError):
    """The card cannot be used any more: it was reset, taken away, or its memory is full."""


class Device(Protocol):
    """Where a static step runs."""

    @property
    def where(self) -> torch.device:
        """The device of its tensors."""

    def zeros(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Memory on the device."""

    def host(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Memory of this process from which the device copies, and into which."""

    def active(self) -> contextlib.AbstractContextManager[Any]:
        """Whatever runs within runs on the device's own stream. Raises DeviceLost where the card goes away."""

    def graph(self, work: Work) -> Work:
        """The work, recorded. It must neither allocate what outlives it nor look at a value."""

    def mark(self) -> None:
        """Remember this point of the device's work."""

    def wait(self) -> None:
        """Wait until the device has reached the point remembered last. Raises DeviceLost."""


class Plain:
    """A device whose work runs as it is written."""

    def __init__(self, where: str = "cpu") -> None:
        self.where = torch.device(where)

    def zeros(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Memory on the device."""
        return torch.zeros(shape, dtype=dtype, device=self.where)

    def host(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Memory of this process."""
        return torch.zeros(shape, dtype=dtype)

    def active(self) -> contextlib.AbstractContextManager[Any]:
        """Nothing is special."""
        return contextlib.nullcontext()

    def graph(self, work: Work) -> Work:
        """The work itself."""
        return work

    def mark(self) -> None:
        """The work is done at once."""

    def wait(self) -> None:
        """The work is done already."""


class Graphs:
    """A CUDA device, its work recorded as graphs that share one pool of memory.

    cuda: `torch.cuda`, or what stands in for it in tests.
    """

    def __init__(self, where: str = "cuda", cuda: Any = torch.cuda, share: float = USUAL_SHARE) -> None:
        """share: of the card's memory that this process may take at most; beyond it DeviceLost is raised."""
        self.where, self._cuda = torch.device(where), cuda
        with _lost():
            self._cuda.set_per_process_memory_fraction(share)
            self._stream = cuda.Stream()
            self._event = cuda.Event()
            self._pool = cuda.graph_pool_handle()

    def zeros(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Memory on the card."""
        with _lost():
            return torch.zeros(shape, dtype=dtype, device=self.where)

    def host(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Memory that the card can reach by itself."""
        with _lost():
            return torch.zeros(shape, dtype=dtype, pin_memory=self.where.type == "cuda")

    @contextlib.contextmanager
    def active(self) -> Any:
        """Whatever runs within runs on the stream."""
        with _lost(), self._cuda.stream(self._stream):
            yield

    def graph(self, work: Work) -> Work:
        """The work as one launch."""
        with self.active():
            for _ in range(WARM_UPS):
                work()
            self._stream.synchronize()
            graph = self._cuda.CUDAGraph()
            with self._cuda.graph(graph, pool=self._pool, stream=self._stream):
                work()

        def replay() -> None:
            with self.active():
                graph.replay()

        return replay

    def mark(self) -> None:
        """Remember this point of the stream."""
        with _lost():
            self._event.record(self._stream)

    def wait(self) -> None:
        """Sleep until the stream is there."""
        with _lost():
            self._event.synchronize()


@contextlib.contextmanager
def _lost() -> Any:
    """What torch says of a card that is gone, as DeviceLost. Its errors are RuntimeError throughout."""
    try:
        yield
    except DeviceLost:
        raise
    except RuntimeError as error:
        raise DeviceLost(str(error).partition("\n")[0][:200]) from error  # hints for programmers follow
