"""From the mood's curve to the affect of bars and shots, and what a wish makes of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hitpoint.model.mood.curve import STEP_S, MoodCurve, Values
from hitpoint.model.mood.types import MOODS, Affect

CENTRES = {
    "exciting": (0.6, 0.7),
    "fearful": (-0.7, 0.6),
    "tense": (-0.3, 0.5),
    "sad": (-0.6, -0.5),
    "relaxing": (0.6, -0.5),
    "neutral": (0.0, 0.0),
}
"""(valence, arousal) at which each mood stands."""
TENSIONS = {"exciting": 0.35, "fearful": 0.8, "tense": 0.75, "sad": 0.35, "relaxing": 0.1, "neutral": 0.25}
LEAST_LENGTH = 2
"""An emotion lasts so many bars, unless a section begins."""
OWN_SHARE = 0.3
"""Under a mood that was asked for, the picture still moves it by this share of its own ups and downs."""


@dataclass(frozen=True)
class MoodWish:
    """mood: "auto", or one of MOODS that is to rule. valence, arousal, tension: added, −1..1."""

    mood: str = "auto"
    valence: float = 0.0
    arousal: float = 0.0
    tension: float = 0.0


def emotion_of(valence: float, arousal: float) -> str:
    """The nearest of MOODS."""
    return min(MOODS, key=lambda mood: float(np.hypot(CENTRES[mood][0] - valence, CENTRES[mood][1] - arousal)))


def affects(
    curve: MoodCurve, edges_s: Sequence[float], turns: Collection[int] = (), wish: MoodWish | None = None
) -> tuple[Affect, ...]:
    """The affect of each stretch between neighbouring `edges_s` (bars, shots), emotions held for LEAST_LENGTH of them.

    turns: indices of stretches at which the emotion may change at once.
    """
    figures = np.array([_mean_of(curve, start, end) for start, end in pairwise(edges_s)]).reshape(-1, 3)
    usual = np.array([curve.valence.mean(), curve.arousal.mean(), curve.tension.mean()])
    figures = np.clip(_wished(figures, usual, wish or MoodWish()), [-1.0, -1.0, 0.0], 1.0).round(4)
    emotions = _held([emotion_of(valence, arousal) for valence, arousal, _ in figures], turns)
    rows = zip(figures.tolist(), emotions, strict=True)
    return tuple(Affect(valence, arousal, tension, emotion) for (valence, arousal, tension), emotion in rows)


def whole(curve: MoodCurve, wish: MoodWish | None = None) -> Affect:
    """The affect of the film as a whole."""
    figures = _wished(np.array([curve.overall]), np.array(curve.overall), wish or MoodWish())
    valence, arousal, tension = np.clip(figures[0], [-1.0, -1.0, 0.0], 1.0).round(4).tolist()
    return Affect(valence, arousal, tension, emotion_of(valence, arousal))


def prevailing(found: Sequence[Affect]) -> str:
    """The emotion nearest to what all of them are like in the mean: names that are held on for a bar or two, or that a
    fade begins with, do not outvote the picture.
    """
    if not found:
        return "neutral"
    means = np.mean([(each.valence, each.arousal) for each in found], axis=0)
    return emotion_of(float(means[0]), float(means[1]))


def _mean_of(curve: MoodCurve, start_s: float, end_s: float) -> tuple[float, float, float]:
    """Means over the windows that overlap [start_s, end_s), each by how much of it lies inside."""
    overlap = np.minimum(curve.times_s + STEP_S / 2, end_s) - np.maximum(curve.times_s - STEP_S / 2, start_s)
    weights = np.maximum(overlap, 0.0)
    if not weights.any():
        weights[int(np.argmin(np.abs(curve.times_s - (start_s + end_s) / 2)))] = 1.0
    found = [float(np.average(each, weights=weights)) for each in (curve.valence, curve.arousal, curve.tension)]
    return found[0], found[1], found[2]


def _wished(figures: Values, usual: Values, wish: MoodWish) -> Values:
    """`figures` (n, 3) as the wish wants them; usual (3,): their mean over the film."""
    if wish.mood != "auto":
        figures = np.array([*CENTRES[wish.mood], TENSIONS[wish.mood]]) + OWN_SHARE * (figures - usual)
    return np.asarray(figures + np.array([wish.valence, wish.arousal, wish.tension]))


def _held(emotions: Sequence[str], turns: Collection[int]) -> list[str]:
    held: list[str] = []
    lasted = 0
    for index, emotion in enumerate(emotions):
        if held and emotion != held[-1] and lasted < LEAST_LENGTH and index not in turns:
            emotion = held[-1]
        lasted = lasted + 1 if held and emotion == held[-1] else 1
        held.append(emotion)
    return held
