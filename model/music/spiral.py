"""How tense a chord is, on the spiral array: pitches on a helix of fifths (Chew 2000; the three measures of Herremans &
Chew 2016).

Strain: how far the chord lies from the centre of the key. Diameter: how far its tones lie from each other. Momentum:
how far it lies from the chord before. Strain alone is not tension: C7 lies nearer to C major than C does.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.chords import Chord
from hitpoint.model.music.keys import Key

RISE = float(np.sqrt(2 / 15))
"""Height of a fifth at radius 1: fifths and major thirds then lie equally near."""
_WEIGHTS = np.array([0.536, 0.274, 0.190])
"""Of root, fifth and third in a triad, and of tonic, dominant and subdominant in a key (Chew 2000)."""
_MINOR_SHARE = 0.75
"""Of the minor subdominant in a minor key, and of the major dominant there."""
_CENTRE = {False: 2, True: -1}
"""The middle of a key's scale on the line of fifths, counted from its tonic: its tones are spelled nearest to it."""

Point = NDArray[np.float64]


class Measures(NamedTuple):
    """strain, diameter, momentum: distances on the spiral; 1.461 is a fifth."""

    strain: float
    diameter: float
    momentum: float


def point(fifths: float) -> Point:
    """The place of a pitch so many fifths above C, (3,)."""
    angle = fifths * np.pi / 2
    return np.array([np.sin(angle), np.cos(angle), fifths * RISE])


def tonic_fifths(key: Key) -> int:
    """The key's tonic on the line of fifths, C = 0, from five flats to six sharps."""
    return (7 * key.root + 5) % 12 - 5


def points_of(chord: Chord, key: Key) -> Point:
    """The places of a chord's tones, (tones, 3), spelled as in `key`."""
    centre = tonic_fifths(key) + _CENTRE[key.minor]
    spelled = [(7 * tone - centre + 6) % 12 + centre - 6 for tone in chord.tones]
    return np.array([point(fifths) for fifths in spelled])


def key_centre(key: Key) -> Point:
    """The centre of a key, (3,)."""
    tonic = tonic_fifths(key)
    if not key.minor:
        parts = [_triad(tonic), _triad(tonic + 1), _triad(tonic - 1)]
    else:
        share = _MINOR_SHARE
        parts = [
            _triad(tonic, minor=True),
            share * _triad(tonic + 1) + (1 - share) * _triad(tonic + 1, minor=True),
            share * _triad(tonic - 1, minor=True) + (1 - share) * _triad(tonic - 1),
        ]
    return np.asarray(_WEIGHTS @ np.array(parts))


def _triad(root: int, minor: bool = False) -> Point:
    return np.asarray(_WEIGHTS @ np.array([point(root), point(root + 1), point(root - 3 if minor else root + 4)]))


@functools.lru_cache(maxsize=8192)
def measures(chord: Chord, before: Chord | None, key: Key) -> Measures:
    """The three measures of a chord after another one (None: at the start, no momentum) in a key."""
    tones = points_of(chord, key)
    centre = tones.mean(axis=0)
    apart = np.linalg.norm(tones[:, None] - tones[None], axis=2).max()
    moved = 0.0 if before is None else float(np.linalg.norm(centre - points_of(before, key).mean(axis=0)))
    return Measures(float(np.linalg.norm(centre - key_centre(key))), float(apart), moved)
