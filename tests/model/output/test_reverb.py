"""The room around the synth: linear, the same whatever the blocks, quiet beside the sound, and dying away."""

from __future__ import annotations

import numpy as np

from hitpoint.model.output.reverb import WET_DB, Reverb

RATE_HZ = 44_100


def wet(sound: np.ndarray, size: int) -> np.ndarray:
    blocks = [sound[first : first + size] for first in range(0, len(sound), size)]
    return np.concatenate(list(Reverb(RATE_HZ).through(blocks)))


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((round(seconds * RATE_HZ), 2)).astype(np.float32) * 0.1


def test_blocks_of_any_size_give_the_same() -> None:
    sound = noise(1.3)
    whole = wet(sound, len(sound))
    assert whole.shape == sound.shape
    assert np.allclose(whole, wet(sound, 4096), atol=1e-5)


def test_stems_sum_to_the_mix() -> None:
    one, other = noise(0.9, 1), noise(0.9, 2)
    assert np.allclose(wet(one + other, 4096), wet(one, 4096) + wet(other, 1000), atol=1e-5)


def test_it_is_light_and_dies_away() -> None:
    sound = np.concatenate([noise(1.5), np.zeros((RATE_HZ * 2, 2), np.float32)])
    room = wet(sound, 4096) - sound
    playing = room[RATE_HZ // 2 : RATE_HZ]
    db = 10 * np.log10(np.square(playing).mean() / 0.01)
    assert WET_DB - 4 < db < WET_DB + 1
    assert np.abs(room[round(2.8 * RATE_HZ) :]).max() < 1e-4
