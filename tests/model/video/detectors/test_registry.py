"""A new detector is one new file: found, measured, joined, kept in the cache and handed on."""

import sys

import numpy as np
import pytest

from hitpoint.model.video import detectors
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.detectors import registry
from hitpoint.model.video.detectors.base import Detector
from hitpoint.model.video.features import version
from hitpoint.model.video.types import Clip
from tests.model.video.conftest import draw

WARMTH = """
import numpy as np
from hitpoint.model.video.detectors.base import Detector

class Warmth(Detector):
    name = "warmth"
    version = "7"

    def __init__(self):
        self.rows = []

    def measure(self, frame):
        self.rows.append(frame.bgr[..., 2].mean() - frame.bgr[..., 0].mean())

    def finish(self):
        return {"red_over_blue": np.asarray(self.rows, np.float32)}

    @classmethod
    def black(cls, frames):
        return {"red_over_blue": np.zeros(frames, np.float32)}
"""


@pytest.fixture
def warmth(tmp_path, monkeypatch):
    """A folder of detectors that holds one more file."""
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "warmth.py").write_text(WARMTH)
    monkeypatch.setattr(detectors, "__path__", [*detectors.__path__, str(folder)])
    registry.registered.cache_clear()
    yield
    registry.registered.cache_clear()
    sys.modules.pop("hitpoint.model.video.detectors.warmth", None)


def test_our_own_are_found():
    names = [each.name for each in registry.registered()]
    assert {"motion", "shots"} <= set(names) and names == sorted(names)
    assert all(issubclass(each, Detector) for each in registry.registered())


def test_every_detector_knows_black():
    for each in registry.registered():
        assert each.is_sound(each.black(5), 5)
        assert not each.is_sound(each.black(4), 5)
        assert not each.is_sound({**each.black(5), "other": np.zeros(5)}, 5)


def test_one_file_more_is_a_detector_more(warmth, tmp_path, cache_folder):
    red = draw(tmp_path / "red.mkv", source="color=c=red", seconds=1)
    blue = draw(tmp_path / "blue.mkv", source="color=c=blue", seconds=1)
    for _ in range(2):  # measured, then from the cache
        rhythm = analyse([Clip(red), Clip(blue, start_s=2.0)])
        found = rhythm.measured["warmth"]["red_over_blue"]
        assert found.shape == rhythm.times_s.shape
        assert [np.sign(found[rhythm.times_s >= at_s][0]) for at_s in (0.5, 1.5, 2.5)] == [1, 0, -1]
    assert len(list((cache_folder / "analysis").iterdir())) == 2


def test_a_detector_more_is_another_version(warmth):
    more = version()
    registry.registered.cache_clear()
    assert "warmth 7" in more
