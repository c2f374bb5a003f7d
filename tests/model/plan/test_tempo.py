"""The tempo map: how far it bends, in what steps, and what it hits."""

import numpy as np
import pytest

from hitpoint.model.plan.tempo_map import plan_tempo
from hitpoint.model.plan.types import Wishes
from hitpoint.model.plan.weights import Moment


def moments(seed: int, duration_s: float = 60.0, mean_s: float = 3.45) -> list[Moment]:
    random = np.random.default_rng(seed)
    times_s = np.cumsum(np.maximum(0.4, random.lognormal(np.log(mean_s) - 0.18, 0.6, 60)))
    return [Moment(float(time_s), "cut", 0.5, 1.0) for time_s in times_s[times_s < duration_s - 0.4]]


def bends(tempo) -> float:
    return max(abs(point.bpm / tempo.base_bpm - 1.0) for point in tempo.tempo_map.points)


def steps(tempo) -> list[float]:
    bpm = np.array([point.bpm for point in tempo.tempo_map.points])
    return np.abs(np.diff(np.log(bpm))).tolist()


@pytest.mark.parametrize("deviation", [0.02, 0.05, 0.08])
def test_the_tempo_bends_no_further_than_allowed(deviation):
    for seed in range(12):
        tempo = plan_tempo(moments(seed), 60.0, Wishes(max_deviation=deviation))
        assert not tempo.changes
        assert bends(tempo) <= deviation + 1e-6
        assert 80.0 <= tempo.base_bpm <= 140.0


def test_most_cuts_fall_on_a_beat_without_a_heard_step():
    on_beat, largest = [], []
    for seed in range(12):
        cuts = moments(seed)
        tempo = plan_tempo(cuts, 60.0, Wishes())
        beats_s = np.array([tempo.tempo_map.time_at_beat(beat) for beat in range(4 * tempo.bars + 1)])
        on_beat.append(np.mean([np.abs(beats_s - cut.time_s).min() <= 0.02 for cut in cuts]))
        largest.append(max(steps(tempo), default=0.0))
    assert np.mean(on_beat) > 0.7
    assert np.mean(largest) < 0.04 and max(largest) < 0.1


def test_cuts_that_keep_time_give_their_own_tempo():
    cuts = [Moment(4 * 60 / 110.0 * bar, "cut", 1.0, 1.0) for bar in range(1, 20)]
    tempo = plan_tempo(cuts, 20 * 4 * 60 / 110.0, Wishes())
    assert tempo.bars == 20
    assert all(point.bpm == pytest.approx(110.0, rel=2e-3) for point in tempo.tempo_map.points)


def test_a_tempo_that_can_stay_stays():
    cuts_s = (3.5, 5.5, 8.5, 10.0, 12.25, 13.25, 15.25, 18.25, 21.0, 24.5, 26.0, 29.5)
    tempo = plan_tempo([Moment(time_s, "cut", 0.5, 1.0) for time_s in cuts_s], 32.0, Wishes())
    assert [point.bpm for point in tempo.tempo_map.points] == pytest.approx([120.0])


def test_a_tempo_that_must_not_bend_ends_on_the_line_all_the_same():
    tempo = plan_tempo(moments(1), 60.0, Wishes(max_deviation=0.0))
    assert bends(tempo) <= 0.001 + 1e-9
    assert tempo.tempo_map.time_at_tick(tempo.bars) == pytest.approx(60.0, abs=1e-6)


@pytest.mark.parametrize(
    ("duration_s", "bars", "bent_bars"), [(60.0, 30, 0), (59.95, 30, 1), (60.3, 30, 3), (61.2, 30, 4)]
)
def test_a_fixed_tempo_bends_only_in_its_last_bars(duration_s, bars, bent_bars):
    tempo = plan_tempo(moments(2, duration_s), duration_s, Wishes(tempo_bpm=(120.0, 120.0)))
    assert tempo.bars == bars
    assert tempo.tempo_map.points[0].bpm == pytest.approx(120.0)
    assert tempo.tempo_map.time_at_tick(bars - bent_bars) == pytest.approx(2.0 * (bars - bent_bars))
    assert tempo.tempo_map.time_at_tick(bars) == pytest.approx(duration_s, abs=1e-6)
    assert bool(tempo.changes) == bool(bent_bars)


def test_a_range_holds_the_base_tempo():
    for seed in range(5):
        tempo = plan_tempo(moments(seed), 60.0, Wishes(tempo_bpm=(150.0, 160.0)))
        assert 150.0 <= tempo.base_bpm <= 160.0


def test_a_narrow_range_on_a_short_clip_widens_and_says_so():
    tempo = plan_tempo([], 3.2, Wishes())
    assert tempo.tempo_map.time_at_tick(tempo.bars) == pytest.approx(3.2, abs=1e-6)
    assert "bends by up to" in tempo.changes[0]


def test_many_cuts_make_a_livelier_tempo_than_none():
    calm = plan_tempo([], 60.0, Wishes())
    lively = plan_tempo(moments(3, mean_s=1.2), 60.0, Wishes())
    assert calm.base_bpm == pytest.approx(92.0, abs=1.0)
    assert lively.base_bpm > calm.base_bpm
