"""Canonical correlation of looks and sounds, with a ridge: what stands in where there are too few pairs to learn more.

Of both sides the directions that go together most (Hotelling 1936), by the singular values of the whitened covariance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 8
RIDGE = 0.1

Table = NDArray[np.float64]


@dataclass(frozen=True)
class Correlation:
    """center (8,): of the looks. left (8, k), right (24, k): directions; strength (k,): their correlations."""

    center: Table
    left: Table
    right: Table
    strength: Table

    def likeness(self, looks: Table, sounds: Table) -> Table:
        """(n, m): cosine of what shots (n, 8) and music (m, 24) say, each direction by its correlation."""
        one = self._strengths(looks)
        other = sounds @ self.right
        one = one / np.maximum(np.linalg.norm(one, axis=1, keepdims=True), 1e-9)
        other = other / np.maximum(np.linalg.norm(other, axis=1, keepdims=True), 1e-9)
        return np.asarray(one @ other.T)

    def expected(self, looks: Table) -> Table:
        """(n, 24): the sounds that go with shots, as far as they stand apart from the mean; of no certain size."""
        return np.asarray(self._strengths(looks) @ np.linalg.pinv(self.right))

    def _strengths(self, looks: Table) -> Table:
        return np.asarray((looks - self.center) @ self.left * self.strength)


def correlated(looks: Table, sounds: Table) -> Correlation:
    """From pairs (n, 8) and (n, 24); the sounds are standardised."""
    center = looks.mean(axis=0)
    one, other = looks - center, sounds - sounds.mean(axis=0)
    count = len(looks)
    wide = one.T @ one / count
    high = other.T @ other / count
    ridge = RIDGE * np.trace(wide) / len(wide), RIDGE * np.trace(high) / len(high)
    whiten = _root(wide + ridge[0] * np.eye(len(wide))), _root(high + ridge[1] * np.eye(len(high)))
    left, strength, right = np.linalg.svd(whiten[0] @ (one.T @ other / count) @ whiten[1], full_matrices=False)
    kept = min(DIMENSIONS, len(strength))
    return Correlation(center, whiten[0] @ left[:, :kept], whiten[1] @ right[:kept].T, strength[:kept])


def _root(matrix: Table) -> Table:
    """The inverse of its square root."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors / np.sqrt(np.maximum(values, 1e-9)) @ vectors.T)
