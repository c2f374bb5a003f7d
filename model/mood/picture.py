"""What the picture says of mood and genre, from its affect, its cuts and how regularly it moves."""

from __future__ import annotations

import numpy as np

from hitpoint.model.mood.affect import CENTRES
from hitpoint.model.mood.curve import MANY_CUTS_PER_S, MoodCurve
from hitpoint.model.mood.shares import Source, shares_of
from hitpoint.model.mood.types import MOODS
from hitpoint.model.music.score import GENRES
from hitpoint.model.video.types import LOUD_BEAT, VisualRhythm

NEARNESS = 4.0
"""Nats that a mood or genre loses for each unit of squared distance."""
FEWEST_BEATS = 8
"""Fewer loud visual beats than this do not make a pulse."""
GENRE_PLACES: dict[str, tuple[float, float, float, float]] = {
    "country": (0.6, -0.4, -0.5, 0.0),
    "dance": (0.5, 0.7, 0.0, 1.5),
    "electronic": (-0.3, -0.1, 0.0, 0.5),
    "metal": (-0.6, 0.8, 0.5, 0.0),
    "pop": (0.5, 0.1, 0.0, 0.0),
    "rock": (0.0, 0.6, 0.5, 0.0),
    "orchestral": (-0.4, -0.5, -0.5, 0.0),
}
"""(valence, arousal) at which each genre stands; nats for many cuts, and for motion that keeps time. Set by hand."""


def from_picture(rhythm: VisualRhythm, curve: MoodCurve) -> Source:
    """What the film as a whole says."""
    valence, arousal, _ = curve.overall
    cuts = min(1.0, len(rhythm.boundaries) / max(rhythm.duration_s, 1e-9) / MANY_CUTS_PER_S)
    regular = regularity(rhythm)
    moods = {mood: -NEARNESS * _away(valence, arousal, *CENTRES[mood]) for mood in MOODS}
    genres = {}
    for genre in GENRES:
        at_valence, at_arousal, for_cuts, for_pulse = GENRE_PLACES[genre]
        nats = -NEARNESS * _away(valence, arousal, at_valence, at_arousal)
        genres[genre] = nats + for_cuts * (2 * cuts - 1) + for_pulse * regular
    return Source("picture", shares_of(moods), shares_of(genres), f"picture: {_described(curve, cuts, regular)}")


def regularity(rhythm: VisualRhythm) -> float:
    """How evenly the loud visual beats follow each other, 0..1."""
    times_s = [beat.time_s for beat in rhythm.beats if beat.saliency >= LOUD_BEAT]
    if len(times_s) < FEWEST_BEATS:
        return 0.0
    gaps_s = np.diff(times_s)
    low, middle, high = np.percentile(gaps_s, [25.0, 50.0, 75.0])
    return float(np.clip(1.0 - 4.0 * (high - low) / max(middle, 1e-9), 0.0, 1.0))


def _away(valence: float, arousal: float, to_valence: float, to_arousal: float) -> float:
    return (valence - to_valence) ** 2 + (arousal - to_arousal) ** 2


def _described(curve: MoodCurve, cuts: float, regular: float) -> str:
    valence, arousal, tension = curve.overall
    light = "bright and colourful" if valence > 0.2 else "dark or pale" if valence < -0.2 else "neither bright nor dark"
    motion = "lively" if arousal > 0.2 else "calm" if arousal < -0.2 else "of middling motion"
    parts = [light, motion]
    if cuts >= 0.8:
        parts.append("quickly cut")
    if tension > 0.5:
        parts.append("tense")
    if regular > 0.5:
        parts.append("moving in time")
    return ", ".join(parts)
