"""The recurrent network for a processor: eight-bit weights, and arithmetic on small arrays where numpy is quickest.

It takes the place of `Recurrence` for networks of gated and local layers with chained heads, and says what that one
says but for rounding (tests compare them). Norm weights and scales are folded into the matrices that follow them, so
that a layer is four products and little else. Shapes: N streams, H heads, D width of a head, W rows of a window.
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
from hitpoint.model.network import int8
from hitpoint.model.network.attention import ROTATION_BASE, GatedAttention, LinearAttention
from hitpoint.model.network.int8 import Array, Int8Matrix
from hitpoint.model.network.network import CHAIN, Block, Network, NetworkConfig

EPSILON = np.finfo(np.float32).eps


def fits(config: NetworkConfig) -> bool:
    """Whether a network of this configuration can run here, by this torch."""
    return (
        int8.is_available()
        and config.head == "chained"
        and config.conditioned
        and set(config.attention) <= {"gated", "local"}
    )


@dataclass
class GatedState:
    """S (N, H, D, D) of one gated layer."""

    summed: Array


@dataclass
class LocalState:
    """Rings of keys and values (N, H, W, D) of one local layer, and the count of rows seen."""

    keys: Array
    values: Array
    count: int


LayerState = GatedState | LocalState
FastSnapshot = tuple[LayerState, ...]


@dataclass
class FastStreams:
    """The memory of N streams. bars: for each layer what the bar's condition adds, (N, d)."""

    layers: list[LayerState]
    bars: list[Array]


def _rms(x: Array) -> Array:
    """x over its root mean square along the last axis."""
    scale: Array = np.float32(1.0) / np.sqrt(np.einsum("...i,...i->...", x, x) / np.float32(x.shape[-1]) + EPSILON)
    return x * scale[..., None]


def _silu(x: Array) -> Array:
    result: Array = x / (np.float32(1.0) + np.exp(-x))
    return result


class _Layer:
    """One block: its matrices, with the norms in front of them folded in."""

    def __init__(self, block: Block, heads: int, window: int) -> None:
        attention = block.attention
        assert not isinstance(attention, LinearAttention)
        self.heads = heads
        self.window = window
        norm1, norm2 = block.norm1.weight, block.norm2.weight
        project = attention.project.weight * norm1
        out = attention.out.weight
        self.d = out.shape[0]
        self.gated = isinstance(attention, GatedAttention)
        scale = (self.d // heads) ** -0.5
        # Both kinds scale the product of query and key by 1 / sqrt(D).
        project = torch.cat([project[: self.d] * scale, project[self.d :]])
        if isinstance(attention, GatedAttention):
            out = out * cast(Tensor, attention.norm.weight).repeat(heads)
            self.decay = attention.decay.detach().numpy().astype(np.float32)
        self.project, self.out = Int8Matrix(project), Int8Matrix(out)
        self.up, self.down = Int8Matrix(block.up.weight * norm2), Int8Matrix(block.down.weight)
        assert block.condition is not None
        self.condition = block.condition.weight.detach().numpy().T.copy()

    def start(self, streams: int) -> LayerState:
        width = self.d // self.heads
        if self.gated:
            return GatedState(np.zeros((streams, self.heads, width, width), np.float32))
        ring = np.zeros((streams, self.heads, self.window, width), np.float32)
        return LocalState(ring, ring.copy(), 0)

    def step(self, x: Array, cosine: Array, sine: Array, state: LayerState) -> Array:
        """x (N, d) -> x after the block, whose state is changed in place.

        cosine, sine (N, 1, 1, 2, D / 2): of the angle of each pair, and of its first half with the sign turned.
        """
        n, d = x.shape
        mixed = self.project(_rms(x))
        both: Array = mixed[:, : 2 * d].reshape(n, 2, self.heads, 2, -1)
        both = (both * cosine + both[..., ::-1, :] * sine).reshape(n, 2, self.heads, -1)
        value = mixed[:, 2 * d : 3 * d].reshape(n, self.heads, -1)
        if isinstance(state, GatedState):
            keep = 1.0 / (1.0 + np.exp(mixed[:, 4 * d :] + self.decay))
            state.summed *= keep[:, :, None, None]
            # The one place where torch, which adds the product in passing, is three times as quick for eight streams.
            key = torch.from_numpy(both[:, 1, :, :, None])
            torch.from_numpy(state.summed).addcmul_(key, torch.from_numpy(value[:, :, None, :]))
            read = _rms((both[:, 0, :, None, :] @ state.summed)[:, :, 0])
            read = read.reshape(n, d) * _silu(mixed[:, 3 * d : 4 * d])
        else:
            read = self._look_back(both[:, 0], both[:, 1], value, state).reshape(n, d)
        x = x + self.out(np.ascontiguousarray(read))
        inner = self.up(_rms(x))
        width = inner.shape[1] // 2
        return x + self.down(_silu(inner[:, :width]) * inner[:, width:])

    def _look_back(self, query: Array, key: Array, value: Array, state: LocalState) -> Array:
        at = state.count % self.window
        state.keys[:, :, at], state.values[:, :, at] = key, value
        state.count += 1
        filled = min(state.count, self.window)
        score = (state.keys[:, :, :filled] @ query[..., None])[..., 0]
        weight = np.exp(score - score.max(axis=-1, keepdims=True))
        weight /= weight.sum(axis=-1, keepdims=True)
        return (weight[:, :, None, :] @ state.values[:, :, :filled])[:, :, 0]  # type: ignore[no-any-return]


class FastRecurrence:
    """A network prepared for decoding on a processor. The same methods as `Recurrence`."""

    precision = "int8"

    def __init__(self, network: Network, genre_strength: float = 1.0) -> None:
        """genre_strength: how much more than in training the genre counts; 1 = as there."""
        config = network.config
        self.genre_strength = genre_strength
        assert fits(config)
        self.config = config
        self._network = network
        with torch.inference_mode():
            self._layers = [_Layer(block, config.heads, config.window) for block in network.layers]
            self._rows = (network.embedding.folded()).numpy().copy()
            self._rows_bias = network.embedding.join.bias.detach().numpy()
            self._initial = network.guided_initials(genre_strength).numpy()
            self._norm = network.norm.weight.detach().numpy()
            self._heads = {name: self._fold_head(network, name) for name in config.attributes}
        sizes = [tokens.SIZES[tokens.FIELDS.index(name)] for name in network.embedding.fields]
        self._columns = [tokens.FIELDS.index(name) for name in network.embedding.fields]
        self._offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        width = config.d_model // config.heads
        self._rate = ROTATION_BASE ** (-np.arange(0, width, 2) / width)

    def _fold_head(self, network: Network, attribute: str) -> tuple[Int8Matrix, Int8Matrix, dict[str, Tensor]]:
        """First and second matrix of a head, and what each known class adds between them."""
        first, second = network.heads.first(attribute), network.heads.second(attribute)
        told = {name: network.heads.told(name).weight @ first.weight.T for name in CHAIN[attribute]}
        return Int8Matrix(first.weight, first.bias), Int8Matrix(second.weight, second.bias), told

    def start(self, streams: int) -> FastStreams:
        """Memory before any row."""
        return FastStreams([layer.start(streams) for layer in self._layers], [])

    @torch.inference_mode()
    def enter_bar(self, memory: FastStreams, table: NDArray[np.int16], stream: int | None = None) -> None:
        """From the next row on a condition holds: table (N, columns) for all streams, or (1, columns) for one."""
        # Row by row, so that a stream hears the same to the bit whether it is alone or one of many.
        each = [self._network.guided_vectors(row[None], self.genre_strength) for row in torch.from_numpy(table).long()]
        added = [np.concatenate([row.numpy() @ layer.condition for row in each]) for layer in self._layers]
        if stream is None or not memory.bars or len(memory.bars[0]) == 1:
            memory.bars = added
            return
        for kept, new in zip(memory.bars, added, strict=True):
            kept[stream] = new[0]

    @torch.inference_mode()
    def advance(self, memory: FastStreams, rows: NDArray[np.int64], time: NDArray[np.int64]) -> Tensor:
        """Read one row a stream: rows (N, 8), time (N,) ticks. Returns the hidden vectors (N, d)."""
        if rows[0, tokens.TYPE] == tokens.INIT:
            x = self._initial[rows[:, tokens.PITCH]]
        else:
            x = self._rows[rows[:, self._columns] + self._offsets].sum(axis=1) + self._rows_bias
        angle = np.multiply.outer(time, self._rate)[:, None, None]
        cosine = np.stack([np.cos(angle)] * 2, axis=-2, dtype=np.float32)
        sine = np.stack([-np.sin(angle), np.sin(angle)], axis=-2, dtype=np.float32)
        for layer, added, state in zip(self._layers, memory.bars, memory.layers, strict=True):
            x = layer.step(x + added, cosine, sine, state)
        return torch.from_numpy(_rms(x) * self._norm)

    @torch.inference_mode()
    def logits(self, hidden: Tensor, attribute: str, known: dict[str, list[int]]) -> NDArray[np.float32]:
        """hidden (n, d), known: attribute -> n classes. Returns logits (n, classes)."""
        first, second, told = self._heads[attribute]
        inner = first.product(hidden)
        for name, table in told.items():
            inner += table[known[name]]
        return second.product(F.gelu(inner)).numpy()

    def snapshot(self, memory: FastStreams, stream: int = 0) -> FastSnapshot:
        """A copy of one stream's memory."""
        return tuple(_copied(state, slice(stream, stream + 1), 1) for state in memory.layers)

    def restore(self, snapshot: FastSnapshot, streams: int = 1) -> FastStreams:
        """Streams that all go on from one snapshot."""
        return FastStreams([_copied(state, slice(None), streams) for state in snapshot], [])


def _copied(state: LayerState, chosen: slice, times: int) -> LayerState:
    if isinstance(state, GatedState):
        return GatedState(np.repeat(state.summed[chosen], times, axis=0))
    keys, values = (np.repeat(ring[chosen], times, axis=0) for ring in (state.keys, state.values))
    return LocalState(keys, values, state.count)
