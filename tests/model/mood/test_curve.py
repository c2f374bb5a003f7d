"""What a picture's light, colour, motion and cuts make of its mood."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from hitpoint.model.mood.affect import MoodWish, affects, emotion_of, prevailing, whole
from hitpoint.model.mood.curve import mood_curve
from hitpoint.model.mood.palette import palette, palettes
from hitpoint.model.mood.types import MOODS, Affect
from hitpoint.model.video.types import Boundary, VisualRhythm


def rhythm(
    brightness=(0.5,), saturation=(0.3,), motion=(0.1,), cuts_s=(), duration_s: float = 40.0, spread: float = 40.0
) -> VisualRhythm:
    """A made-up film; each of a tuple's values fills an equal part of it."""
    times_s = np.arange(0.0, duration_s, 1 / 12)

    def parts(values):
        return np.array(values, np.float32)[np.arange(len(times_s)) * len(values) // len(times_s)]

    looks = {
        "brightness": parts(brightness),
        "saturation": parts(saturation),
        "warmth": parts((0.5,)),
        "spread": parts((spread,)),
        "swatches": np.full((len(times_s), 8, 16, 3), 90, np.uint8),
        "swatch_frames": np.arange(len(times_s)),
    }
    boundaries = tuple(Boundary(time_s, "cut", 0.8) for time_s in cuts_s)
    shots = tuple("AB"[i % 2] for i in range(len(cuts_s) + 1))
    saliency = np.zeros(len(times_s), np.float32)
    return VisualRhythm(
        duration_s, (), times_s, parts(motion), saliency, (), boundaries, shots, {"palette": looks}
    )  # fmt: skip


@pytest.mark.parametrize("bright", [True, False])
@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("coloured", [0.6, 0.1])
@pytest.mark.parametrize("cuts", [0, 8, 20])
def test_bright_is_glad_and_fast_is_excited(bright, fast, coloured, cuts):
    film = rhythm(
        (0.75 if bright else 0.2,), (coloured,), (0.3 if fast else 0.01,), tuple(np.linspace(1, 39, cuts).tolist())
    )
    mood = whole(mood_curve(film))
    assert (mood.valence > 0) == bright
    assert (mood.arousal > 0) == fast or (cuts == 20 and not fast and mood.arousal < 0.2)


def test_a_film_regraded_changes_its_valence_not_its_arousal_much():
    sunny, night = (whole(mood_curve(rhythm((b,), (0.35,)))) for b in (0.7, 0.25))
    assert sunny.valence - night.valence > 1.0
    assert abs(sunny.arousal - night.arousal) < 0.3
    assert night.tension > sunny.tension


def test_within_a_film_ranks_count_beside_the_level():
    """Bars of a film that is dark throughout still differ."""
    bars = affects(mood_curve(rhythm((0.12, 0.3), (0.3,))), np.linspace(0, 40, 17).tolist())
    assert bars[12].valence - bars[3].valence > 0.4


def test_black_and_grey_say_so():
    black = mood_curve(rhythm((0.01,), (0.0,)))
    assert whole(black).valence == whole(black).arousal == whole(black).tension == 0 and "black" in black.notes[0]
    grey = mood_curve(rhythm((0.5,), (0.0,)))
    assert whole(grey).valence == 0 and "grey" in grey.notes[0]
    assert not mood_curve(rhythm((0.5,), (0.3,))).notes


def test_a_short_clip_a_single_bar_and_gaps_of_frames_have_a_mood():
    for duration_s in (0.09, 0.4, 2.0):
        curve = mood_curve(rhythm(duration_s=duration_s))
        assert len(affects(curve, (0.0, duration_s))) == 1
    film = rhythm(duration_s=30.0)
    inside = film.times_s > 20
    looks = {name: array[inside] for name, array in film.measured["palette"].items()}
    late = replace(film, times_s=film.times_s[inside], motion=film.motion[inside], measured={"palette": looks})
    assert np.isfinite(mood_curve(late).valence).all()


def test_nothing_measured_is_no_mood():
    assert mood_curve(replace(rhythm(), measured={})) is None
    assert palettes(replace(rhythm(), measured={}), [(0.0, 1.0)]) == []


def test_a_wish_rules_and_adds():
    curve = mood_curve(rhythm((0.7, 0.2)))
    sad = affects(curve, np.linspace(0, 40, 17).tolist(), wish=MoodWish("sad"))
    assert {each.emotion for each in sad} == {"sad"} and len({each.valence for each in sad}) > 1
    assert whole(curve, MoodWish(valence=0.4)).valence == pytest.approx(min(1.0, whole(curve).valence + 0.4))
    assert whole(curve, MoodWish("fearful")).emotion == "fearful"


def test_emotions_last_two_bars_unless_a_section_begins():
    dark_and_light = tuple(0.8 if i % 2 else 0.1 for i in range(16))
    curve = mood_curve(rhythm(dark_and_light, motion=tuple(0.3 if i % 2 else 0.01 for i in range(16))))
    edges = np.linspace(0, 40, 17).tolist()
    held = [each.emotion for each in affects(curve, edges)]
    free = [each.emotion for each in affects(curve, edges, turns=range(16))]
    assert sum(a != b for a, b in pairwise(held)) <= 8
    assert sum(a != b for a, b in pairwise(free)) > 8


def test_every_mood_stands_in_its_own_place():
    from hitpoint.model.mood.affect import CENTRES

    assert [emotion_of(*CENTRES[mood]) for mood in MOODS] == list(MOODS)


def test_a_palette_holds_the_colours_of_its_pixels():
    pixels = np.array([[0, 0, 255]] * 60 + [[255, 0, 0]] * 40, np.uint8)
    assert palette(pixels) == (["#ff0000", "#0000ff"], [0.6, 0.4])
    assert palette(np.full((8, 3), 7, np.uint8)) == (["#070707"], [1.0])


def test_a_section_is_called_by_what_it_is_like_not_by_how_it_fades_in():
    """A bright meadow whose first bar fades in from black, and whose second keeps that bar's name."""
    bars = [(-0.07, -0.54, "sad"), (0.88, -0.54, "sad"), (0.49, -0.44, "relaxing"), (0.46, -0.46, "relaxing")]
    assert prevailing([Affect(valence, arousal, 0.2, name) for valence, arousal, name in bars]) == "relaxing"
    assert prevailing([]) == "neutral"
