"""The tempo map: how far it bends, in what steps, what it hits, and how it ends."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitpoint.model.plan.hits.weights import Moment
from hitpoint.model.plan.tempo.fit import fit_tempo
from hitpoint.model.plan.tempo.grid import Weighed
from hitpoint.model.plan.tempo.planner import plan_tempo
from hitpoint.model.plan.types import Wishes

STILL = np.zeros(10, np.float32)
LIVELY = np.full(10, 0.5, np.float32)


def moments(seed: int, duration_s: float = 60.0, mean_s: float = 3.45) -> list[Moment]:
    random = np.random.default_rng(seed)
    times_s = np.cumsum(np.maximum(0.4, random.lognormal(np.log(mean_s) - 0.18, 0.6, 200)))
    return cuts(*times_s[times_s < duration_s - 0.4].tolist())


def cuts(*times_s: float) -> list[Moment]:
    return [Moment(float(time_s), "cut", 0.5, 0.8) for time_s in times_s]


def beats(*times_s: float) -> list[Moment]:
    return [Moment(float(time_s), "beat", 0.9, 0.25) for time_s in times_s]


def plan(seen, duration_s=60.0, motion=STILL, **wished):
    return plan_tempo(seen, motion, duration_s, Wishes(**wished))


def end_s(tempo) -> float:
    return tempo.tempo_map.time_at_tick(tempo.bars - 1, tempo.last_bar_ticks)


def bend_within_two_bars(tempo) -> float:
    """The largest ratio between two tempi that hold within two bars of each other, less 1."""
    points = tempo.tempo_map.points
    ends = [*(point.beat for point in points[1:]), 4.0 * tempo.bars]
    worst = 0.0
    for index, point in enumerate(points):
        for other in points[index + 1 :]:
            if other.beat - ends[index] < 8.0:
                worst = max(worst, point.bpm / other.bpm - 1.0, other.bpm / point.bpm - 1.0)
    return worst


def off_s(tempo, moment) -> float:
    tick = round(tempo.tempo_map.beat_at_time(moment.time_s) * 4)
    return abs(tempo.tempo_map.time_at_tick(0, tick) - moment.time_s)


@settings(max_examples=40, deadline=None)
@given(
    duration_s=st.floats(5.0, 70.0),
    shares=st.lists(st.floats(0.02, 0.98), max_size=24),
    deviation=st.sampled_from([0.03, 0.03, 0.06]),
)
def test_any_cuts_the_end_is_exact_and_no_tempo_jerks(duration_s, shares, deviation):
    seen = cuts(*sorted(share * duration_s for share in shares))
    tempo = plan(seen, duration_s, max_deviation=deviation)
    assert end_s(tempo) == pytest.approx(duration_s, abs=1e-6)
    assert bend_within_two_bars(tempo) <= deviation + 1e-9
    for point, following in pairwise(tempo.tempo_map.points):
        assert following.beat - point.beat >= 4.0 and following.beat % 4 == 0, "one tempo a bar at most"


@pytest.mark.parametrize("a_minute", [4, 9, 14, 20])
def test_cuts_meet_a_sixteenth(a_minute):
    met, all_cuts = 0, 0
    for seed in range(6):
        seen = moments(seed, mean_s=60.0 / a_minute)
        tempo = plan(seen)
        met += sum(off_s(tempo, cut) <= 0.04 for cut in seen)
        all_cuts += len(seen)
    assert met >= 0.95 * all_cuts


def test_hits_prefer_beats():
    on_beat, chance = [], []
    for seed in range(8):
        seen = moments(seed)
        tempo = plan(seen)
        beats_s = np.array([tempo.tempo_map.time_at_beat(beat) for beat in range(4 * tempo.bars + 1)])
        on_beat.append(np.mean([np.abs(beats_s - cut.time_s).min() <= 0.02 for cut in seen]))
        chance.append(0.04 * tempo.base_bpm / 60.0)
    assert np.mean(on_beat) > 3.5 * np.mean(chance)


def test_weak_moments_are_let_go_before_the_tempo_jerks():
    seen = cuts(*np.arange(0.37, 20.0, 0.31).tolist())
    tempo = plan(seen, 20.0)
    assert bend_within_two_bars(tempo) <= 0.03
    assert any(off_s(tempo, cut) > 0.04 for cut in seen)


def test_cuts_that_keep_time_give_their_own_tempo():
    seen = cuts(*(4 * 60 / 110.0 * bar for bar in range(1, 20)))
    tempo = plan(seen, 20 * 4 * 60 / 110.0)
    assert tempo.bars == 20
    assert all(point.bpm == pytest.approx(110.0, rel=2e-3) for point in tempo.tempo_map.points)


def test_beats_that_keep_time_give_their_own_tempo_and_others_none():
    steady = plan(beats(*np.arange(0.5, 39.9, 0.5).tolist()), 40.0)
    assert steady.base_bpm in (pytest.approx(60.0, rel=0.01), pytest.approx(120.0, rel=0.01))
    random = np.random.default_rng(4)
    chosen = {round(plan(beats(*np.sort(random.uniform(1, 39, 12)).tolist()), 40.0).base_bpm, 1) for _ in range(4)}
    assert all(60.0 <= bpm <= 90.0 for bpm in chosen)


def test_a_tempo_that_can_stay_stays():
    tempo = plan(cuts(2.5, 5.0, 8.75, 10.0, 12.5, 15.0, 20.0, 22.5, 27.5), 30.0)
    assert len(tempo.tempo_map.points) == 1


@pytest.mark.parametrize("duration_s", [5.0, 12.0, 20.0, 61.3])
def test_a_still_card_and_two_slow_fades_are_slow(duration_s):
    fades = [Moment(share * duration_s, "fade", 0.9, 0.9) for share in (0.31, 0.68)]
    stray = beats(0.8 * duration_s)
    for seen in ([], stray, fades, [*fades, *stray]):
        assert 60.0 <= plan(seen, duration_s).base_bpm <= 100.0


def test_many_cuts_and_quick_motion_are_reasons_to_hurry():
    calm, lively = plan([]), plan(moments(3, mean_s=1.2))
    assert calm.base_bpm < 84.0 < 100.0 < lively.base_bpm
    assert calm.base_bpm < plan([], motion=LIVELY).base_bpm <= 100.0


def test_another_frame_rate_does_not_change_the_tempo():
    for seed in range(6):
        seen = moments(seed, mean_s=6.0)
        base = plan(seen).base_bpm
        for fps in (24.0, 25.0, 60.0):
            framed = cuts(*(round(cut.time_s * fps) / fps for cut in seen))
            assert plan(framed, motion=STILL + 0.002).base_bpm == pytest.approx(base, rel=0.06)


def test_a_tempo_that_must_not_bend_does_not():
    tempo = plan(moments(1), max_deviation=0.0)
    assert len(tempo.tempo_map.points) == 1
    assert end_s(tempo) == pytest.approx(60.0, abs=1e-6)


@pytest.mark.parametrize("bpm", [60.0, 90.0, 97.3, 120.0, 174.0])
@pytest.mark.parametrize("duration_s", [11.0, 28.0, 59.95, 61.2])
def test_a_tempo_asked_for_stays_to_the_end(duration_s, bpm):
    tempo = plan(moments(2, duration_s), duration_s, tempo_bpm=(bpm, bpm))
    assert len(tempo.tempo_map.points) <= 2
    assert all(point.bpm == pytest.approx(bpm, rel=0.02) for point in tempo.tempo_map.points)
    assert tempo.tempo_map.points[-1].bpm == pytest.approx(bpm, rel=0.012), "to the end"
    assert end_s(tempo) == pytest.approx(duration_s, abs=1e-6)
    assert 5 <= tempo.last_bar_ticks <= 20
    assert bool(tempo.changes) == (tempo.last_bar_ticks != 16)


def test_a_fixed_tempo_is_rounded_to_meet_the_cuts():
    met, by_chance = 0, 0
    for seed in range(10):
        seen = moments(seed)
        for tempo, rounded in ((plan(seen, tempo_bpm=(96.0, 96.0)), True), (plan([], tempo_bpm=(96.0, 96.0)), False)):
            hits = sum(off_s(tempo, cut) <= 0.04 for cut in seen)
            met, by_chance = met + hits * rounded, by_chance + hits * (not rounded)
    assert met > 1.15 * by_chance


def test_a_range_holds_the_base_tempo():
    for seed in range(5):
        assert 150.0 <= plan(moments(seed), tempo_bpm=(150.0, 160.0)).base_bpm <= 160.0


@pytest.mark.parametrize("duration_s", [0.04, 0.3, 1.0, 2.0, 3.2])
def test_a_clip_of_less_than_a_bar_or_two_keeps_a_tempo_one_can_play(duration_s):
    tempo = plan([], duration_s)
    assert end_s(tempo) == pytest.approx(duration_s, abs=1e-6)
    assert duration_s < 0.2 or 55.0 <= tempo.base_bpm <= 110.0


def test_a_light_cut_is_met_by_another_tempo_where_those_like_the_best_leave_it_out():
    ruling = Weighed(np.array([3.4583, 5.5417, 8.5]), np.array([0.56, 0.99, 0.99]))
    seen = Weighed(np.array([1.56, 3.4583, 5.5417, 8.5, 9.71]), np.array([0.23, 0.56, 0.99, 0.99, 0.3]))
    best = fit_tempo(ruling, seen, 10.0, (60.0, 140.0), 107.2, 0.03)[0]
    for time_s in ruling.times_s:
        bar = int(np.searchsorted(best.lines_s, time_s, side="right")) - 1
        ticks_s = np.linspace(best.lines_s[bar], best.lines_s[bar + 1], 17)
        assert np.abs(ticks_s - time_s).min() <= 0.04
