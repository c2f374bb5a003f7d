"""How tense each chord is after each other one: strain, diameter and momentum on the spiral array, as a rank 0..1."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.chords import CHORDS
from hitpoint.model.music.keys import Key
from hitpoint.model.music.spiral import measures, points_of

WEIGHTS = (0.45, 0.35, 0.20)
MEANS, DEVIATIONS = (0.7404, 2.0409, 0.5977), (0.3173, 0.5068, 0.6075)
"""Of strain, diameter and momentum over the half bars of 1,691 songs (McGill Billboard, POP909, OpenEWLD)."""
QUANTILES = (
    -0.879, -0.879, -0.879, -0.625, -0.511, -0.349, -0.213, -0.107, 0.011, 0.127, 0.209, 0.327, 0.389, 0.531, 0.69,
    0.949, 2.994,
)  # fmt: skip
"""Of the weighted sum over the same half bars, in sixteenths."""


@functools.cache
def tension_table(key: Key) -> NDArray[np.float64]:
    """0..1, (157, 156): of each chord (column) after each chord word's number (row; 0 = none before) in a key."""
    own = np.array([measures(chord, None, key) for chord in CHORDS])  # (156, 3)
    centres = np.array([points_of(chord, key).mean(axis=0) for chord in CHORDS])
    moved = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    momentum = np.concatenate([np.zeros((1, len(CHORDS))), moved])
    parts = np.stack([np.broadcast_to(own[:, k], momentum.shape) for k in range(2)] + [momentum], axis=2)
    raw = ((parts - MEANS) / DEVIATIONS) @ np.array(WEIGHTS)
    return np.asarray(np.interp(raw, QUANTILES, np.linspace(0, 1, len(QUANTILES))))
