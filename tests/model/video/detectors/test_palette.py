"""Light and colour of frames: measured on pictures whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest

from hitpoint.model.video.detectors.base import Part
from hitpoint.model.video.detectors.palette import Palette
from hitpoint.model.video.frames import Frame


def look(bgr: np.ndarray, times_s=(0.0,)):
    luma = (16 + 219 * (bgr.astype(float) @ [0.114, 0.587, 0.299]) / 255).astype(np.uint8)
    detector = Palette()
    for time_s in times_s:
        detector.measure(Frame(time_s, luma, bgr))
    return detector.finish()


def plain(blue: int, green: int, red: int) -> np.ndarray:
    return np.full((72, 128, 3), (blue, green, red), np.uint8)


@pytest.mark.parametrize(
    ("colour", "brightness", "saturation", "warmth"),
    [
        ((0, 0, 255), 1.0, 1.0, 1.0),
        ((255, 0, 0), 1.0, 1.0, 0.0),
        ((128, 128, 128), 0.5, 0.0, 0.5),
        ((0, 0, 0), 0.0, 0.0, 0.5),
        ((0, 200, 200), 0.784, 1.0, 1.0),
        ((1, 0, 2), 0.008, 0.05, 0.5),
    ],
)
def test_plain_colours(colour, brightness, saturation, warmth):
    found = look(plain(*colour))
    assert found["brightness"][0] == pytest.approx(brightness, abs=0.01)
    assert found["saturation"][0] == pytest.approx(saturation, abs=0.06)
    assert found["warmth"][0] == pytest.approx(warmth, abs=0.01)


def test_black_bars_of_another_format_count_for_nothing():
    inside = plain(40, 160, 220)
    wide, tall = inside.copy(), inside.copy()
    wide[:9] = wide[-9:] = 0
    tall[:, :20] = tall[:, -20:] = 0
    for framed in (wide, tall):
        for name in ("brightness", "saturation", "warmth"):
            assert look(framed)[name][0] == pytest.approx(look(inside)[name][0], abs=0.01)


def test_a_dark_edge_on_one_side_is_part_of_the_picture():
    half = plain(200, 200, 200)
    half[:36] = 0
    assert look(half)["brightness"][0] == pytest.approx(0.39, abs=0.02)


def test_one_row_a_frame_whatever_the_rate():
    found = look(plain(10, 20, 30), tuple(i / 120 for i in range(30)))
    figures = [array for name, array in found.items() if name not in Palette.event_arrays]
    assert {len(array) for array in figures} == {30}
    assert Palette.is_sound(found, 30) and Palette.is_sound(Palette.black(4), 4)


def test_tiny_pictures_are_few_and_counted_through_an_edit():
    found = look(plain(10, 20, 30), tuple(i / 30 for i in range(90)))
    assert found["swatch_frames"].tolist() == pytest.approx(range(0, 90, 8), abs=1) and len(found["swatches"]) <= 12
    times_s = np.arange(90) / 30
    joined = Palette.join([Part(found, times_s, 0), Part(found, times_s + 3, 90)])
    assert joined["swatch_frames"].tolist() == [*found["swatch_frames"], *(found["swatch_frames"] + 90)]
