"""The chord planner's network, run by numpy alone: `hitpoint.model.training.chords` makes its weights."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.chords import QUALITIES
from hitpoint.model.music.codec import plain_json

WEIGHTS = "chords.safetensors"
"""In the checkpoints' folder, with its card."""
ROOTS = 12
NEAR = 48
DISTANCES = NEAR + 12
"""Classes of a distance in half bars, in each direction: each up to NEAR by itself, then ever wider ones."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Sizes:
    """width: of the vectors; inner: of the dense layers; encoder, decoder: blocks of each."""

    width: int
    heads: int
    inner: int
    encoder: int
    decoder: int


def distance_class(distance: NDArray[np.int64]) -> NDArray[np.int64]:
    """Signed distances -> classes 0..2 * DISTANCES - 1."""
    size = np.abs(distance)
    far = NEAR + np.minimum(11, (4 * np.log2(np.maximum(size, NEAR) / NEAR)).astype(np.int64))
    return np.asarray(np.where(size < NEAR, size, far) + DISTANCES * (distance > 0))


WINDOW = 192
"""Half bars that are looked at together, as many as in training."""
_START = 1
"""Behind the classes of roots and of qualities come "no chord" and "nothing yet"."""


@functools.cache
def shipped() -> ChordNetwork:
    """The network of the package."""
    with as_file(files("hitpoint.model") / "checkpoints" / WEIGHTS) as path:
        return ChordNetwork.load(path)


class ChordNetwork:
    """Weights that are only read: many readings may use them."""

    def __init__(self, arrays: dict[str, Array], sizes: Sizes) -> None:
        self.sizes = sizes
        self.arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}
        matrices = (name for name, array in self.arrays.items() if array.ndim == 2)
        self._turned = {name: np.ascontiguousarray(self.arrays[name].T) for name in matrices}

    @classmethod
    def load(cls, path: Path) -> ChordNetwork:
        """Weights and sizes from a safetensors file."""
        from safetensors import safe_open

        with safe_open(path, "np") as file:
            sizes = Sizes(**plain_json(file.metadata()["sizes"]))
            return cls({name: file.get_tensor(name) for name in file.keys()}, sizes)  # noqa: SIM118 (no mapping)

    def encode(self, told: NDArray[np.int64]) -> Array:
        """Conditions (t, columns) -> (t, width), in stretches of WINDOW half bars that overlap by half."""
        x = np.zeros((len(told), self.sizes.width), np.float32)
        for column in range(told.shape[1]):
            x += self.arrays[f"columns.{column}.weight"][told[:, column]]
        if len(x) <= WINDOW:
            return self._encode(x)
        found = np.zeros_like(x)
        for first in range(0, len(x) - WINDOW // 2, WINDOW // 2):
            first = min(first, len(x) - WINDOW)
            margin = WINDOW // 4 if first else 0
            found[first + margin : first + WINDOW] = self._encode(x[first : first + WINDOW])[margin:]
        return found

    def _encode(self, x: Array) -> Array:
        place = np.arange(len(x))
        distance = distance_class(place[None] - place[:, None])
        for number in range(self.sizes.encoder):
            name = f"encoder.{number}"
            q, k, v = self.qkv(name, x)
            bias = self.arrays[f"{name}.bias"][:, distance]  # (heads, t, t)
            seen = _softmax(np.matmul(q.transpose(1, 0, 2), k.transpose(1, 2, 0)) + bias)
            x = self.leave(name, x, np.matmul(seen, v.transpose(1, 0, 2)).transpose(1, 0, 2))
        return x

    def qkv(self, name: str, x: Array) -> tuple[Array, Array, Array]:
        """x (n, width) -> queries, scaled, keys and values, each (n, heads, width / heads)."""
        normed = self.norm(f"{name}.norm_attention", x)
        wide = self.dense(f"{name}.qkv", normed).reshape(len(x), 3, self.sizes.heads, -1)
        return wide[:, 0] / np.float32(np.sqrt(wide.shape[-1])), wide[:, 1], wide[:, 2]

    def leave(self, name: str, x: Array, seen: Array) -> Array:
        """A block's end: x (n, width) and what its attention saw, (n, heads, width / heads)."""
        x = x + self.dense(f"{name}.out", seen.reshape(len(x), -1))
        inner = np.maximum(self.dense(f"{name}.wide", self.norm(f"{name}.norm_dense", x)), 0)
        return x + self.dense(f"{name}.narrow", inner)

    def norm(self, name: str, x: Array) -> Array:
        """Layer norm over the last axis."""
        share = np.float32(1 / x.shape[-1])
        centred = x - np.add.reduce(x, axis=-1, keepdims=True) * share
        spread = np.add.reduce(centred * centred, axis=-1, keepdims=True) * share
        centred /= np.sqrt(spread + np.float32(1e-5))
        return np.asarray(centred * self.arrays[f"{name}.weight"] + self.arrays[f"{name}.bias"], np.float32)

    def dense(self, name: str, x: Array) -> Array:
        """A linear layer."""
        return np.asarray(x @ self._turned[f"{name}.weight"] + self.arrays[f"{name}.bias"], np.float32)


class Reading:
    """Several lines of chords under way side by side, half bar after half bar."""

    def __init__(self, network: ChordNetwork, told: NDArray[np.int64], lines: int = 1) -> None:
        """told (t, columns): the conditions of every half bar."""
        self.network, sizes = network, network.sizes
        self._encoded = network.encode(told)
        self._place = 0
        self._window = min(WINDOW, len(told))
        shape = (lines, sizes.heads, self._window, sizes.width // sizes.heads)
        self._keys = [np.zeros(shape, np.float32) for _ in range(sizes.decoder)]
        self._values = [np.zeros(shape, np.float32) for _ in range(sizes.decoder)]
        back = distance_class(-np.arange(self._window))
        self._biases = [network.arrays[f"decoder.{number}.bias"][:, back] for number in range(sizes.decoder)]
        self._roots = np.full(lines, ROOTS + _START)
        self._qualities = np.full(lines, len(QUALITIES) + _START)

    def logs(self) -> Array:
        """Log probabilities of each chord in the next half bar, (lines, 156), in the order of the chord words."""
        net = self.network
        x = self._encoded[self._place] + net.arrays["root.weight"][self._roots]
        x = x + net.arrays["quality.weight"][self._qualities]
        for number in range(net.sizes.decoder):
            x = self._block(number, x)
        x = net.norm("norm", x)
        roots = _log_softmax(net.dense("root_head", x))  # (lines, 12)
        given = np.maximum(x[:, None] + net.arrays["given_root.weight"], 0)  # (lines, 12, width)
        qualities = _log_softmax(net.dense("quality_head", given.reshape(-1, x.shape[1])))
        return np.asarray((roots[..., None] + qualities.reshape(len(x), ROOTS, -1)).reshape(len(x), -1))

    def _block(self, number: int, x: Array) -> Array:
        name = f"decoder.{number}"
        q, k, v = self.network.qkv(name, x)  # each (lines, heads, width / heads)
        slot, there = self._place % self._window, min(self._place + 1, self._window)
        keys, values = self._keys[number], self._values[number]
        keys[:, :, slot], values[:, :, slot] = k, v
        back = (self._place - np.arange(there)) % self._window  # half bars from the one in each slot to this one
        scores = np.matmul(keys[:, :, :there], q[..., None])[..., 0] + self._biases[number][:, back]
        seen = np.matmul(_softmax(scores)[:, :, None], values[:, :, :there])[:, :, 0]
        return self.network.leave(name, x, seen)

    def take(self, chords: NDArray[np.int64], origins: NDArray[np.int64] | None = None) -> None:
        """Go on by one half bar, after `logs`. chords (lines,): 0..155. origins (lines,): the line each goes on from;
        None: its own.
        """
        if origins is not None and (origins != np.arange(len(origins))).any():
            there = min(self._place + 1, self._window)
            for kept in (*self._keys, *self._values):
                kept[:, :, :there] = kept[origins, :, :there]
        self._roots, self._qualities = np.divmod(chords, len(QUALITIES))
        self._place += 1


def _softmax(x: NDArray[np.float32]) -> Array:
    mass = np.exp(x - np.maximum.reduce(x, axis=-1, keepdims=True))
    return np.asarray(mass / np.add.reduce(mass, axis=-1, keepdims=True), np.float32)


def _log_softmax(x: NDArray[np.float32]) -> Array:
    lower = x - np.maximum.reduce(x, axis=-1, keepdims=True)
    return np.asarray(lower - np.log(np.add.reduce(np.exp(lower), axis=-1, keepdims=True)), np.float32)
