"""Black around a film moves everything that is known of it, and loses nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.video.padded import STEP_S, padded
from tests.fakes import fake_rhythm


def test_all_that_is_known_moves_along():
    rhythm = fake_rhythm(12.0, Path("film.mp4"))
    rows = len(rhythm.times_s)
    lit = np.ones(rows, np.float32)
    palette = dict.fromkeys(("brightness", "saturation", "warmth", "spread"), lit)
    palette |= {"swatches": np.ones((4, 8, 16, 3), np.uint8), "swatch_frames": np.arange(0, 24, 6)}
    rhythm = replace(rhythm, speech=((1.0, 2.0),), measured={"palette": palette})
    longer = padded(rhythm, 2.0, 16.0)
    assert longer.duration_s == 16.0
    assert longer.speech == ((3.0, 4.0),)
    head = round(2.0 / STEP_S)
    found = longer.measured["palette"]
    assert len(found["brightness"]) == len(longer.times_s) == len(longer.motion)
    assert np.flatnonzero(found["brightness"]).tolist() == list(range(head, head + rows))
    lit_frames = found["swatch_frames"][found["swatches"].any(axis=(1, 2, 3))]
    assert (lit_frames - head).tolist() == [0, 6, 12, 18]
    assert [each.time_s for each in longer.boundaries if each.time_s not in (2.0, 14.0)] == [
        pytest.approx(each.time_s + 2.0) for each in rhythm.boundaries
    ]
