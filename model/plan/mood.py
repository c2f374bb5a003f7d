"""What the mood of the picture asks of the music: tempo, loudness and business, key and mode, how often chords move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.mood.affect import MoodWish, affects, whole
from hitpoint.model.mood.curve import mood_curve
from hitpoint.model.mood.drawn import drawn_into
from hitpoint.model.plan.types import Affect, Section, Wishes
from hitpoint.model.video.types import VisualRhythm

AROUSAL_BPM = 16.0
"""What full arousal of the film adds to the tempo that is leaned to, and full calm takes from it."""
AROUSAL_ENERGY = 0.3
"""What full arousal adds to a bar's energy."""
FILM_SHARE = 0.6
"""Of a bar's arousal, the film's as a whole counts so much: its ups and downs are in the energy already."""
SURE_VALENCE = 0.02
"""Nearer to 0 than this, valence says nothing of the mode."""
TENSE, PEDAL_SHARE = 0.45, 1.2
"""Above this tension chords move less often, by so much of the usual rate at full tension: a pedal."""
TONICS = (("C", 4), ("G", 4), ("D", 5), ("A", 5), ("E", 4), ("F", 3), ("Bb", 1))
"""What a key's tonic is drawn from, with weights: what bands play in. One list for both modes, so that a mood that
turns while the music plays turns the mode, and the tonic stays."""


@dataclass(frozen=True)
class Feeling:
    """film: of the film as a whole. bars: of each bar, none before the bars are known. key: "A minor", or None.
    notes: for the report.
    """

    film: Affect
    bars: tuple[Affect, ...] = ()
    key: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def tempo_bpm(self) -> float:
        """To be added to the tempo that the picture leans to."""
        return AROUSAL_BPM * self.film.arousal

    def energy(self) -> NDArray[np.float64]:
        """To be added to each bar's energy, (bars,)."""
        own = np.array([each.arousal for each in self.bars])
        return AROUSAL_ENERGY * (FILM_SHARE * self.film.arousal + (1.0 - FILM_SHARE) * own)


def feel(rhythm: VisualRhythm, wishes: Wishes) -> Feeling | None:
    """The mood of the film; None where it is switched off, or the analysis holds no palette."""
    curve = None if wishes.mood == "off" else mood_curve(rhythm)
    curve = curve and drawn_into(curve, wishes.mood_line)
    if curve is None:
        return None
    film = whole(curve, _wish(wishes))
    return Feeling(film, key=_home_key(film, wishes.seed), notes=curve.notes if wishes.mood == "auto" else ())


def feel_bars(
    feeling: Feeling, rhythm: VisualRhythm, wishes: Wishes, lines_s: NDArray[np.float64], sections: Sequence[Section]
) -> Feeling:
    """`feeling` with its bars. lines_s (bars + 1,): bar lines in seconds."""
    starts = [section.first_bar for section in sections]
    curve = mood_curve(rhythm, [float(lines_s[bar]) for bar in starts[1:]])
    assert curve is not None
    bars = affects(drawn_into(curve, wishes.mood_line), lines_s.tolist(), starts, _wish(wishes))
    return Feeling(feeling.film, bars, feeling.key, feeling.notes)


def pedal(affect: Affect | None) -> float:
    """How often chords move in a bar, against the usual; 0..1."""
    return 1.0 if affect is None else 1.0 - min(1.0, PEDAL_SHARE * max(0.0, affect.tension - TENSE))


def _wish(wishes: Wishes) -> MoodWish:
    return MoodWish(wishes.mood, wishes.valence, wishes.arousal, wishes.tension)


def _home_key(film: Affect, seed: int) -> str | None:
    """A key of the film's mode, the tonic drawn by the seed."""
    if abs(film.valence) < SURE_VALENCE:
        return None
    names, weights = zip(*TONICS, strict=True)
    shares = np.array(weights, float) / sum(weights)
    tonic = names[int(np.random.default_rng([seed, 6]).choice(len(names), p=shares))]
    return f"{tonic} {'minor' if film.valence < 0 else 'major'}"
