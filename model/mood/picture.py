"""What the picture says of mood and genre, from its affect, its cuts, its hues and how regularly it moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.mood.affect import CENTRES
from hitpoint.model.mood.curve import MANY_CUTS_PER_S, MoodCurve
from hitpoint.model.mood.shares import Source, shares_of
from hitpoint.model.mood.types import MOODS
from hitpoint.model.music.score import GENRES
from hitpoint.model.video.types import LOUD_BEAT, VisualRhythm

NEARNESS = 3.0
"""Nats that a mood or genre loses for each unit of squared distance: light and motion alone make nothing certain."""
FEWEST_BEATS = 8
"""Fewer loud visual beats than this do not make a pulse."""
PLAIN_SPREAD = 15.0
"""Of the brightness, 0..255: a picture with less is a card or a title, and says less of a mood."""
COLD, GREEN = (80, 140), (35, 80)
"""Hues of OpenCV, half degrees: from cyan to violet, and the green of meadows and woods."""
USUAL_SHARE = 0.3
"""Share of a picture's colour below which a hue speaks against what it stands for."""
GENRE_PLACES: dict[str, tuple[float, float, float, float, float, float]] = {
    "country": (0.6, -0.4, 0.0, 0.0, -0.4, 1.0),
    "dance": (0.5, 0.7, 0.0, 1.5, 0.0, 0.0),
    "electronic": (-0.3, -0.1, 0.0, 0.5, 1.0, -0.4),
    "metal": (-0.7, 0.8, 0.5, 0.0, 0.0, 0.0),
    "pop": (0.55, -0.25, 0.0, 0.0, 0.0, 0.0),
    "rock": (0.1, 0.6, 0.7, 0.0, 0.0, 0.0),
    "orchestral": (-0.4, -0.5, -0.5, 0.0, 0.0, 0.0),
}
"""(valence, arousal) at which each genre stands; nats for many cuts, for motion that keeps time, for cold colours and
for green. Set by hand; where calm and bright, after the genres of our own descriptions: pop somewhat before country."""


def from_picture(rhythm: VisualRhythm, curve: MoodCurve) -> Source:
    """What the film as a whole says. Where it has no colour, its valence is not known and counts for nothing."""
    valence, arousal, _ = curve.overall
    full = _fullness(rhythm)
    cuts = min(1.0, len(rhythm.boundaries) / max(rhythm.duration_s, 1e-9) / MANY_CUTS_PER_S)
    regular = regularity(rhythm)
    cold, green = (colour * (share - USUAL_SHARE) for colour, share in _hues(rhythm))
    reach = 0.0 if curve.grey else 1.0

    def nats(at_valence: float, at_arousal: float) -> float:
        return -NEARNESS * (reach * (full * valence - at_valence) ** 2 + (full * arousal - at_arousal) ** 2)

    moods = {mood: nats(*CENTRES[mood]) for mood in MOODS}
    genres = {}
    for genre in GENRES:
        at_valence, at_arousal, for_cuts, for_pulse, for_cold, for_green = GENRE_PLACES[genre]
        leaning = for_cuts * (2 * cuts - 1) + for_pulse * regular + for_cold * cold + for_green * green
        genres[genre] = nats(at_valence, at_arousal) + leaning
    why = _described(curve, cuts, regular, full, cold > green and cold > 0)
    return Source("picture", shares_of(moods), shares_of(genres), f"picture: {why}")


def regularity(rhythm: VisualRhythm) -> float:
    """How evenly the loud visual beats follow each other, 0..1."""
    times_s = [beat.time_s for beat in rhythm.beats if beat.saliency >= LOUD_BEAT]
    if len(times_s) < FEWEST_BEATS:
        return 0.0
    gaps_s = np.diff(times_s)
    low, middle, high = np.percentile(gaps_s, [25.0, 50.0, 75.0])
    return float(np.clip(1.0 - 4.0 * (high - low) / max(middle, 1e-9), 0.0, 1.0))


def _fullness(rhythm: VisualRhythm) -> float:
    """0 for a picture of one flat colour, 1 for one with as much light and shade as pictures have."""
    spread = rhythm.measured["palette"]["spread"]
    return float(np.clip(np.nanmean(spread) / PLAIN_SPREAD, 0.0, 1.0)) if len(spread) else 0.0


def _hues(rhythm: VisualRhythm) -> tuple[tuple[float, float], tuple[float, float]]:
    """(how much colour there is, 0..1; share of it that is cold), and the same of green."""
    import cv2

    swatches: NDArray[np.uint8] = rhythm.measured["palette"]["swatches"]
    if not len(swatches):
        return (0.0, 0.0), (0.0, 0.0)
    hsv = cv2.cvtColor(np.ascontiguousarray(swatches.reshape(1, -1, 3)), cv2.COLOR_BGR2HSV)[0].astype(np.float64)
    hue, colour = hsv[:, 0], hsv[:, 1] * hsv[:, 2] / 255.0**2
    shares = [float(colour[(hue >= low) & (hue < high)].sum() / max(colour.sum(), 1e-9)) for low, high in (COLD, GREEN)]
    much = float(min(1.0, 4.0 * colour.mean()))
    return (much, shares[0]), (much, shares[1])


def _described(curve: MoodCurve, cuts: float, regular: float, full: float, cold: bool) -> str:
    valence, arousal, tension = curve.overall
    light = "bright and colourful" if valence > 0.2 else "dark or pale" if valence < -0.2 else "neither bright nor dark"
    motion = "lively" if arousal > 0.2 else "calm" if arousal < -0.2 else "of middling motion"
    parts = ["without colour" if curve.grey else light, motion]
    if full < 1.0:
        parts.append("nearly plain")
    if cold:
        parts.append("in cold colours")
    if cuts >= 0.8:
        parts.append("quickly cut")
    if tension > 0.5:
        parts.append("tense")
    if regular > 0.5:
        parts.append("moving in time")
    return ", ".join(parts)
