"""The network run one row at a time from fixed memory, for devices that record work and launch it as a whole.

It takes the place of `Recurrence` where a composer runs on a graphics card, and says what that one says (tests compare
them on a processor, where the same work runs as it is written). Besides, it draws whole rows: a row goes to the device
as tables and comes back as classes, in one copy. What a row is made of is decided elsewhere; see `static_step`.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from hitpoint.model.music import tokens
from hitpoint.model.network.device import Device, Plain, Work
from hitpoint.model.network.network import Network, NetworkConfig
from hitpoint.model.network.static_step import BAR, NOTE, ONSET, ROW, Buffers, Steering, Step

SIZES = (1, 8, 64, 256)
"""Streams that are run together; fewer take the next size, more the next multiple of the largest."""
PARTS: tuple[tuple[int, ...], ...] = ((), (NOTE,), (ONSET,), (NOTE, ONSET), (BAR, NOTE, ONSET))
"""What may be drawn together: what no stream needs is not computed."""
USUAL = dict.fromkeys(tokens.FIELDS, (1.0, 1.0))


@dataclass(eq=False)
class StaticStreams:
    """The memory of N streams, which lies in the buffers of its size while it is at work, and in `kept` otherwise."""

    streams: int
    size: int
    kept: list[Tensor] = field(default_factory=list)


StaticSnapshot = tuple[Tensor, ...]
"""One stream's states, each with a first axis of 1."""


class HalfLinear(nn.Module):
    """A linear layer with bfloat16 weights between float32 activations."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = nn.Parameter(linear.weight.detach().bfloat16(), requires_grad=False)
        self.bias = linear.bias
        self.in_features = linear.in_features

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out), float32."""
        y = F.linear(x.bfloat16(), self.weight).float()
        return y if self.bias is None else y + self.bias


def halved(network: Network) -> Network:
    """A copy of the network with bfloat16 matrices; norms, tables and states stay float32."""
    result = copy.deepcopy(network)
    for parent in list(result.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear) and child is not result.embedding.join:  # its tables are folded at once
                setattr(parent, name, HalfLinear(child))
    return result


def size_for(streams: int) -> int:
    """How many streams the buffers hold that so many are run in."""
    return next((size for size in SIZES if size >= streams), -(-streams // SIZES[-1]) * SIZES[-1])


class _Bench:
    """The buffers of one size and the work recorded on them."""

    def __init__(self, step: Step, size: int, device: Device) -> None:
        self.buffers = Buffers.make(step.network, size, device, step.steering)
        self.owner: weakref.ref[StaticStreams] | None = None
        self.told = 0
        """Streams told of a bar since the host last waited."""
        b, graph = self.buffers, device.graph

        def draw(kinds: tuple[int, ...], back: bool) -> Work:
            def work() -> None:
                step.draw(b, kinds)
                if back:
                    b.out_here.copy_(b.out, non_blocking=True)

            return work

        def read(beat: bool) -> Work:
            def work() -> None:
                step.read(b)
                if beat:
                    step.beat(b)
                    b.out_here.copy_(b.out, non_blocking=True)

            return work

        def take() -> None:
            step.take(b)
            step.read(b)

        with torch.inference_mode():
            self.enter, self.take, self.tell = graph(lambda: step.enter(b)), graph(take), list[Work]()
            self.draws, self.reads = dict[tuple[tuple[int, ...], bool], Work](), dict[bool, Work]()
            if step.steering is not None:
                self.tell = [graph(lambda slot=slot: step.tell(b, slot)) for slot in range(len(b.slots))]  # type: ignore[misc]
                self.draws = {(kinds, back): graph(draw(kinds, back)) for kinds in PARTS for back in (True, False)}
                self.reads = {beat: graph(read(beat)) for beat in (True, False)}
            for part in b.remembered():
                part.zero_()  # recording may have run the work


class StaticRecurrence:
    """A network prepared for decoding from fixed memory, on any device: the methods of `Recurrence`, and `draw`."""

    def __init__(
        self, network: Network, genre_strength: float = 1.0, device: Device | None = None, *, half: bool = False,
        sharpness: Mapping[str, tuple[float, float]] | None = None, sizes: tuple[int, ...] = (),
        steering: Steering | None = None,
    ) -> None:  # fmt: skip
        """half: bfloat16 weights. sharpness: temperature and nucleus of each attribute, for `draw`. sizes: of streams,
        to be made ready now rather than when they are first needed. steering: for `draw`.
        """
        self.config: NetworkConfig = network.config
        self.precision = "bfloat16" if half else "float32"
        self.device = device or Plain(str(network.norm.weight.device))
        with torch.inference_mode(), self.device.active():
            network = halved(network) if half else network
            self._step = Step(network, genre_strength, {**USUAL, **(sharpness or {})}, steering)
        self._benches: dict[int, _Bench] = {}
        for size in sizes:
            self._bench(size)

    def start(self, streams: int) -> StaticStreams:
        """Memory before any row."""
        return StaticStreams(streams, size_for(streams))

    @torch.inference_mode()
    def enter_bar(
        self, memory: StaticStreams, table: NDArray[np.int16], stream: int | Sequence[int] | None = None
    ) -> None:
        """From the next row on a condition holds: table (N, columns) for all streams, or for one or some of them."""
        bench = self._bring(memory)
        chosen = slice(0, memory.streams) if stream is None else [stream] if isinstance(stream, int) else list(stream)
        here = bench.buffers.here
        here["entering"].zero_()
        here["entering"][chosen] = True
        here["incoming"][chosen] = torch.from_numpy(table.astype(np.int64))
        bench.enter()
        self.device.mark()

    @torch.inference_mode()
    def advance(self, memory: StaticStreams, rows: NDArray[np.int64], time: NDArray[np.int64]) -> Tensor:
        """Read one row a stream: rows (N, 8), time (N,) ticks. Returns the hidden vectors (N, d)."""
        bench = self._bring(memory)
        given = bench.buffers.here["rows"]
        given.zero_()
        given[: memory.streams, :ROW] = torch.from_numpy(rows)
        given[: memory.streams, ROW] = torch.from_numpy(time)
        bench.take()
        self.device.mark()
        return self.hidden(memory)

    @torch.inference_mode()
    def logits(self, hidden: Tensor, attribute: str, known: dict[str, list[int]]) -> NDArray[np.float32]:
        """hidden (n, d), known: attribute -> n classes. Returns logits (n, classes)."""
        with self.device.active():
            told = {name: torch.tensor(classes, device=self.device.where) for name, classes in known.items()}
            return self._step.logits(hidden, attribute, told).cpu().numpy()

    @torch.inference_mode()
    def tell(self, memory: StaticStreams, stream: int, told: Mapping[str, NDArray[np.generic]]) -> None:
        """What the steering is to know of a stream's next bar, by the names of its `told`, (numbers,) each."""
        bench = self._bring(memory)
        slot = bench.told % len(bench.tell)
        if slot == 0 and bench.told:
            self.device.mark()
            self.device.wait()
        here = bench.buffers.slots[slot][0]
        for name, values in told.items():
            here[name].numpy()[0] = values
        here["stream"][0] = stream
        bench.tell[slot]()
        bench.told += 1

    @torch.inference_mode()
    def draw(self, memory: StaticStreams, kinds: Set[int], beat: bool) -> NDArray[np.float32]:
        """Draw one row a stream, read it, and draw the beat behind it. Returns (N, OUT): see `static_step`.

        kinds: what is to be drawn of rows: BAR, ONSET, NOTE; beat: whether a stream's beat is due behind its row. Where
        none is, the rows come back while the device is still reading them.
        """
        bench = self._bring(memory)
        parts = next(each for each in PARTS if kinds <= set(each))
        bench.draws[parts, not beat]()
        if not beat:
            self.device.mark()
        bench.reads[beat]()
        if beat:
            self.device.mark()
        self.device.wait()
        bench.told = 0
        found: NDArray[np.float32] = bench.buffers.out_here.numpy()[: memory.streams].copy()
        return found

    @torch.inference_mode()
    def hidden(self, memory: StaticStreams) -> Tensor:
        """A copy of the hidden vectors (N, d) behind the last row."""
        bench = self._bring(memory)
        with self.device.active():
            return bench.buffers.hidden[: memory.streams].clone()

    @torch.inference_mode()
    def place(self, memory: StaticStreams, hidden: Tensor) -> None:
        """Go on from these hidden vectors (N, d)."""
        bench = self._bring(memory)
        with self.device.active():
            bench.buffers.hidden[: memory.streams].copy_(hidden)

    @torch.inference_mode()
    def snapshot(self, memory: StaticStreams, stream: int = 0) -> StaticSnapshot:
        """A copy of one stream's memory, on the device."""
        bench = self._bring(memory)
        with self.device.active():
            states = bench.buffers.states
            return tuple(part[stream : stream + 1].clone() for state in states for part in state)

    @torch.inference_mode()
    def restore(self, snapshot: StaticSnapshot, streams: int = 1) -> StaticStreams:
        """Streams that all go on from one snapshot."""
        memory = self.start(streams)
        bench = self._bring(memory)
        with self.device.active():
            for part, kept in zip((p for state in bench.buffers.states for p in state), snapshot, strict=True):
                part.copy_(kept.expand_as(part))
        return memory

    def reserve(self, snapshots: int) -> None:
        """Take the memory of so many snapshots and as many hidden vectors now, so that none is asked for later."""
        memory = self.start(1)
        kept = [(self.snapshot(memory), self.hidden(memory)) for _ in range(snapshots)]
        del kept  # torch keeps the memory

    def _bench(self, size: int) -> _Bench:
        if size not in self._benches:
            self._benches[size] = _Bench(self._step, size, self.device)
        return self._benches[size]

    @torch.inference_mode()
    def _bring(self, memory: StaticStreams) -> _Bench:
        """The buffers with this memory in them; whoever was there before finds its own where it left it."""
        bench = self._bench(memory.size)
        self.device.wait()  # what the host wrote last has been fetched
        before = None if bench.owner is None else bench.owner()
        if before is memory:
            return bench
        with self.device.active():
            parts = bench.buffers.remembered()
            if before is not None:
                before.kept = [part.clone() for part in parts]
            for number, part in enumerate(parts):
                if memory.kept:
                    part.copy_(memory.kept[number])
                else:
                    part.zero_()
            memory.kept = []
        bench.owner = weakref.ref(memory)
        return bench
