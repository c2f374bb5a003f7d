"""Palettes are the corners of a hull that holds every colour, and what stands out of a picture is found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitpoint.model.mood.flat_hull import flat_corners
from hitpoint.model.mood.hull import hull_of, simplified
from hitpoint.model.mood.palette import COLOURS, corners_of, levels_of, palette
from hitpoint.model.mood.salient import feeling_of, pull, salient_objects, scene

RED, GREEN = [0, 0, 220], [40, 120, 40]


def picture(seed: int, pixels: int = 128, sources: int = 6) -> np.ndarray:
    """Mixtures of a few colours, as in a photograph."""
    rng = np.random.default_rng(seed)
    mixed = rng.dirichlet(np.full(sources, 0.4), pixels) @ rng.integers(0, 256, (sources, 3))
    return mixed.astype(np.uint8)


def farthest_outside(corners: np.ndarray, points: np.ndarray) -> float:
    """How far any point lies outside the hull of the corners."""
    faces = hull_of(corners)
    assert faces is not None
    farthest = -np.inf
    for face in faces:
        a, b, c = corners[list(face)]
        normal = np.cross(b - a, c - a)
        farthest = max(farthest, float(((points - a) @ normal).max() / np.linalg.norm(normal)))
    return farthest


@pytest.mark.parametrize("seed", range(8))
def test_every_colour_lies_within_the_corners(seed):
    rgb = picture(seed).astype(float)
    corners = corners_of(rgb)
    assert len(corners) <= COLOURS
    assert farthest_outside(corners, levels_of(rgb)) < 1e-6


def test_the_order_of_pixels_makes_no_difference():
    pixels = picture(3)
    shuffled = np.random.default_rng(0).permutation(pixels)
    assert palette(pixels) == palette(shuffled)
    assert palette(pixels) == palette(np.repeat(pixels, 2, axis=0))


def test_shares_are_those_of_the_pixels():
    look = palette(picture(5))
    assert sum(look.shares) == pytest.approx(1.0, abs=0.001) and look.shares == sorted(look.shares, reverse=True)
    assert len(set(look.colours)) == len(look.colours) == len(look.shares)


def test_a_hull_of_few_corners_is_itself():
    cube = np.array([[x, y, z] for x in (0, 4) for y in (0, 4) for z in (0, 4)], float)
    inside = np.array([[2, 2, 2], [1, 2, 3], [2, 0, 2], [4, 2, 2]], float)
    faces = hull_of(np.concatenate([inside, cube]))
    assert len(faces) == 12 and {corner for face in faces for corner in face} == set(range(4, 12))
    assert sorted(map(tuple, simplified(cube, 8))) == sorted(map(tuple, cube))
    assert farthest_outside(simplified(cube, 5), cube) < 1e-6


def test_greys_one_hue_and_one_colour_have_flat_palettes():
    greys = np.repeat(np.arange(0, 256, 5, dtype=np.uint8)[:, None], 3, axis=1)
    assert sorted(palette(greys).colours) == ["#000000", "#ffffff"]
    rng = np.random.default_rng(0)
    hue = np.stack([rng.integers(0, 256, 200), rng.integers(0, 256, 200), np.zeros(200)], axis=1).astype(np.uint8)
    assert 3 <= len(palette(hue).colours) <= COLOURS and all(name[1:3] == "00" for name in palette(hue).colours)
    assert palette(np.full((6, 3), 90, np.uint8)).colours == ["#5a5a5a"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 15)] * 3), min_size=1, max_size=40))
def test_any_pixels_have_a_palette(points):
    rgb = np.array(points, float) * 17.0
    corners = corners_of(rgb)
    assert 1 <= len(corners) <= COLOURS or hull_of(levels_of(rgb)) is not None
    assert np.isfinite(corners).all()
    if hull_of(corners) is not None and hull_of(levels_of(rgb)) is not None:
        assert farthest_outside(corners, levels_of(rgb)) < 1e-5


def test_a_polygon_with_fewer_corners_holds_all_points():
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles), np.full(12, 3.0)], axis=1)
    corners = flat_corners(ring, 5)
    assert len(corners) == 5 and np.allclose(corners[:, 2], 3.0)
    assert max(np.linalg.norm(corners, axis=1)) > np.sqrt(10) - 1e-9


def test_a_red_coat_in_a_wood_stands_out_and_pulls():
    frame = np.tile(np.array(GREEN, np.uint8), (8, 16, 1))
    assert salient_objects(frame) == [] and pull(frame) == (0.0, 0.0)
    frame[2:6, 6:9] = RED
    found = salient_objects(frame)
    assert 1 <= len(found) <= 3 and 0 < found[0].share < 0.3
    whole = feeling_of(frame[..., ::-1].reshape(-1, 3).astype(float))
    assert pull(frame).arousal == pytest.approx(scene(whole, found).arousal - whole.arousal)
    assert pull(frame).valence > 0.05  # bright on dark
