"""The analysis against the example film, whose cuts, fade and impacts are known."""

import numpy as np
import pytest

from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.types import Clip
from tests.footage import footage
from tests.model.video.conftest import ffmpeg

FRAME_S = 1 / 24


@pytest.fixture(scope="module")
def rhythm(film, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HITPOINT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        return analyse([Clip(film)])


def near(times, wanted, tolerance_s=FRAME_S + 0.001):
    return [bool(len(times)) and float(np.min(np.abs(np.asarray(times) - w))) <= tolerance_s for w in wanted]


def test_every_cut_and_no_other_within_a_frame(rhythm, truth):
    cuts = [b.time_s for b in rhythm.boundaries if b.kind == "cut"]
    assert len(cuts) == len(truth["cuts"])
    assert all(near(cuts, truth["cuts"]))


def test_the_fade_at_its_darkest_moment(rhythm, truth):
    fades = [b.time_s for b in rhythm.boundaries if b.kind == "fade"]
    assert len(fades) == 1
    assert all(near(fades, [f["time_s"] for f in truth["fades"]]))


def test_impacts_are_found_on_their_frame(rhythm, truth):
    # Measured: recall .67, precision .70. What is found besides are blinks, looks that come to rest, and wheels that
    # turn; what is missed, a belt that is jerked on the moment it stops, and feet behind other things.
    beats = [b.time_s for b in rhythm.beats]
    assert np.mean(near(beats, truth["impacts"])) >= 0.65
    assert np.mean(near(truth["impacts"], beats)) >= 0.65


def test_strong_beats_are_impacts(rhythm, truth):
    strong = [b.time_s for b in rhythm.beats if b.saliency >= 0.75]  # measured: 14 of 19
    assert len(strong) >= 15
    assert np.mean(near(truth["impacts"], strong)) >= 0.68


def test_returning_places_share_a_label(rhythm, truth):
    places = [shot["place"] for shot in truth["shots"]]
    assert len(rhythm.shots) == len(places)
    for place in ("road", "hammer", "works"):
        assert len({label for label, p in zip(rhythm.shots, places, strict=True) if p == place}) == 1
    label = dict(zip(places, rhythm.shots, strict=True))
    assert len({label[p] for p in ("meadow", "road", "works", "dusk", "night", "morning")}) == 6


def test_fast_shots_move_more_than_slow_ones(rhythm, truth):
    def speed(shot):
        inside = (rhythm.times_s >= shot["start_s"]) & (rhythm.times_s < shot["end_s"])
        return float(rhythm.motion[inside].mean())

    by_pace = {pace: [speed(s) for s in truth["shots"] if s["pace"] == pace] for pace in ("slow", "medium", "fast")}
    assert min(by_pace["fast"]) > max(by_pace["slow"])
    assert np.mean(by_pace["fast"]) > np.mean(by_pace["medium"]) > np.mean(by_pace["slow"])


def test_a_cut_is_no_motion_and_no_impact(rhythm, truth):
    # Before 24.5 s (night) and after it (a sleeping face) nearly nothing moves.
    around = np.abs(rhythm.times_s - 24.5) < 0.2
    assert rhythm.motion[around].max() < 0.01
    assert rhythm.saliency[around].max() < 1.0
    assert not any(near([b.time_s for b in rhythm.beats], [24.5], 0.15))


def test_shape_of_the_result(rhythm):
    n = len(rhythm.times_s)
    assert n == 772
    assert rhythm.duration_s == pytest.approx(772 / 24, abs=1e-6)
    assert rhythm.motion.shape == rhythm.saliency.shape == (n,)
    assert rhythm.motion[0] == 0
    assert np.all(np.diff(rhythm.times_s) > 0)
    assert rhythm.motion.min() >= 0 and rhythm.saliency.min() >= 0
    assert all(0 <= b.saliency <= 1 for b in rhythm.beats)
    assert all(0 <= b.weight <= 1 for b in rhythm.boundaries)
    assert np.all(np.diff([b.time_s for b in rhythm.beats]) >= 0.2 - 1e-9)


def bars(rhythm, bar_s=2.0):
    place = (rhythm.times_s / bar_s).astype(int)
    return np.array([rhythm.motion[place == k].mean() for k in range(place.max())])


def ranks(values):
    return np.argsort(np.argsort(values))


@pytest.mark.parametrize("source", ["film", "bikes"])
def test_size_does_not_matter(source, film, tmp_path):
    """The same clip at 360 and 1080 lines: the same ranks of motion, the same cuts and strong beats."""
    path = film if source == "film" else footage("bikes")
    small, large = tmp_path / "small.mp4", tmp_path / "large.mp4"
    window = ("-ss", 4, "-t", 14) if source == "film" else ("-ss", 4, "-t", 6)
    ffmpeg(*window, "-i", path, "-an", "-vf", "scale=-2:360", "-crf", 18, small)
    ffmpeg(*window, "-i", path, "-an", "-vf", "scale=-2:1080:flags=bicubic", "-preset", "ultrafast", "-crf", 20, large)
    a, b = analyse([Clip(small)]), analyse([Clip(large)])
    assert [x.time_s for x in a.boundaries] == [x.time_s for x in b.boundaries]
    assert a.shots == b.shots
    bar_s = 2.0 if source == "film" else 1.0
    correlation = np.corrcoef(ranks(bars(a, bar_s)), ranks(bars(b, bar_s)))[0, 1]
    assert correlation >= 0.95
    loud = [x.time_s for x in a.beats if x.saliency >= 0.9]
    assert loud or source == "bikes", "of cars and people that ride by none strikes for sure"
    assert all(near([x.time_s for x in b.beats], loud, 0.05))


def looks_of(rows, steps_s=0.1):
    from hitpoint.model.video.detectors.shot_looks import Looks

    looks = Looks()
    for frame, row in enumerate(rows):
        looks.add(np.asarray(row, np.float16), frame, frame * steps_s)
    return looks.arrays()


def test_two_boundaries_on_one_frame_leave_no_empty_shot() -> None:
    from hitpoint.model.video.detectors.shot_looks import HISTOGRAM_BINS, mean_histograms

    means = mean_histograms(looks_of(np.eye(HISTOGRAM_BINS)[:4]), [0, 2, 2])
    assert np.isfinite(means).all() and means.shape == (3, HISTOGRAM_BINS)


def test_colours_that_stay_are_kept_once_and_weigh_as_long_as_they_stayed() -> None:
    from hitpoint.model.video.detectors.shot_looks import HISTOGRAM_BINS, mean_histograms

    red, blue = np.eye(HISTOGRAM_BINS)[:2]
    looks = looks_of([red] * 30 + [blue] * 10)
    assert len(looks["histograms"]) <= 5 and looks["histogram_counts"].sum() == 40
    assert mean_histograms(looks, [0])[0, :2] == pytest.approx([0.75, 0.25], abs=1e-3)
    assert mean_histograms(looks, [0, 30])[:, 0].tolist() == [1, 0]
