"""Visual beats on rendered scenes whose impacts are known; `tests/bench/bench_impacts.py` has many more."""

import pytest

from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.types import LOUD_BEAT, Clip
from tests.bench.bench_impacts import matched
from tests.bench.impact_scenes import render


def loud_beats(path):
    return [beat.time_s for beat in analyse([Clip(path)]).beats if beat.saliency >= LOUD_BEAT]


@pytest.mark.parametrize(
    ("kind", "variant"), [("ball", "still"), ("ball", "shaken"), ("stop", "fast"), ("collide", "still")]
)
def test_impacts_are_found_and_none_is_invented(kind, variant, tmp_path):
    path = tmp_path / "scene.mp4"
    truth = render(path, kind, variant, 51, 5.0)
    beats = [time_s for time_s in loud_beats(path) if 0.15 < time_s < 4.85]
    right = len(matched(beats, truth))
    assert right >= 0.8 * len(truth)
    assert right >= 0.8 * len(beats)


def test_a_trembling_hand_strikes_next_to_nothing(tmp_path):
    beats = 0
    for seed in (50, 51, 54, 58):
        path = tmp_path / f"{seed}.mp4"
        render(path, "shake", "still", seed, 5.0)
        beats += len(loud_beats(path))
    assert beats <= 2, "in twenty seconds"


@pytest.mark.parametrize(("trap", "most"), [("pan", 0), ("glide", 1)])
def test_a_camera_that_moves_and_things_that_go_by_strike_nothing(trap, most, tmp_path):
    path = tmp_path / "scene.mp4"
    render(path, trap, "still", 51, 5.0)
    assert len(loud_beats(path)) <= most
