"""Animated opacity: what opens or closes a clip is a fade, what lies between lets others through."""

from __future__ import annotations

from collections.abc import Sequence

_FULL = 0.999
_NONE = 0.1
"""A fade begins or ends at least as see-through as this."""


def ramps(keys: Sequence[tuple[float, float]], in_s: float, length_s: float) -> tuple[float, float] | None:
    """(length of the fade that opens a clip, of the one that closes it), seconds; None where it is see-through between.

    keys: (second, opacity 0..1) of the key frames, which count from the clip's in point `in_s` or from its first frame.
    """
    keys = sorted(keys)
    if keys and in_s - 0.1 <= keys[0][0] and keys[-1][0] <= in_s + length_s + 0.1:
        keys = [(time_s - in_s, value) for time_s, value in keys]
    full = [time_s for time_s, value in keys if value >= _FULL]
    if not full:
        return None if keys else (0.0, 0.0)
    if any(value < _FULL and full[0] < time_s < full[-1] for time_s, value in keys):
        return None
    opening_s, closing_s = 0.0, 0.0
    if keys[0][1] < _FULL and full[0] > 0.0:
        opening_s = full[0]
    if keys[-1][1] < _FULL and full[-1] < length_s:
        closing_s = length_s - full[-1]
    see_through = (opening_s and keys[0][1] > _NONE) or (closing_s and keys[-1][1] > _NONE)
    return None if see_through else (opening_s, closing_s)
