"""Single frames at the film's own size."""

from __future__ import annotations

import numpy as np

from hitpoint.model.video.stills import stills
from hitpoint.model.video.types import Clip
from tests.model.video.conftest import draw


def test_stills_are_of_the_moments_asked_for(tmp_path):
    film = draw(tmp_path / "film.mp4", source="testsrc", size="96x64", seconds=4.0)
    found = stills(Clip(film, 1.0), [0.0, 1.5, 2.9])
    assert [picture.shape for picture in found] == [(64, 96, 3)] * 3
    (whole,) = stills(Clip(film), [2.5])
    assert np.array_equal(whole, found[1]) and not np.array_equal(found[0], found[1])
