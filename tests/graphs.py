"""A stand-in for `torch.cuda` on a machine without a card: what is recorded is replayed kernel by kernel, no Python
of ours between them, on the same memory; and what a real recording does not permit, looking at a value, is an error.
"""

from __future__ import annotations

import contextlib

import torch
from torch.utils._python_dispatch import TorchDispatchMode

LOOKS = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "is_nonzero", "equal")


class Recorder(TorchDispatchMode):
    """Keeps every kernel with its arguments and what it gave."""

    def __init__(self):
        super().__init__()
        self.kernels = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = function.overloadpacket.__name__
        if name in LOOKS:
            raise RuntimeError(f"CUDA error: operation not permitted when stream is capturing ({name})")
        result = function(*args, **kwargs)
        mutates = any(each.alias_info is not None and each.alias_info.is_write for each in function._schema.arguments)
        given = {each.untyped_storage().data_ptr() for each in _tensors([*args, *kwargs.values()])}
        views = all(each.untyped_storage().data_ptr() in given for each in _tensors(result))
        if mutates or not views:
            self.kernels.append((function, args, kwargs, None if mutates else result))
        return result


class Graph:
    """A recording."""

    def __init__(self, cuda):
        self._cuda = cuda
        self.kernels = []

    def replay(self):
        self._cuda.launch()
        for function, args, kwargs, result in self.kernels:
            again = function(*args, **kwargs)
            if result is not None:
                for old, new in zip(_tensors(result), _tensors(again), strict=True):
                    old.copy_(new)


def _tensors(result):
    """The tensors in a result or in arguments, in order."""
    parts = result if isinstance(result, tuple | list) else [result]
    return [each for part in parts for each in (_tensors(part) if isinstance(part, tuple | list) else [part])
            if isinstance(each, torch.Tensor)]  # fmt: skip


class Stream:
    def synchronize(self):
        pass


class Event:
    def __init__(self):
        self.marks = 0

    def record(self, stream):
        self.marks += 1

    def synchronize(self):
        pass


class Cuda:
    """lost_after: launches after which the card is gone; None: never. share: the part of its memory asked for."""

    Stream, Event = Stream, Event

    def __init__(self, lost_after=None):
        self.lost_after, self.launches, self.recorded, self.share = lost_after, 0, 0, None

    def CUDAGraph(self):
        return Graph(self)

    def launch(self):
        self.launches += 1
        if self.lost_after is not None and self.launches > self.lost_after:
            raise RuntimeError("CUDA error: unspecified launch failure\nCompile with TORCH_USE_CUDA_DSA")

    def set_per_process_memory_fraction(self, share):
        self.share = share

    def graph_pool_handle(self):
        return "pool"

    def stream(self, stream):
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def graph(self, graph, pool, stream):
        assert pool == "pool"
        with Recorder() as recorder:
            yield
        graph.kernels = recorder.kernels
        self.recorded += 1
