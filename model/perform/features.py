"""What a player sees of the notes before it: their places in the bar, in the chord and among their neighbours.

The same columns are learnt from and played from. A part is the notes of one instrument in one bar; the other part is
what it listens to (a melody to the accompaniment, the accompaniment to the melody).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hitpoint.model.music.score import TICKS_PER_BAR

STYLES = ("country", "dance", "funk", "gospel", "hiphop", "latin", "pop", "punk", "rock", "soul")
"""Styles of the Groove MIDI Dataset that are played straight, by the first word of their names."""
STYLE_OF = {
    "country": "country", "dance": "dance", "electronic": "hiphop", "metal": "punk", "pop": "pop", "rock": "rock",
    "orchestral": "gospel",
}  # fmt: skip
"""Genre -> the style whose drummers it is played after."""

DRUM_CLASSES = (
    (35, 36), (38, 40), (37, 39), (42, 44, 22), (46, 26), (51, 53, 59), (49, 52, 55, 57), (41, 43, 58),
    (45, 47, 48, 50),
)  # fmt: skip
"""General MIDI keys of each class: kick, snare, rim, closed and open hat, ride, crash, low and high toms. Others are
one class more."""
_CLASS_OF = {key: number for number, keys in enumerate(DRUM_CLASSES) for key in keys}
_OTHER = len(DRUM_CLASSES)

REACH = 8
"""Ticks before and after a note in which a player sees who else sounds."""
_FAR = 8.0
_TICKS = np.eye(TICKS_PER_BAR)
_AROUND = REACH + np.array([step for step in range(-REACH, REACH + 1) if step])
_NEAR = REACH + np.arange(-2, 3)

Columns = NDArray[np.float64]


def pitched(ticks: ArrayLike, pitches: ArrayLike, lengths: ArrayLike, others: ArrayLike, bpm: float) -> Columns:
    """(n, columns) of a part's notes, sorted by (tick, pitch). lengths: in ticks; others: ticks of the other part."""
    tick, pitch = np.asarray(ticks, int), np.asarray(pitches, float)
    struck, chord, size = np.unique(tick, return_inverse=True, return_counts=True)
    top, low = np.full(len(struck), -np.inf), np.full(len(struck), np.inf)
    np.maximum.at(top, chord, pitch)
    np.minimum.at(low, chord, pitch)
    tops, sizes = _padded(top, top[0], top[-1]), _padded(size, 0, 0)
    step = tops[1:] - tops[:-1]
    mean = pitch.mean()
    own = [
        (top[chord] - pitch) / 12, (pitch - low[chord]) / 12, pitch >= top[chord], pitch <= low[chord],
        size[chord] / 4, size[chord] > 1, (pitch - mean) / 12, (pitch - 60) / 24, (top[chord] - top.mean()) / 12,
        np.log2(np.maximum(np.asarray(lengths, float), 0.25)),
        np.clip(step[:-1][chord] / 12, -2, 2), np.clip(step[1:][chord] / 12, -2, 2),
        sizes[:-2][chord] / 4, sizes[2:][chord] / 4,
    ]  # fmt: skip
    seen = _seen(tick, struck, others)
    return np.concatenate([*_place(tick, struck, chord, bpm), np.array(own, float).T, *seen], axis=1)


def drums(ticks: ArrayLike, pitches: ArrayLike, style: str, bpm: float) -> Columns:
    """(n, columns) of a bar's drums, sorted by (tick, pitch). style: one of STYLES, or another: none is named."""
    tick = np.asarray(ticks, int)
    kind = np.array([_CLASS_OF.get(int(pitch), _OTHER) for pitch in np.asarray(pitches).ravel()])
    struck, chord = np.unique(tick, return_inverse=True)
    own = np.eye(_OTHER + 1)[kind]
    beside = np.zeros((len(struck), _OTHER + 1))
    beside[chord, kind] = 1.0
    around = _sounds(struck)[tick[:, None] + REACH + np.arange(-4, 5)]
    alike = np.zeros((_OTHER + 1, TICKS_PER_BAR + 2 * REACH), bool)
    alike[kind, tick + REACH] = True
    same = alike[kind[:, None], tick[:, None] + REACH + np.array([-4, -2, -1, 1, 2, 4])]
    which = np.array([each == style for each in STYLES], float) * np.ones((len(tick), 1))
    # What a drum does where depends on the drum: a hat's off beat is not a snare's.
    quarter = np.eye(4)[tick % 4]
    by_kind = (own[:, :, None] * quarter[:, None, :]).reshape(len(tick), -1)
    place = _place(tick, struck, chord, bpm)
    return np.concatenate([*place, own, beside[chord], around, same, which, by_kind], axis=1)


def _padded(values: NDArray[np.generic], before: float, after: float) -> Columns:
    """One value more on either side."""
    found = np.empty(len(values) + 2)
    found[0], found[1:-1], found[-1] = before, values, after
    return found


def _place(tick: NDArray[np.int_], struck: NDArray[np.int_], chord: NDArray[np.int_], bpm: float) -> list[Columns]:
    """Where in the bar, how far from what is before and behind, how full the bar is, how fast it goes."""
    gaps = np.minimum(_padded(struck[1:] - struck[:-1], _FAR, _FAR), _FAR) / 8
    rows = np.empty((5, len(tick)))
    rows[0], rows[1] = gaps[:-1][chord], gaps[1:][chord]
    rows[2], rows[3], rows[4] = len(struck) / 16, chord / max(1, len(struck) - 1), math.log2(bpm / 100)
    return [_TICKS[tick], rows.T]


def _seen(tick: NDArray[np.int_], struck: NDArray[np.int_], others: ArrayLike) -> list[NDArray[np.generic]]:
    """Who sounds around each note: its own part, and the other."""
    other = np.asarray(others, int)
    mine = _sounds(struck)[tick[:, None] + _AROUND]
    theirs = _sounds(other)[tick[:, None] + _NEAR]
    both = np.empty((len(tick), 2))
    both[:, 0], both[:, 1] = min(1.0, len(other) / 8), len(other) > 0
    return [mine, theirs, both]


def _sounds(ticks: NDArray[np.int_]) -> NDArray[np.bool_]:
    """(16 + 2 REACH,) whether anything begins on each tick, from REACH before the bar; nothing does outside it."""
    table = np.zeros(TICKS_PER_BAR + 2 * REACH, bool)
    table[ticks + REACH] = True
    return table
