"""The home key of a piece: the one asked for, else one of the picture's mode, drawn by the seed."""

from __future__ import annotations

import numpy as np

from hitpoint.model.music.keys import Key
from hitpoint.model.music.symbols import parse_key
from hitpoint.model.plan.types import Plan, Wishes

KEY_COUNTS = {
    False: (217, 53, 131, 121, 99, 155, 44, 160, 59, 90, 89, 52),
    True: (38, 31, 51, 25, 38, 32, 21, 39, 25, 54, 26, 41),
}
"""How many of 1,691 songs (McGill Billboard, POP909, OpenEWLD) stand in each major (False) and minor (True) key."""
_MINOR_SHARE = sum(KEY_COUNTS[True]) / sum(map(sum, KEY_COUNTS.values()))


def home_of(plan: Plan, wishes: Wishes) -> Key:
    """The key wished for, else that of the user's motif, else the plan's own, else one drawn by the plan's seed, as
    often as songs stand in it.
    """
    if wishes.key is not None:
        return parse_key(wishes.key)
    if wishes.motif is not None and wishes.motif.key is not None:
        return wishes.motif.key
    named = next((bar.key for bar in plan.bars if bar.key is not None), None)
    if named is not None:
        return parse_key(named)
    rng = np.random.default_rng([plan.seed, 6])
    minor = bool(rng.random() < _MINOR_SHARE)
    counts = np.array(KEY_COUNTS[minor], float)
    return Key(int(rng.choice(12, p=counts / counts.sum())), minor)
