"""A film as a row of pictures at an even pace, and the signs around each moment."""

import numpy as np
import pytest

from hitpoint.model.video.detectors import shot_signs
from hitpoint.model.video.detectors.shot_signs import OFFSETS, PAIR_OF, REACH, SIGNS, Thumbnail, signs
from hitpoint.model.video.detectors.shot_steps import STRETCH, Steps


def picture(level, seed=None):
    luma = np.full((shot_signs.HEIGHT, shot_signs.WIDTH), level, np.uint8)
    if seed is not None:
        luma = np.random.default_rng(seed).integers(20, 230, luma.shape, np.uint8)
    bgr = np.repeat(luma[::2, ::2, None], 3, axis=2)
    histogram = np.bincount(luma.ravel() // 16, minlength=16).astype(np.float16) / luma.size
    return Thumbnail(luma, bgr, histogram)


def stretches(pictures, times_s):
    steps, found = Steps(), []
    for each, time_s in zip(pictures, times_s, strict=True):
        steps.add(each, time_s)
        found += list(steps.stretches())
    return found + list(steps.stretches(is_last=True)), steps


def begins(pictures, times_s):
    found, _ = stretches(pictures, times_s)
    return np.concatenate([each.frames for each in found]).tolist()


def test_repeats_count_once():
    different = [picture(40 + 3 * k) for k in range(10)]
    shown = [different[k * 2 // 5] for k in range(25)]  # 24 as 60
    assert begins(shown, np.arange(25) / 60) == [3, 5, 8, 10, 13, 15, 18, 20, 23]


def test_at_many_frames_a_second_a_picture_begins_where_most_changes():
    pictures = [picture(40 + k) for k in range(31)] + [picture(180 + k) for k in range(30)]
    frames = begins(pictures, np.arange(61) / 240)
    assert 31 in frames and len(frames) == 10


def test_a_slide_counts_as_long_as_it_stands_but_not_for_ever():
    found, _ = stretches([picture(0, seed) for seed in range(4)], [0.0, 0.2, 3.2, 6.2])
    assert len(found) == 1
    assert np.bincount(found[0].shown).tolist() == [5, REACH, REACH, REACH]
    assert found[0].frames.tolist() == [1, 2, 3]


@pytest.mark.parametrize("count", [2, 5, STRETCH, 3 * STRETCH + 7, 500])
def test_in_stretches_or_at_once_the_signs_are_the_same(count):
    pictures = [picture(0, seed // 4) if seed % 9 == 0 else picture(seed * 5 % 200, None) for seed in range(count)]
    times_s = np.cumsum(np.random.default_rng(1).choice([0.03, 0.04, 0.3], count))
    found, steps = stretches(pictures, times_s)
    whole = Steps()
    for each, time_s in zip(pictures, times_s, strict=True):
        whole.add(each, time_s)
    at_once = list(whole.stretches(is_last=True))
    assert np.concatenate([e.frames for e in found]).tolist() == np.concatenate([e.frames for e in at_once]).tolist()
    a, b = (np.concatenate([signs(e.pictures, e.shown, e.moments) for e in each]) for each in (found, at_once))
    assert a.shape == (count - 1, SIGNS)
    assert np.allclose(a, b, atol=0.05)  # .05 of log levels: single precision
    assert len(steps._pictures) <= 4 * REACH + STRETCH  # what is kept does not grow with the film


def test_the_middle_of_a_dissolve_lies_between_its_ends_and_a_flash_returns():
    a, b = picture(0, 1), picture(0, 2)
    mixed = Thumbnail(
        *(
            np.asarray((x.astype(float) + y) / 2, x.dtype)
            for x, y in zip(vars(a).values(), vars(b).values(), strict=True)
        )
    )
    middle = len(OFFSETS)
    reach = 30

    def pixel_levels(pictures, shown, first, second):
        row = signs(pictures, np.array(shown), np.array([reach]))[0]
        return 2 * np.expm1(row[PAIR_OF[first, second]])

    dissolve = [0] * (reach - 2) + [1] * 5 + [2] * reach
    whole = pixel_levels([a, mixed, b], dissolve, 0, 2 * middle - 1)
    halves = [
        pixel_levels([a, mixed, b], dissolve, 0, middle),
        pixel_levels([a, mixed, b], dissolve, middle, 2 * middle - 1),
    ]
    assert sum(halves) == pytest.approx(whole, rel=0.02) and whole > 30
    flash = [0] * reach + [1] * 2 + [0] * reach
    assert pixel_levels([a, picture(255)], flash, middle - 1, middle) > 50
    assert pixel_levels([a, picture(255)], flash, 0, 2 * middle - 1) == pytest.approx(0, abs=0.1)


def test_signs_are_whole_numbers_of_floats_for_flat_pictures():
    for level in (0, 16, 235, 255):
        row = signs([picture(level), picture(level)], np.array([0] * 5 + [1] * 5), np.array([5]))
        assert np.isfinite(row).all()
