"""What the diffusion network is told of eight bars: a token a half bar, a token a beat, and maps of the roll.

Semantic tokens, one a half bar: chord, emotion, valence, tension, form. Dynamic tokens, one a beat: the bar's density
and energy, and the strengths asked on the beat's four ticks. Class 0 is "unknown" or "free" throughout. Maps, one
value a pixel: the chord's tones, its root, the strength asked on the tick, the bar's density.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.mood.affect import emotion_of
from hitpoint.model.mood.types import MOODS
from hitpoint.model.music.chords import QUALITIES
from hitpoint.model.music.roll import LOWEST, PITCHES, ROLL_BARS, ROLL_TICKS
from hitpoint.model.music.score import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT
from hitpoint.model.music.tokens import MAX_SIMU_NOTE
from hitpoint.model.network.conditions import (
    AFFECT_CLASSES,
    COLUMN,
    ENERGY_CLASSES,
    FIRST_QUALITY,
    FIRST_ROOT,
    MAX_HIT_DISTANCE,
    Controls,
    Labels,
    build_table,
    energy_class,
)

HALVES = 2
SEMANTIC_SIZES = (FIRST_ROOT + 12, FIRST_QUALITY + len(QUALITIES), 1 + len(MOODS), 1 + AFFECT_CLASSES,
                  1 + AFFECT_CLASSES, MAX_HIT_DISTANCE + 2, 3)  # fmt: skip
"""Classes of root, quality, emotion, valence, tension, bars to the next section, and whether one begins."""
DYNAMIC_SIZES = (TICKS_PER_BAR + 2, ENERGY_CLASSES + 1, *(MAX_SIMU_NOTE + 1,) * TICKS_PER_BEAT)
"""Classes of the bar's density and energy, and of the strength asked on each tick of the beat."""
TOKEN_BARS = np.concatenate([np.arange(ROLL_BARS).repeat(HALVES), np.arange(ROLL_BARS).repeat(BEATS_PER_BAR)])
"""The bar that each of the 16 + 32 tokens belongs to."""
CHORD_MAPS, MAPS = 2, 4
_EMOTION_OF = np.array([[1 + MOODS.index(emotion_of((2 * v - 9) / 8, (2 * a - 9) / 8)) for a in range(1, 9)]
                        for v in range(1, 9)])  # fmt: skip


class Told(NamedTuple):
    """semantic (bars * 2, 7) and dynamic (bars * 4, 6): classes."""

    semantic: NDArray[np.int64]
    dynamic: NDArray[np.int64]

    def window(self, first_bar: int, bars: int = ROLL_BARS) -> Told:
        """Of `bars` bars; beyond the end nothing is told."""
        return Told(_cut(self.semantic, HALVES * first_bar, HALVES * bars),
                    _cut(self.dynamic, BEATS_PER_BAR * first_bar, BEATS_PER_BAR * bars))  # fmt: skip


def _cut(rows: NDArray[np.int64], first: int, count: int) -> NDArray[np.int64]:
    found = rows[first : first + count]
    return np.concatenate([found, np.zeros((count - len(found), rows.shape[1]), np.int64)])


def told_of(controls: Controls, labels: Labels) -> Told:
    """Everything that is known of a piece, bar by bar, as the network's classes."""
    bars = len(labels.mode)
    semantic = np.zeros((bars * HALVES, len(SEMANTIC_SIZES)), np.int64)
    semantic[:, :2] = labels.chords.reshape(-1, 2)
    valence, arousal, tension = labels.affect.astype(np.int64).T
    emotion = np.where((valence > 0) & (arousal > 0), _EMOTION_OF[valence - 1, arousal - 1], 0)
    table = build_table(controls, genre=None, instruments=None, tempo_bpm=None, labels=labels)
    change = table[1:, COLUMN["bars_to_change"]]
    starts = np.zeros(bars) if labels.starts is None else 1 + labels.starts
    semantic[:, 2:] = np.stack([emotion, valence, tension, change, starts], axis=1).repeat(HALVES, axis=0)
    dynamic = np.zeros((bars * BEATS_PER_BAR, len(DYNAMIC_SIZES)), np.int64)
    by_bar = np.stack([controls.density.astype(np.int64) + 1, energy_class(controls.energy)], axis=1)
    dynamic[:, :2] = by_bar.repeat(BEATS_PER_BAR, axis=0)
    dynamic[:, 2:] = np.minimum(controls.required, MAX_SIMU_NOTE).reshape(-1, TICKS_PER_BEAT)
    return Told(semantic, dynamic)


_TONES = np.zeros((FIRST_ROOT + 12, FIRST_QUALITY + len(QUALITIES), CHORD_MAPS, PITCHES), np.float32)
for _root in range(12):
    for _number, _steps in enumerate(QUALITIES.values()):
        for _step in _steps:
            _TONES[FIRST_ROOT + _root, FIRST_QUALITY + _number, 0, (_root + _step - LOWEST) % 12 :: 12] = 1.0
        _TONES[FIRST_ROOT + _root, FIRST_QUALITY + _number, 1, (_root - LOWEST) % 12 :: 12] = 1.0


def maps_of(told: Told) -> NDArray[np.float32]:
    """What is told of a window, pixel by pixel, (4, 128, 88): whether it is a tone of the chord, and its root, 0 or 1;
    the strength asked on its tick and the density of its bar, as shares of the most there is. 0 where nothing is told.
    """
    chords = _TONES[told.semantic[:, 0], told.semantic[:, 1]].transpose(1, 0, 2)
    chords = chords.repeat(ROLL_TICKS // len(told.semantic), axis=1)
    strengths = told.dynamic[:, 2:].reshape(ROLL_TICKS) / MAX_SIMU_NOTE
    densities = np.maximum(told.dynamic[:, 0] - 1, 0).repeat(TICKS_PER_BEAT) / TICKS_PER_BAR
    asked = np.stack([strengths, densities])[:, :, None].repeat(PITCHES, axis=2)
    return np.concatenate([chords, asked]).astype(np.float32)
