"""The parts of the beat analysis, on signals that are known."""

import threading
from itertools import pairwise

import cv2
import numpy as np
import pytest

from hitpoint.model.errors import InputError
from hitpoint.model.video import frames
from hitpoint.model.video.detectors import impact_network, shot_choice, visual_beats
from hitpoint.model.video.detectors.bars import Bars
from hitpoint.model.video.detectors.cadence import Cadence
from hitpoint.model.video.detectors.camera import STILL, Camera, halved
from hitpoint.model.video.detectors.changes import NAMES, Changes
from hitpoint.model.video.detectors.motion import Motion
from hitpoint.model.video.types import LOUD_BEAT, letter
from tests.model.video.conftest import draw

RATE = 24.0


def picture(seed=0, height=72, width=128):
    """A picture with structure everywhere."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(30, 220, (height // 8, width // 8)).astype(np.uint8)
    return cv2.GaussianBlur(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST), (0, 0), 1.0)


def shifted(luma, x, y):
    return cv2.warpAffine(luma, np.float32([[1, 0, x], [0, 1, y]]), luma.shape[::-1], borderMode=cv2.BORDER_REFLECT)


def moved_by(*lumas):
    """The camera's motion (n, 3, 3) to each picture from the one before; the first stands still."""
    stack = np.stack(lumas)
    moved = Camera(*stack.shape[1:]).measure(stack, halved(stack), np.ones(len(stack) - 1))
    return np.concatenate([STILL[None], moved])


@pytest.mark.parametrize("step", [(2.0, 0.0), (0.0, -1.5), (-5.0, 3.0), (0.3, 0.2)])
def test_the_camera_is_followed(step):
    moved = moved_by(picture(), shifted(picture(), *step))[1]
    assert (moved @ [64, 36, 1])[:2] - [64, 36] == pytest.approx(step, abs=0.1)
    assert np.abs(moved[:2, :2] - np.eye(2)).max() < 0.01


def test_a_large_thing_before_a_plain_wall_is_no_camera():
    def wall(x):
        luma = np.full((72, 128), 90, np.uint8)
        luma[20:52, x : x + 40] = picture(3)[20:52, :40]
        return luma

    assert np.array_equal(moved_by(wall(40), wall(43))[1], STILL)


def test_a_pan_between_black_bars_is_a_camera_that_moves():
    """The edge of a bar stands still, and is the strongest corner there is."""
    bars, motion = np.full((96, 128), 16, np.uint8), Motion()
    for frame in range(40):
        luma = bars.copy()
        luma[12:84] = shifted(picture(), 1.5 * frame, 0)
        motion.measure(frames.Frame(frame / 30, luma, np.zeros((96, 128, 3), np.uint8)))
    camera = motion.finish()["camera"]
    assert np.median(camera[5:, :, 0]) == pytest.approx(1.5 / 128, rel=0.1)


def test_bars_are_left_out_and_what_is_seen_in_them_is_not():
    def frame(top, bottom, level=120):
        luma = np.full((96, 128), 16, np.uint8)
        luma[top:bottom] = level
        return luma

    bars = Bars()
    assert bars.without(frame(40, 60, 30)).shape == (96, 128), "too dark to tell"
    assert bars.without(frame(12, 84)).shape == (70, 128)
    assert bars.without(frame(30, 66)).shape == (70, 128), "a dark shot cuts nothing off"
    assert bars.without(frame(12, 90)).shape == (96, 128), "something is written in the bar"
    assert Bars().without(frame(45, 51)).shape == (96, 128), "a title on black"
    assert Bars().without(frame(20, 96)).shape == (96, 128), "a dark sky"


def watched(places, shake=0.0, seed=1, size=5):
    """Rows of `Changes` for a bright square whose middle is at `places` (x, y), one a frame of 30 a second."""
    rng = np.random.default_rng(seed)
    lumas = []
    for x, y in places:
        luma = picture(seed) // 2
        cv2.rectangle(luma, (int(x) - size // 2, int(y) - size // 2), (int(x) + size // 2, int(y) + size // 2), 230, -1)
        lumas.append(shifted(luma, *rng.normal(0, shake, 2)) if shake else luma)
    moved, changes = moved_by(*lumas), Changes()
    for first in range(0, len(lumas), 7):
        block = slice(first, min(first + 7, len(lumas)))
        times_s = np.arange(block.start, block.stop) / 30
        changes.measure(np.stack(lumas[block]), times_s, moved[block], np.ones(len(times_s)))
    return changes.finish()


def column(rows, name):
    return rows[:, NAMES.index(name)]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("shake", [0.0, 0.25])
@pytest.mark.parametrize("speed", [2, 5, 9])
def test_a_turn_shows_at_any_speed_before_any_background(speed, shake, seed):
    places = [(64, 60 - speed * min(abs(frame - 15), 6)) for frame in range(31)]
    rows = watched(places, shake, seed)
    turns = column(rows, "turn")
    assert int(np.argmax(turns)) == 15
    assert turns[15] > 3 * np.delete(turns, [14, 15, 16, 21, 9, 8, 22]).max() + 0.2


@pytest.mark.parametrize("speed", [2, 5, 9])
def test_a_stop_shows_on_its_frame_and_steady_motion_does_not(speed):
    places = [(10 + speed * min(frame, 12), 36) for frame in range(25)]
    rows = watched(places)
    stops = column(rows, "stop")
    assert int(np.argmax(stops)) == 12
    assert stops[12] > 0.5
    assert stops[5:11].max() < 0.3 * stops[12] and column(rows, "turn")[5:11].max() < 0.3 * stops[12]


def test_motion_that_goes_over_to_another_thing_is_a_bend():
    """One comes and stays, the other leaves: nothing stops and nothing turns, but the middle of the change jumps."""
    places = [(20 + 4 * frame, 36) for frame in range(12)] + [(20 + 4 * frame + 12, 36) for frame in range(12, 22)]
    bends = column(watched(places), "bend")
    assert int(np.argmax(bends)) in (11, 12, 13)
    assert bends[3:9].max() < 0.3 * bends.max()


def rows_of(times_s, **moments):
    """Rows of NAMES, 0 but for a thing that moves all the time and the signs at the moments given."""
    rows = np.zeros((len(times_s), len(NAMES)), np.float32)
    rows[:, NAMES.index("change")] = 5.0
    for name, frames_ in moments.items():
        rows[frames_, NAMES.index(name)] = 5.0
    return rows


def beats_of(times_s, rows, breaks=(0,), **options):
    n = len(times_s)
    luma = options.pop("luma", np.full(n, 90, np.float32))
    is_new = np.ones(n, np.uint8)
    return visual_beats.find(times_s, rows, is_new, luma, np.array(breaks), **options)[0]


@pytest.mark.parametrize("even", [True, False])
def test_signs_become_beats_at_their_moment(even):
    times_s = np.arange(240) / RATE
    if not even:
        times_s = np.delete(times_s, np.arange(1, 240, 5))
    at = [40, 90, 150]
    beats = beats_of(times_s, rows_of(times_s, turn=at, turn_long=at))
    assert [beat.time_s for beat in beats] == pytest.approx(times_s[at], abs=0.011)
    assert {beat.kind for beat in beats} == {"turn"}
    assert all(beat.saliency >= LOUD_BEAT for beat in beats)


@pytest.mark.parametrize("size", [0.5, 4, 20])
def test_an_impact_is_one_however_large_what_moves(size):
    """A ball before the lens changes twenty times as much of the picture as one at the far end of a room."""
    times_s, at = np.arange(240) / RATE, [40, 90, 150]
    rows = size * rows_of(times_s, turn=at, turn_long=at)
    assert [beat.time_s for beat in beats_of(times_s, rows)] == pytest.approx(times_s[at], abs=0.011)


def test_a_cut_hides_what_is_next_to_it_over_repeated_frames_too():
    times_s = np.arange(240) / RATE
    rows = rows_of(times_s, turn=[119])
    rows[119, NAMES.index("rise")] = 160
    times_s[:120] -= 0.2  # the picture before the cut stood, and its repeats are left out
    assert beats_of(times_s, rows, breaks=(0, 120)) == ()


def test_a_cut_hides_what_is_next_to_it():
    times_s = np.arange(240) / RATE
    assert beats_of(times_s, rows_of(times_s, turn=[120], stop=[121]), breaks=(0, 120)) == ()


def test_a_fade_is_no_impact():
    times_s = np.arange(240) / RATE
    assert beats_of(times_s, rows_of(times_s, stop=[120]), quiet=[(4.8, 5.2)]) == ()


def test_gaps_are_kept_and_saliency_is_bounded():
    rng = np.random.default_rng(2)
    times_s = np.arange(2000) / RATE
    beats = beats_of(times_s, rng.uniform(0, 20, (2000, len(NAMES))).astype(np.float32))
    assert all(b.time_s - a.time_s >= visual_beats.MIN_GAP_S - 1e-9 for a, b in pairwise(beats))
    assert all(0 <= beat.saliency <= 1 and 0 <= beat.confidence <= 1 for beat in beats)


def test_restlessness_hides_what_does_not_rise_above_it():
    rng = np.random.default_rng(3)
    times_s = np.arange(600) / RATE
    rows = np.abs(rng.normal(0, 1, (600, len(NAMES)))).astype(np.float32)
    loud = [beat for beat in beats_of(times_s, rows) if beat.saliency >= LOUD_BEAT]
    assert len(loud) <= 0.05 * 600 / RATE * 4


def test_a_film_of_hours_is_judged_in_pieces_as_if_in_one(monkeypatch):
    signs = np.random.default_rng(4).normal(0, 1, (900, visual_beats.COLUMNS)).astype(np.float32)
    whole = impact_network.judge(signs)
    monkeypatch.setattr(impact_network, "PIECE", 100)
    assert impact_network.judge(signs) == pytest.approx(whole, abs=1e-5)


def test_nothing_gives_nothing():
    times_s = np.arange(100) / RATE
    assert beats_of(times_s, np.zeros((100, len(NAMES)), np.float32)) == ()
    assert beats_of(times_s[:2], np.zeros((2, len(NAMES)), np.float32)) == ()


def test_a_slideshow_has_no_impact():
    times_s = np.arange(20) * 3.0
    assert beats_of(times_s, rows_of(times_s, stop=[5, 9])) == ()


def test_a_sudden_light_is_its_own_kind():
    times_s = np.arange(240) / RATE
    rows = rows_of(times_s, stop=[120])
    rows[119:122, NAMES.index("area")] = 0.9
    luma = np.where(np.arange(240) >= 120, 140, 90).astype(np.float32)
    kinds = [beat.kind for beat in beats_of(times_s, rows, luma=luma)]
    assert kinds == ["light"]


def cadence_of(shown, rate):
    """Which frames `Cadence` calls new; `shown` are numbers of pictures."""
    cadence, settled = Cadence(), []
    for index, number in enumerate(shown):
        luma = shifted(picture(), 2.0 * number, 0)
        settled += cadence.add(luma, index / rate, 1.0)
    settled += cadence.finish()
    assert [each.index for each in settled] == list(range(len(shown)))
    return np.array([each.is_new for each in settled])


def test_repeated_frames_count_once():
    shown = [int(frame * 24 / 60 + 1e-6) for frame in range(120)]
    first = np.flatnonzero(np.diff(shown, prepend=-1))
    assert np.array_equal(np.flatnonzero(cadence_of(shown, 60)), first)


def test_a_pause_is_no_repetition():
    shown = [*range(20), *[19] * 20, *range(20, 40)]
    assert cadence_of(shown, 30).all()


@pytest.mark.parametrize(("index", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ")])
def test_letters(index, name):
    assert letter(index) == name


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
    monkeypatch.setattr(frames.Shrinker, "shrink", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(frames.read_frames(path))
    assert not [t for t in threading.enumerate() if t.name == "hitpoint-decode"]


def test_a_decoder_that_stalls_is_given_up(tmp_path, monkeypatch):
    path = draw(tmp_path / "film.mp4")
    wake = threading.Event()

    def stalled(*_):
        wake.wait(20)
        yield from ()

    monkeypatch.setattr(frames, "decode", stalled)
    monkeypatch.setattr(frames, "STALL_S", 0.3)
    try:
        with pytest.raises(InputError, match="gave no frame"):
            list(frames.read_frames(path))
    finally:
        wake.set()
