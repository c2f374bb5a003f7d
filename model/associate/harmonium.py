"""The dual-wing harmonium: a word of the picture and figures of the music, bound by hidden figures of both.

p(u, v, h) is proportional to exp(a_u + W_u·h + b·v - |v|²/2 + vᵀUh - |h|²/2), u one of K words, v (d,) and h (k,) real
(Xing, Yan and Hauptmann 2005, with a softmax wing for words). It is proper while the largest singular value of U is
below 1, which learning sees to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HIDDEN = 16
PASSES, BATCH, RATE = 100, 100, 0.01
MOMENTUM = (0.5, 0.9)
"""In the first tenth of the passes, and after."""
DECAY = 1e-3
LARGEST = 0.7
"""Singular value that U is held below: nearer to 1, what is hidden repeats the sounds instead of binding them to words
(held-out songs, `tests/bench/bench_associate.py`)."""

Table = NDArray[np.float64]
Words = NDArray[np.int64]


@dataclass(frozen=True)
class Harmonium:
    """a (K,), w (K, k), b (d,), u (d, k)."""

    a: Table
    w: Table
    b: Table
    u: Table

    def hidden(self, words: Words, sounds: Table) -> Table:
        """E[h | u, v], (n, k): h is normal around it with variance 1."""
        return np.asarray(self.w[words] + sounds @ self.u)

    def sounds_of(self, hidden: Table) -> Table:
        """E[v | h], (n, d): v is normal around it with variance 1."""
        return np.asarray(self.b + hidden @ self.u.T)

    def words_of(self, hidden: Table) -> Table:
        """P(u | h), (n, K)."""
        return _softmax(self.a + hidden @ self.w.T)

    def words_for(self, sounds: Table) -> Table:
        """P(u | v), (n, K): h summed over."""
        return _softmax(self._log_joint(sounds))

    def expected_sounds(self, words: Words) -> Table:
        """E[v | u], (n, d): h summed over."""
        precision = np.eye(len(self.b)) - self.u @ self.u.T
        return np.asarray(np.linalg.solve(precision, (self.b + self.w[words] @ self.u.T).T).T)

    def _log_joint(self, sounds: Table) -> Table:
        """ln p(u, v), (n, K), but for a constant: ∫ exp(xᵀh - |h|²/2) dh is exp(|x|²/2) times one."""
        driven = self.w[None] + (sounds @ self.u)[:, None]
        own = sounds @ self.b - 0.5 * (sounds**2).sum(axis=1)
        return np.asarray(self.a + own[:, None] + 0.5 * (driven**2).sum(axis=2))


def learn(words: Words, sounds: Table, count: int, seed: int = 0, passes: int = PASSES) -> Harmonium:
    """From pairs (n,), (n, d), by contrastive divergence of one step. count: of words."""
    rng = np.random.default_rng(seed)
    width = sounds.shape[1]
    start = np.log((np.bincount(words, minlength=count) + 1.0) / (len(words) + count))
    parameters = [start, rng.normal(0, 0.01, (count, HIDDEN)), np.zeros(width), rng.normal(0, 0.01, (width, HIDDEN))]
    speeds = [np.zeros_like(each) for each in parameters]
    for step in range(passes):
        momentum = MOMENTUM[step >= passes / 10]
        order = rng.permutation(len(words))
        for batch in np.array_split(order, max(1, len(order) // BATCH)):
            slopes = _slopes(Harmonium(*parameters), words[batch], sounds[batch], rng)
            for number, slope in enumerate(slopes):
                decay = DECAY * parameters[number] if number % 2 else 0.0
                speeds[number] = momentum * speeds[number] + RATE * (slope - decay)
                parameters[number] = parameters[number] + speeds[number]
        parameters[3] = held(parameters[3])
    return Harmonium(*parameters)


def held(u: Table) -> Table:
    """U with no singular value over LARGEST."""
    left, values, right = np.linalg.svd(u, full_matrices=False)
    return np.asarray((left * np.minimum(values, LARGEST)) @ right)


def _slopes(now: Harmonium, words: Words, sounds: Table, rng: np.random.Generator) -> tuple[Table, Table, Table, Table]:
    """What one batch would have a, W, b and U changed by: data against what they are after one step of Gibbs."""
    count, size = len(words), len(now.a)
    up = now.hidden(words, sounds)
    drawn = up + rng.normal(size=up.shape)
    likely = now.words_of(drawn)
    other = (likely.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1).clip(max=size - 1)
    heard = now.sounds_of(drawn)
    down = now.hidden(other, heard)
    own, chance = np.eye(size)[words], np.eye(size)[other]
    return (
        (own - chance).mean(axis=0),
        (own.T @ up - chance.T @ down) / count,
        (sounds - heard).mean(axis=0),
        (sounds.T @ up - heard.T @ down) / count,
    )


def _softmax(values: Table) -> Table:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
