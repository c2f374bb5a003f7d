"""The key that the plan asks for: its tonic chord at the start, its scale and its chords throughout."""

from __future__ import annotations

from collections.abc import Sequence

from hitpoint.model.compose.cmt.harmony import Chord, Moving, Step
from hitpoint.model.music.chords import NAMES
from hitpoint.model.music.harmony import Key
from hitpoint.model.plan.types import BarPlan


def wished_key(bar: BarPlan) -> Key | None:
    """The key of "A minor"; None where the plan asks for none."""
    if bar.key is None:
        return None
    tonic, _, mode = bar.key.partition(" ")
    return Key(NAMES.index(tonic), mode == "minor")


def opening(key: Key, players: Sequence[int]) -> Moving:
    """What the first bar leans to: the tonic chord."""
    return Moving([Step(0, Chord(*key.tonic), new=True)], players)
