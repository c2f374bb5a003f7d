"""Twelve traits of a piece, and what explains them."""

from __future__ import annotations

import numpy as np

from hitpoint.model.training.heard.traits import TRAITS, omega_squared, traits

from .conftest import chord

FILMS = [film for film in "abcd" for _ in range(6)]
GENRES = [genre for _ in "abcd" for genre in ("pop", "rock", "metal") for _ in range(2)]


def test_the_film_explains_what_follows_the_film() -> None:
    noise = np.random.default_rng(0).normal(size=24)
    by_film = [10.0 * "abcd".index(film) for film in FILMS]
    by_genre = [10.0 * ("pop", "rock", "metal").index(genre) for genre in GENRES]
    film, genre = omega_squared(by_film + noise, FILMS, GENRES)
    assert film > 0.95 and abs(genre) < 0.05
    film, genre = omega_squared(by_genre + noise, FILMS, GENRES)
    assert abs(film) < 0.25 and genre > 0.95
    chance = [omega_squared(np.random.default_rng(seed).normal(size=24), FILMS, GENRES)[0] for seed in range(1, 200)]
    assert abs(np.mean(chance)) < 0.03
    assert np.isnan(omega_squared([1.0] * 24, FILMS, GENRES)).all()


def test_traits_of_a_known_piece(written) -> None:
    minor = [event for bar in range(4) for event in chord(16 * bar, (45, 52, 57, 60, 64), 16, 70)]
    drums = [(16 * bar + tick, 0, 42, 1, 90) for bar in range(4) for tick in (0, 6)]
    found = traits(written(minor + drums, 4))
    assert tuple(found) == TRAITS
    assert found["minor"] == 1.0 and found["one_chord"] == 1.0 and found["chord_rate"] == 0.0
    assert found["onsets"] == 2.0 and found["notes"] == 7.0 and found["offbeats"] == 0.5
    assert found["instruments"] == 2.0 and found["length"] == 16.0 and found["lead_notes"] == 0.0
    assert 70 < found["velocity"] < 90 and found["key_clarity"] > 0.6
