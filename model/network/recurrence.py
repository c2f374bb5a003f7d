"""The network run one row at a time, for several streams together: constant time and memory a token.

The same weights and the same result as `Network.forward` (tests compare them); tables are folded together first, so
that a row costs one look-up a field and nothing is computed twice. Whoever calls this knows ids only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from hitpoint.model.music import tokens
from hitpoint.model.network.attention import State, rotation
from hitpoint.model.network.network import CHAIN, Network


@dataclass
class Streams:
    """The memory of N streams: one state a layer, and the bar conditions in force.

    table (N, columns); bars: one (N, d) a layer, or None where the network takes no conditions.
    """

    layers: list[State]
    table: Tensor
    bars: list[Tensor] | None = None


Snapshot = tuple[State, ...]
"""One stream's memory, layer by layer."""


class Recurrence:
    """A network prepared for decoding: any configuration, any device, float32."""

    precision = "float32"

    def __init__(self, network: Network, genre_strength: float = 1.0) -> None:
        """genre_strength: how much more than in training the genre counts; 1 = as there."""
        self.network = network
        self.genre_strength = genre_strength
        self.config = network.config
        self.device = network.norm.weight.device
        with torch.inference_mode():
            folded = network.embedding.folded()
            self._rows = folded
            self._initial = network.guided_initials(genre_strength)
            sizes = [tokens.SIZES[tokens.FIELDS.index(name)] for name in network.embedding.fields]
            self._columns = [tokens.FIELDS.index(name) for name in network.embedding.fields]
            self._offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
            self._fold_heads(network)

    def _fold_heads(self, network: Network) -> None:
        """For chained heads: what each known class adds in front of the gelu, W t instead of W (h + t)."""
        self._told: dict[tuple[str, str], Tensor] = {}
        if self.config.head != "chained":
            return
        for attribute in self.config.attributes:
            weight = network.heads.first(attribute).weight
            for name in CHAIN[attribute]:
                self._told[attribute, name] = network.heads.told(name).weight @ weight.T

    @torch.inference_mode()
    def start(self, streams: int) -> Streams:
        """Memory before any row."""
        layers = [block.attention.start(streams) for block in self.network.layers]
        return Streams(layers, torch.zeros(0))

    @torch.inference_mode()
    def enter_bar(self, memory: Streams, table: NDArray[np.int16], stream: int | None = None) -> None:
        """From the next row on a condition holds: table (N, columns) for all streams, or (1, columns) for one."""
        rows = torch.from_numpy(table.astype(np.int64)).to(self.device)
        bars = None
        if self.config.conditioned:
            vectors = self.network.guided_vectors(rows, self.genre_strength)
            bars = [block.condition(vectors) for block in self.network.layers if block.condition is not None]
        if stream is None or len(memory.table) <= 1:
            memory.table, memory.bars = rows, bars
            return
        memory.table[stream] = rows[0]
        if bars is not None and memory.bars is not None:
            for kept, new in zip(memory.bars, bars, strict=True):
                kept[stream] = new[0]

    @torch.inference_mode()
    def advance(self, memory: Streams, rows: NDArray[np.int64], time: NDArray[np.int64]) -> Tensor:
        """Read one row a stream: rows (N, 8), time (N,) ticks. Returns the hidden vectors (N, d)."""
        x = self._embed(rows)[:, None]
        clock = torch.from_numpy(time).to(self.device)[:, None]
        if not self.config.conditioned:
            x = x + self.network.positions(clock, memory.table[:, None])
        turn = rotation(clock, self.config.d_model // self.config.heads)
        for index, block in enumerate(self.network.layers):
            if memory.bars is not None:
                x = x + memory.bars[index][:, None]
            read, memory.layers[index] = block.attention.step(block.norm1(x), turn, memory.layers[index])
            x = x + read
            x = x + block.feed_forward(block.norm2(x))
        return cast(Tensor, self.network.norm(x)[:, 0])

    def _embed(self, rows: NDArray[np.int64]) -> Tensor:
        initial = rows[:, tokens.TYPE] == tokens.INIT
        if initial.all():
            return self._initial[torch.from_numpy(rows[:, tokens.PITCH]).to(self.device)]
        index = torch.from_numpy(rows[:, self._columns] + self._offsets).to(self.device)
        return F.embedding_bag(index, self._rows, mode="sum") + self.network.embedding.join.bias

    @torch.inference_mode()
    def logits(self, hidden: Tensor, attribute: str, known: dict[str, list[int]]) -> NDArray[np.float32]:
        """hidden (n, d), known: attribute -> n classes. Returns logits (n, classes)."""
        heads = self.network.heads
        if self.config.head == "parallel":
            told = {name: torch.tensor(classes, device=self.device) for name, classes in known.items()}
            return heads(hidden, attribute, told).float().cpu().numpy()  # type: ignore[no-any-return]
        inner = heads.first(attribute)(hidden)
        for name in CHAIN[attribute]:
            inner = inner + self._told[attribute, name][known[name]]
        return heads.second(attribute)(F.gelu(inner)).float().cpu().numpy()  # type: ignore[no-any-return]

    def snapshot(self, memory: Streams, stream: int = 0) -> Snapshot:
        """A copy of one stream's memory."""
        return tuple(tuple(_pick(part, stream) for part in state) for state in memory.layers)

    def restore(self, snapshot: Snapshot, streams: int = 1) -> Streams:
        """Streams that all go on from one snapshot."""
        layers = [tuple(_repeat(part, streams) for part in state) for state in snapshot]
        return Streams(layers, torch.zeros(0))


def _pick(part: Tensor, stream: int) -> Tensor:
    return part.clone() if part.ndim == 0 else part[stream : stream + 1].clone()


def _repeat(part: Tensor, streams: int) -> Tensor:
    return part.clone() if part.ndim == 0 else part.repeat(streams, *[1] * (part.ndim - 1))
