"""Moments, sections, densities and the words of the wishes."""

import numpy as np
import pytest

from hitpoint.model.errors import UsageError
from hitpoint.model.music.score import GENRES
from hitpoint.model.plan.density.densities import bar_means, bar_speeds, densities, levels
from hitpoint.model.plan.density.energy import energy_lines
from hitpoint.model.plan.density.table import ENSEMBLE_DENSITIES, GENRE_DENSITIES, PERCENTILES
from hitpoint.model.plan.hits.weights import Moment, merge, moments
from hitpoint.model.plan.sections import find_sections
from hitpoint.model.plan.types import Wishes
from hitpoint.model.plan.wishes.options import OPTIONS, parse_wishes


def test_moments_are_apart_and_the_weightiest_stays():
    kept = merge([Moment(t, "beat", 0.5, w) for t, w in ((1.0, 0.2), (1.05, 0.9), (1.1, 0.3), (1.2, 0.1), (2.0, 0.1))])
    assert [(each.time_s, each.weight) for each in kept] == [(1.05, 0.9), (1.2, 0.1), (2.0, 0.1)]


def test_a_cut_to_another_place_outweighs_one_within_it_and_any_beat(rhythm):
    seen = moments(rhythm(30.0, cuts_s=(10.0, 20.0), beats_s=(5.0,), shots="AAB"))
    weight = {each.time_s: each.weight for each in seen}
    assert weight[20.0] > weight[10.0] > weight[5.0] > 0.0


def test_sections_follow_the_looks(rhythm):
    film = rhythm(64.0, cuts_s=(16.1, 31.8, 47.9), shots="ABAC")
    sections = find_sections(film, np.arange(0.0, 65.0, 2.0))
    starts = [2.0 * each.first_bar for each in sections]
    assert {16.0, 32.0, 48.0} <= set(starts)
    labels = {2.0 * each.first_bar: each.label for each in sections}
    assert labels[0.0] == labels[32.0] == "A" and labels[16.0] == "B" and labels[48.0] == "C"


def test_sections_have_two_to_sixteen_bars(rhythm):
    random = np.random.default_rng(0)
    for bars in (1, 3, 4, 5, 17, 33, 90):
        cuts_s = np.sort(random.uniform(0, 2.0 * bars, bars))
        sections = find_sections(rhythm(2.0 * bars, cuts_s=tuple(cuts_s.tolist())), np.arange(bars + 1) * 2.0)
        assert sections[-1].end_bar == bars
        assert all(2 <= each.end_bar - each.first_bar <= 16 for each in sections) or bars < 4


def test_densities_rise_from_the_calmest_bar_to_the_busiest():
    assert set(GENRE_DENSITIES) == set(GENRES)
    for densities_of in (*GENRE_DENSITIES.values(), *ENSEMBLE_DENSITIES.values()):
        assert list(densities_of) == sorted(densities_of) and densities_of[0] >= 1 and densities_of[-1] <= 16


@pytest.mark.parametrize("genre", GENRES)
def test_a_film_is_as_varied_as_the_bars_of_its_genre(genre):
    level = np.linspace(0.0, 1.0, 1000)
    result = densities(level, genre, (0, 1, 2, 3, 4), 0, 0.0, np.full(1000, 2.0))[:-1]
    low, high = np.interp([5.0, 95.0], PERCENTILES, GENRE_DENSITIES[genre])
    assert (min(result), max(result)) == (pytest.approx(low, abs=0.5), pytest.approx(high, abs=0.5))
    assert max(result) >= 1.6 * min(result), "nothing is left with which to follow a picture"
    assert len(set(result)) >= 7 and sorted(result) == result


def test_a_genre_without_a_kit_is_as_busy_as_its_own_music():
    level = np.linspace(0.0, 1.0, 50)
    chamber = densities(level, "orchestral", (1, 3, 4), 0, 0.0, np.full(50, 2.0))
    assert chamber == densities(level, "orchestral", (0, 1, 2, 3, 4), 0, 0.0, np.full(50, 2.0))
    assert min(densities(level, "orchestral", (1, 4), 0, 0.0, np.full(50, 2.0))) == round(ENSEMBLE_DENSITIES[1, 4][0])


@pytest.mark.parametrize("genre", GENRES)
def test_a_calm_mood_asks_for_nothing_that_the_genre_has_not(genre):
    level, calm = np.linspace(0.0, 1.0, 20), np.full(20, -0.3)
    found = densities(level, genre, (0, 1, 2, 3, 4), 0, 0.0, np.full(20, 2.0), mood=calm)[:-1]
    assert min(found) == round(GENRE_DENSITIES[genre][0])
    wished = densities(level, genre, (0, 1, 2, 3, 4), -4, 0.0, np.full(20, 2.0), mood=calm)[:-1]
    assert min(wished) < min(found), "a wish may go on"


def test_no_bar_asks_for_a_blur():
    assert densities(np.full(3, 1.0), "pop", (0, 1), 0, 0.0, np.full(3, 0.3)) == [3, 3, 3]


def test_bar_without_a_frame_takes_the_nearest_motion():
    means = bar_means(np.array([0.1, 3.0]), np.array([1.0, 5.0], dtype=np.float32), np.arange(5.0))
    assert means.tolist()[0] == 1.0 and means.tolist()[3] == 5.0


def test_noise_is_no_drama():
    random = np.random.default_rng(1)
    steady = levels(0.1 + 0.01 * random.random(30))
    faint = levels(0.004 * random.random(30))
    assert np.ptp(steady) == np.ptp(faint) == 0.0 and faint[0] < steady[0]


def test_the_films_own_contrast_decides_how_far_densities_spread():
    spans = [np.ptp(levels(np.repeat([0.02, 0.02 * ratio], 6))) for ratio in (1.2, 2.0, 5.0, 20.0, 60.0)]
    assert spans[0] == 0.0 and spans[-2:] == [1.0, 1.0]
    assert spans == sorted(spans)


def test_a_step_of_speed_stays_a_step_and_a_spike_goes():
    level = levels(np.array([0.02] * 8 + [0.4] * 8))
    assert level.tolist() == [0.0] * 8 + [1.0] * 8
    assert np.ptp(levels(np.array([0.02] * 8 + [0.4] + [0.02] * 8))) == 0.0


def test_speeds_that_hardly_differ_are_as_quick_as_each_other():
    slow = 0.02 * (1.0 + 0.1 * np.random.default_rng(4).random(16))
    level = levels(np.concatenate([slow[:8], np.full(8, 0.2), slow[8:], np.full(8, 0.4)]))
    assert max(level[:8].max(), level[16:24].max()) < 0.1, "a slow bar is slow, however many others are"
    assert level[8:16].mean() + 0.1 < level[24:].mean()


def test_a_bar_of_which_a_quarter_is_quick_is_a_slow_bar():
    times_s = np.arange(0.0, 8.0, 1 / 24)
    motion = np.where((times_s >= 3.0) & (times_s < 4.0), 0.4, 0.02).astype(np.float32)
    motion[times_s >= 4.0] = 0.4
    speeds = bar_speeds(times_s, motion, np.array([0.0, 4.0, 8.0]))
    assert speeds[0] < 0.05 and speeds[1] == pytest.approx(0.4)
    on_twos = np.where(np.arange(len(times_s)) % 2, 0.0, 0.4).astype(np.float32)
    assert bar_speeds(times_s, on_twos, np.array([0.0, 4.0, 8.0])) == pytest.approx([0.2, 0.2], rel=0.01)


def test_a_film_with_a_shape_of_its_own_keeps_it():
    slow_first, slow_late = energy_lines(np.repeat([0.0, 1.0, 0.0, 1.0], 10), (), 0.0)[[5, 25]]
    assert slow_late - slow_first < 0.1, "the arc does not lift what the picture holds down"


def test_energy_rises_into_a_quicker_bar_and_is_one_curve():
    level = np.repeat([0.0, 1.0, 0.0, 1.0], 4)
    lines = energy_lines(level, (), 0.0)
    assert len(lines) == 17 and np.abs(np.diff(lines)).max() < 0.7
    bars = (lines[1:] + lines[:-1]) / 2
    assert bars[4:8].mean() + bars[12:].mean() > bars[:4].mean() + bars[8:12].mean() + 0.6
    assert lines[4] == pytest.approx(lines[5], abs=0.1), "the crescendo is over when the quicker bar begins"
    assert energy_lines(level, (), 0.5) == pytest.approx(lines + 0.5)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({}, Wishes()),
        ({"genre": "Rock", "seed": "7", "control": "1"}, Wishes(genre="rock", seed=7, control=1.0)),
        ({"cut-control": "0.3"}, Wishes(cut_control=0.3)),
        ({"cut_control": 1}, Wishes(cut_control=1.0)),
        ({"cut-control": "auto", "deviation": "0.05"}, Wishes(max_deviation=0.05)),
        ({"instruments": "bass, drums"}, Wishes(instruments=(0, 3))),
        ({"instruments": "all"}, Wishes()),
        ({"tempo": "auto"}, Wishes()),
        ({"tempo": 120}, Wishes(tempo_bpm=(120.0, 120.0))),
        ({"tempo": "90-140"}, Wishes(tempo_bpm=(90.0, 140.0))),
        ({"seed": 7.0, "density": -3.0, "energy": None}, Wishes(seed=7, density=-3)),
    ],
)
def test_words_become_wishes(texts, expected):
    assert parse_wishes(texts) == expected


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("genre", "polka", "country, dance, electronic, metal, pop, rock"),
        ("instruments", "drums,tuba", "drums, piano, guitar, bass, strings"),
        ("instruments", "", "drums, piano"),
        ("tempo", "fast", "auto"),
        ("tempo", "140-90", "backwards"),
        ("tempo", "5", "30-300"),
        ("tempo", "nan", "30-300"),
        ("tempo", "80-100-120", "range"),
        ("tempo", "-90", "auto"),
        ("control", "1.5", "0 and 1"),
        ("control", "much", "number"),
        ("cut-control", "2", "0 and 1"),
        ("cut-control", "some", "number"),
        ("seed", "1.5", "whole number"),
        ("seed", "-1", "0 and"),
        ("density", "9", "-8 and 8"),
        ("energy", "inf", "-0.5 and 0.5"),
        ("colour", "blue", "genre, instruments"),
        ("mood", "blue", "auto, off, exciting"),
        ("valence", "1.5", "-1 and 1"),
    ],
)
def test_wrong_words_are_refused_with_the_choices(key, text, says):
    with pytest.raises(UsageError, match=says.replace("(", r"\(")) as caught:
        parse_wishes({key: text})
    assert "\n" not in str(caught.value)


def test_every_option_says_its_default():
    for option in OPTIONS:
        assert getattr(parse_wishes({option.key: option.default}), option.field) == getattr(Wishes(), option.field)
        assert option.help and option.choices
