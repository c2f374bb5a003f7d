"""The words of the mood. Frozen; standard library only."""

from __future__ import annotations

from dataclasses import dataclass

MOODS = ("exciting", "fearful", "tense", "sad", "relaxing", "neutral")

LONGEST_TEXT = 2000
"""Letters of a description that are read."""


@dataclass(frozen=True)
class Affect:
    """What a stretch of the picture feels like.

    valence: sad or dark (−1) to glad or bright (1). arousal: calm (−1) to excited (1). tension: 0..1.
    emotion: the nearest of MOODS.
    """

    valence: float
    arousal: float
    tension: float
    emotion: str = "neutral"


@dataclass(frozen=True)
class MoodPoint:
    """What somebody drew: valence, -1..1, and tension, 0..1, at `time_s`; None where only the other one was."""

    time_s: float
    valence: float | None = None
    tension: float | None = None
