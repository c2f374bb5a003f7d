"""The harmonium's conditionals, against the joint distribution written out; and whether it learns."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hitpoint.model.associate.correlation import correlated
from hitpoint.model.associate.harmonium import LARGEST, Harmonium, held, learn

WORDS, SOUNDS, HIDDEN = 3, 3, 2


@pytest.fixture
def toy() -> Harmonium:
    rng = np.random.default_rng(4)
    shapes = ((WORDS,), (WORDS, HIDDEN), (SOUNDS,), (SOUNDS, HIDDEN))
    a, w, b, u = (rng.normal(0, 0.5, shape) for shape in shapes)
    return Harmonium(a, w, b, held(u))


def log_joint(toy: Harmonium, word: int, v: np.ndarray, h: np.ndarray) -> float:
    """The definition, term by term."""
    total = toy.a[word] + sum(toy.w[word, j] * h[j] for j in range(HIDDEN))
    total += sum(toy.b[i] * v[i] - v[i] ** 2 / 2 for i in range(SOUNDS)) - sum(h[j] ** 2 / 2 for j in range(HIDDEN))
    return total + sum(v[i] * toy.u[i, j] * h[j] for i, j in itertools.product(range(SOUNDS), range(HIDDEN)))


def normal(toy: Harmonium, word: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean and precision of (v, h) for a word, and ln of the integral over both, of the joint's quadratic form."""
    precision = np.block([[np.eye(SOUNDS), -toy.u], [-toy.u.T, np.eye(HIDDEN)]])
    pull = np.concatenate([toy.b, toy.w[word]])
    mean = np.linalg.solve(precision, pull)
    mass = toy.a[word] + pull @ mean / 2 + len(pull) / 2 * np.log(2 * np.pi) - np.linalg.slogdet(precision)[1] / 2
    return mean, precision, mass


def test_the_quadratic_form_is_the_definition(toy: Harmonium) -> None:
    rng = np.random.default_rng(0)
    for word in range(WORDS):
        mean, precision, mass = normal(toy, word)
        x = rng.normal(size=SOUNDS + HIDDEN)
        constant = mass - len(x) / 2 * np.log(2 * np.pi) + np.linalg.slogdet(precision)[1] / 2
        assert log_joint(toy, word, x[:SOUNDS], x[SOUNDS:]) == pytest.approx(
            constant - (x - mean) @ precision @ (x - mean) / 2, abs=1e-9
        )


def test_hidden_and_sounds_given_the_rest(toy: Harmonium) -> None:
    v, h = np.array([[0.3, -1.2, 0.7]]), np.array([[0.4, -0.9]])
    for word in range(WORDS):
        mean, precision, _ = normal(toy, word)
        vv, vh, hv, hh = precision[:3, :3], precision[:3, 3:], precision[3:, :3], precision[3:, 3:]
        of_h = mean[3:] - np.linalg.solve(hh, hv @ (v[0] - mean[:3]))
        of_v = mean[:3] - np.linalg.solve(vv, vh @ (h[0] - mean[3:]))
        assert toy.hidden(np.array([word]), v)[0] == pytest.approx(of_h, abs=1e-9)
        assert toy.sounds_of(h)[0] == pytest.approx(of_v, abs=1e-9)
        assert np.allclose(hh, np.eye(2)) and np.allclose(vv, np.eye(3))  # variances 1
        assert toy.expected_sounds(np.array([word]))[0] == pytest.approx(mean[:3], abs=1e-9)


def test_words_given_the_rest(toy: Harmonium) -> None:
    v, h = np.array([[0.3, -1.2, 0.7]]), np.array([[0.4, -0.9]])
    joint = np.exp([log_joint(toy, word, v[0], h[0]) for word in range(WORDS)])
    assert toy.words_of(h)[0] == pytest.approx(joint / joint.sum(), abs=1e-9)
    each = []
    for word in range(WORDS):
        mean, precision, mass = normal(toy, word)
        cover = np.linalg.inv(precision)[:SOUNDS, :SOUNDS]  # h summed over
        off = v[0] - mean[:SOUNDS]
        scale = SOUNDS * np.log(2 * np.pi) + np.linalg.slogdet(cover)[1]
        each.append(np.exp(mass - (off @ np.linalg.solve(cover, off) + scale) / 2))
    assert toy.words_for(v)[0] == pytest.approx(np.array(each) / sum(each), abs=1e-9)


def test_it_learns_what_goes_together() -> None:
    rng = np.random.default_rng(0)
    words = rng.integers(0, 4, 1200)
    sounds = np.eye(4, 6)[words] * 2 - 0.5 + rng.normal(0, 0.5, (1200, 6))
    found = learn(words[:1000], sounds[:1000], 4, passes=40)
    assert np.linalg.svd(found.u)[1].max() <= LARGEST + 1e-9
    assert (found.words_for(sounds[1000:]).argmax(axis=1) == words[1000:]).mean() > 0.9
    expected = found.expected_sounds(np.arange(4))
    assert (expected[:, :4].argmax(axis=1) == np.arange(4)).all()
    assert np.array_equal(learn(words, sounds, 4, passes=2).w, learn(words, sounds, 4, passes=2).w)


def test_correlation_finds_the_direction_that_two_sides_share() -> None:
    rng = np.random.default_rng(1)
    common = rng.normal(size=300)
    looks, sounds = rng.random((300, 8)), rng.normal(size=(300, 24))
    looks[:, 2] += common
    sounds[:, 5] -= 2 * common
    found = correlated(looks, sounds)
    assert found.strength[0] > 0.6 and np.argmax(np.abs(found.expected(looks).mean(axis=0))) >= 0
    likeness = found.likeness(looks, sounds)
    assert (likeness.diagonal()[:, None] >= likeness).mean() > 0.75
