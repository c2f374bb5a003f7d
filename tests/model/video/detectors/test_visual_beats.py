"""The parts of the beat analysis, on signals that are known."""

import math
import threading

import numpy as np
import pytest

from hitpoint.model.errors import InputError
from hitpoint.model.video import frames
from hitpoint.model.video.detectors import shot_choice, shot_looks, visual_beats
from hitpoint.model.video.detectors.motion import ANGLE_BINS, MotionMeter, directions
from tests.model.video.conftest import draw

RATE = 24.0


def slow_directions(flow):
    """Reference: one vector after the other."""
    bins = np.zeros(ANGLE_BINS)
    for x, y in flow.reshape(-1, 2):
        place = math.atan2(y, x) % (2 * math.pi) / (2 * math.pi) * ANGLE_BINS
        low, share = int(place), place % 1
        bins[low % ANGLE_BINS] += math.hypot(x, y) * (1 - share)
        bins[(low + 1) % ANGLE_BINS] += math.hypot(x, y) * share
    return bins / (flow.size / 2)


def test_directions_equal_the_slow_form():
    flow = np.random.default_rng(1).normal(size=(9, 13, 2)).astype(np.float32)
    assert directions(flow) == pytest.approx(slow_directions(flow), abs=1e-4)
    assert directions(flow).sum() == pytest.approx(np.hypot(flow[..., 0], flow[..., 1]).mean(), rel=1e-4)


@pytest.mark.parametrize(("step", "bin_"), [((2, 0), 0), ((0, 2), 8), ((-2, 0), 16), ((0, -2), 24)])
def test_flow_points_where_the_picture_goes(step, bin_):
    picture = np.random.default_rng(0).integers(30, 220, (24, 40)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
    meter = MotionMeter()
    assert meter.measure(picture)[0] == 0
    speed, directogram = meter.measure(np.roll(picture, step[::-1], axis=(0, 1)))
    assert speed == pytest.approx(2 / 160, rel=0.25)
    assert int(np.argmax(directogram)) == bin_


def stops(times_s, moments):
    """A directogram whose movement to the right stops at each of `moments`, after half a second of movement."""
    directogram = np.zeros((len(times_s), ANGLE_BINS), np.float32)
    for moment in moments:
        directogram[(times_s > moment - 0.5) & (times_s <= moment + 1e-6), 0] = 0.3
    return directogram


def whole_shot(n):
    valid = np.ones(n, bool)
    valid[0] = False
    return np.zeros(n, np.int32), valid


@pytest.mark.parametrize("even", [True, False])
def test_a_stop_counts_on_its_frame(even):
    times_s = np.arange(240) / RATE
    if not even:
        times_s = np.delete(times_s, np.arange(1, 240, 5))
    moments = times_s[[40, 90, 150]]
    envelope = visual_beats.impact_envelope(stops(times_s, moments), times_s, *whole_shot(len(times_s)))
    beats = visual_beats.pick_beats(times_s, visual_beats.prominence(times_s, envelope))
    assert times_s[beats] == pytest.approx(moments)


def test_a_cut_hides_the_stop():
    times_s = np.arange(240) / RATE
    directogram = np.zeros((240, ANGLE_BINS), np.float32)
    directogram[1:120, 3] = 0.4  # a shot full of motion, then a still one
    shot = (np.arange(240) >= 120).astype(np.int32)
    valid = np.ones(240, bool)
    valid[[0, 120]] = False
    assert visual_beats.impact_envelope(directogram, times_s, shot, valid).max() < 1e-3


def test_beats_prefer_the_steady_chain():
    """Of two impacts that are too near to each other, the one on the tempo is taken."""
    times_s = np.arange(480) / RATE
    envelope = np.zeros(480, np.float32)
    envelope[24::24] = 10.0
    envelope[[28, 52, 100, 268]] = 10.0
    beats = visual_beats.pick_beats(times_s, envelope)
    assert list(beats) == list(range(24, 480, 24))


def test_gaps_are_kept():
    rng = np.random.default_rng(2)
    times_s = np.arange(2000) / RATE
    beats = visual_beats.pick_beats(times_s, rng.uniform(0, 20, 2000).astype(np.float32))
    assert np.diff(times_s[beats]).min() >= visual_beats.MIN_GAP_S


def test_a_long_pause_does_not_break_the_chain():
    times_s = np.arange(1000) / RATE
    envelope = np.zeros(1000, np.float32)
    envelope[[50, 62, 900, 912]] = 9.0
    assert list(visual_beats.pick_beats(times_s, envelope)) == [50, 62, 900, 912]


def test_nothing_gives_nothing():
    times_s = np.arange(100) / RATE
    nothing = np.zeros(100, np.float32)
    assert len(visual_beats.pick_beats(times_s, nothing)) == 0
    assert len(visual_beats.rank(nothing[:0])) == 0
    assert visual_beats.prominence(times_s, nothing).max() == 0


def test_rank_is_weak_where_the_impact_is():
    floor = visual_beats.FLOOR
    assert visual_beats.rank(np.array([floor * 1.01, floor * 1.02], np.float32)).max() < 0.1
    ranks = visual_beats.rank(np.array([4, 8, 16, 32], np.float32) * floor)
    assert np.all(np.diff(ranks) > 0) and ranks[-1] > 0.95


def test_restlessness_raises_the_floor():
    rng = np.random.default_rng(3)
    times_s = np.arange(600) / RATE
    trembling = np.abs(rng.normal(0, 5, 600)).astype(np.float32)
    assert (visual_beats.prominence(times_s, trembling) > visual_beats.FLOOR).mean() < 0.01
    trembling[300] = 40
    assert visual_beats.prominence(times_s, trembling)[300] > 15


@pytest.mark.parametrize(("index", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ")])
def test_letters(index, name):
    assert shot_looks.letter(index) == name


def luma_curve(*spans):
    """(times, mean, spread) from (from level, to level, frames)."""
    mean = np.concatenate([np.linspace(a, b, n, endpoint=False) for a, b, n in spans]).astype(np.float32)
    return np.arange(len(mean)) / RATE, mean, mean * 0.3


@pytest.mark.parametrize(
    ("spans", "darkest"),
    [
        ([(90, 90, 20), (90, 0, 20), (0, 90, 20), (90, 90, 20)], [40]),
        ([(90, 90, 20), (90, 0, 20), (0, 0, 10), (0, 90, 20), (90, 90, 20)], [45]),
        ([(90, 90, 20), (90, 0, 20), (0, 0, 10), (90, 90, 20)], [45]),  # out slowly, in at once
        ([(90, 90, 20), (0, 0, 10), (90, 90, 20)], []),  # two cuts
        ([(0, 90, 20), (90, 90, 20)], []),  # the film begins
        ([(90, 90, 20), (90, 0, 20), (0, 0, 5)], []),  # the film ends
        ([(90, 90, 20), (90, 30, 20), (30, 90, 20)], []),  # only darker
    ],
)
def test_fades(spans, darkest):
    found = [middle for _, middle, _ in shot_choice.find_fades(*luma_curve(*spans))]
    assert found == pytest.approx(darkest, abs=1)


def test_the_decoder_is_joined_when_the_caller_stops(tmp_path):
    path = draw(tmp_path / "film.mp4", seconds=10)
    stream = frames.read_frames(path)
    next(stream)
    stream.close()
    assert not [t for t in threading.enumerate() if t.name == "hitpoint-decode"]


def test_an_exception_of_the_decoder_reaches_the_caller(tmp_path, monkeypatch):
    path = draw(tmp_path / "film.mp4")
    monkeypatch.setattr(frames, "shrink", lambda frame, aspect: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(frames.read_frames(path))
    assert not [t for t in threading.enumerate() if t.name == "hitpoint-decode"]


def test_a_decoder_that_stalls_is_given_up(tmp_path, monkeypatch):
    path = draw(tmp_path / "film.mp4")
    wake = threading.Event()

    def stalled(path, in_s, out_s):
        wake.wait(20)
        yield from ()

    monkeypatch.setattr(frames, "decode", stalled)
    monkeypatch.setattr(frames, "STALL_S", 0.3)
    try:
        with pytest.raises(InputError, match="gave no frame"):
            list(frames.read_frames(path))
    finally:
        wake.set()
