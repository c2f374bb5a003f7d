"""What every plan keeps, whatever the picture: the end, the hits, the densities, the seed."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.music.score import GENRES, MAX_STRENGTH
from hitpoint.model.network.conditions import controls_of_plan
from hitpoint.model.plan import build
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.video.types import Boundary

seconds = st.floats(0.3, 90.0)
shares = st.lists(st.floats(0.0, 1.0), max_size=60)
wished = st.builds(
    Wishes,
    genre=st.sampled_from(GENRES),
    instruments=st.sets(st.integers(0, 4), min_size=1).map(lambda chosen: tuple(sorted(chosen))),
    tempo_bpm=st.sampled_from([None, (120.0, 120.0), (97.3, 97.3), (90.0, 140.0), (100.0, 104.0)]),
    control=st.sampled_from([0.0, 0.3, 0.7, 1.0]),
    seed=st.integers(0, 5),
    energy=st.sampled_from([-0.5, 0.0, 0.4]),
    density=st.sampled_from([-8, 0, 8]),
)


def check(plan: Plan) -> None:
    """The promises of plan/types.py."""
    tempo_map, bars = plan.tempo_map, plan.bars
    assert abs(tempo_map.time_at_tick(0, plan.end_tick) - plan.duration_s) < 1e-6
    assert 1 <= plan.last_bar_ticks <= 20 and (len(bars) == 1 or plan.last_bar_ticks >= 5)
    assert tempo_map.points[0].time_s == 0.0 and tempo_map.points[0].beat == 0.0
    for point, following in pairwise(tempo_map.points):
        assert following.time_s > point.time_s and following.beat > point.beat
        assert abs(point.time_s + (following.beat - point.beat) * 60.0 / point.bpm - following.time_s) < 1e-7
    assert all(np.isfinite(point.bpm) and point.bpm > 0 for point in tempo_map.points)
    assert [bar.index for bar in bars] == list(range(len(bars)))
    assert plan.sections[0].first_bar == 0 and plan.sections[-1].end_bar == len(bars)
    assert all(section.end_bar == following.first_bar for section, following in pairwise(plan.sections))
    limit = max(MAX_STRENGTH[index] for index in plan.instruments)
    for bar in bars:
        ticks = [tick for tick, _ in bar.required]
        assert ticks == sorted(set(ticks)) and all(0 <= tick < 16 for tick in ticks)
        assert all(1 <= strength <= limit for _, strength in bar.required)
        assert bar.density is None or max(1, len(ticks)) <= bar.density <= 16
        assert bar.density_told is not None and bar.density in (None, bar.density_told)
        assert not set(dict(bar.required)) & set(dict(bar.required_told))
        assert 0.0 <= bar.energy <= 1.0
    for bar, following in pairwise(bars):
        assert bar.swell[1] == following.swell[0], "loudness has no step at a bar line"
    for bar in bars:
        section = plan.sections[bar.section]
        assert section.first_bar <= bar.index < section.end_bar
    for hit in plan.hits:
        off_s = abs(tempo_map.time_at_tick(hit.bar, hit.tick) - hit.time_s)
        assert off_s <= (0.02 if hit.kind == "beat" and hit.saliency < 0.75 else 0.04)
        assert hit.bar < len(bars) - 1 or hit.tick < plan.last_bar_ticks
        assert hit.strength is None or (hit.tick, hit.strength) in bars[hit.bar].required
    assert sum(hit.strength is not None for hit in plan.hits) == sum(len(bar.required) for bar in bars)


@settings(max_examples=25, deadline=None)
@given(duration_s=seconds, cuts=shares, beats=shares, motion=st.lists(st.floats(0.0, 2.0), min_size=1), wishes=wished)
def test_any_film_any_wishes(rhythm, duration_s, cuts, beats, motion, wishes):
    film = rhythm(
        duration_s,
        cuts_s=tuple(sorted(share * duration_s for share in cuts)),
        beats_s=tuple(sorted(share * duration_s for share in beats)),
        motion=tuple(motion),
    )
    plan = build_plan(film, wishes)
    check(plan)
    assert plan == build_plan(film, wishes)


def test_control_binds_all_none_and_only_ever_more(rhythm):
    film = rhythm(cuts_s=tuple(np.arange(1.3, 59, 2.1)), beats_s=tuple(np.arange(0.5, 60, 0.7)), motion=(0.1, 0.4, 0.2))
    plans = [build_plan(film, Wishes(control=c, cut_control=c, seed=3)) for c in (0.0, 0.2, 0.5, 0.8, 1.0)]
    for plan in plans:
        check(plan)
        assert [replace(hit, strength=None, accent=None) for hit in plan.hits] == [
            replace(hit, strength=None) for hit in plans[0].hits
        ]
    assert all(bar.density is None and not bar.required for bar in plans[0].bars)
    assert all(bar.density is not None for bar in plans[-1].bars)
    last = len(plans[-1].bars) - 1
    rings = [hit for hit in plans[-1].hits if hit.kind == "beat" and hit.bar == last and hit.tick > 8]
    assert all(hit.strength is not None for hit in plans[-1].hits if hit not in rings), "all but behind the last chord"
    for less, more in pairwise(plans):
        assert all(b.density is not None for a, b in zip(less.bars, more.bars, strict=True) if a.density is not None)
        assert all(set(a.required) <= set(b.required) for a, b in zip(less.bars, more.bars, strict=True))
    bound = [sum(bar.density is not None for bar in plan.bars) for plan in plans]
    assert bound == sorted(set(bound)), "each step of C binds some more"


def test_cuts_bind_first_and_what_is_free_is_told(rhythm):
    film = rhythm(cuts_s=tuple(np.arange(1.3, 59, 3.7)), beats_s=tuple(np.arange(0.5, 60, 0.7)), motion=(0.1, 0.9))
    shares = []
    for control in (0.0, 0.25, 0.5, 0.7, 1.0):
        plan = build_plan(film, Wishes(control=control, seed=3))
        cuts = [hit.strength is not None for hit in plan.hits if hit.kind == "cut"]
        shares.append(np.mean(cuts))
        told = [(bar.index, tick) for bar in plan.bars for tick, _ in (*bar.required, *bar.required_told)]
        assert sorted(told) == [(hit.bar, hit.tick) for hit in plan.hits]
        table = controls_of_plan(plan)
        assert (table.density > 0).all() and (table.required > 0).sum() == len(plan.hits)
    assert shares[0] == 0.0 < shares[1] < 1.0 and shares[2:] == [1.0, 1.0, 1.0]
    paper = build_plan(film, Wishes(control=1.0, cut_control=0.3))
    assert any(hit.strength is None for hit in paper.hits if hit.kind == "cut")
    assert all(hit.strength is not None for hit in paper.hits if hit.kind == "beat")


def test_every_cut_is_bound_by_default(rhythm):
    bound, cuts = 0, 0
    for seed in range(8):
        random = np.random.default_rng(seed)
        cuts_s = np.cumsum(np.maximum(0.4, random.lognormal(np.log(3.0) - 0.18, 0.6, 40)))
        cuts_s = tuple(cuts_s[cuts_s < 39.5].tolist())
        plan = build_plan(
            rhythm(40.0, cuts_s=cuts_s, seed=seed, beats_s=tuple(np.arange(0.3, 40, 0.61))), Wishes(seed=seed)
        )
        hits = [hit for hit in plan.hits if hit.kind == "cut" and hit.strength is not None]
        bound, cuts = bound + len(hits), cuts + len(cuts_s)
        assert len(hits) == len(cuts_s) or any("not hit (at" in change for change in plan.changes)
    assert bound >= 0.95 * cuts


def test_a_cut_every_half_second_one_in_two_minutes_and_hits_at_the_edges(rhythm):
    flood = build_plan(rhythm(20.0, cuts_s=tuple(np.arange(0.5, 20.0, 0.5).tolist())), Wishes())
    check(flood)
    assert sum(hit.strength is not None for hit in flood.hits) >= 0.95 * 39
    for cuts_s in ((61.7,), (0.2,), (119.8,), (0.2, 119.8)):
        plan = build_plan(rhythm(120.0, cuts_s=cuts_s), Wishes(control=0.0, cut_control=1.0))
        check(plan)
        assert len(plan.hits) == len(cuts_s) and all(hit.strength is not None for hit in plan.hits)


@pytest.mark.parametrize("genre", GENRES)
def test_energy_and_density_do_what_they_say(rhythm, genre):
    film = rhythm(30.0, cuts_s=(7.3, 19.1), motion=(0.05, 0.4, 0.1))
    for name, values in (("energy", (-0.5, 0.0, 0.5)), ("density", (-4, 0, 4))):
        plans = [build_plan(film, Wishes(genre=genre, control=1.0, **{name: value})) for value in values]
        onsets = [np.mean([bar.density for bar in plan.bars]) for plan in plans]
        assert onsets[0] < onsets[1] < onsets[2] and onsets[2] > 1.3 * onsets[0]
        assert len({plan.tempo_map for plan in plans}) == 1, "a live control must not change the tempo"
        if name == "energy":
            levels = [[bar.energy_at(8) for bar in plan.bars] for plan in plans]
            assert np.diff(levels, axis=0).min() == pytest.approx(0.5), "in every bar alike, whatever the scale holds"


def test_a_tempo_asked_for_leaves_a_last_bar_that_is_planned_for_its_length(rhythm):
    for duration_s in (27.1, 28.0, 29.0, 30.3):
        plan = build_plan(rhythm(duration_s, cuts_s=(3.3, 9.0, duration_s - 0.7)), Wishes(tempo_bpm=(90.0, 90.0)))
        check(plan)
        assert plan.bars[-1].density_told <= plan.last_bar_ticks


def test_another_seed_binds_other_bars(rhythm):
    film = rhythm(cuts_s=(10.0, 20.0, 30.0))
    assert build_plan(film, Wishes(seed=1)).bars != build_plan(film, Wishes(seed=2)).bars


def test_static_film_without_cuts_is_calm_and_steady(rhythm):
    plan = build_plan(rhythm(motion=(0.0,)), Wishes(control=1.0))
    check(plan)
    assert not plan.hits and not plan.changes
    assert len(plan.tempo_map.points) == 1
    densities = [bar.density for bar in plan.bars]
    assert len(set(densities[:-1])) == 1 and densities[0] <= 9
    assert plan.tempo_map.points[0].bpm < 90.0


def test_more_motion_makes_busier_bars(rhythm):
    plan = build_plan(rhythm(motion=(0.05, 0.4, 0.05, 0.1)), Wishes(control=1.0))
    quarter = len(plan.bars) // 4
    middle = [bar.density for bar in plan.bars[quarter + 1 : 2 * quarter - 1]]
    first = [bar.density for bar in plan.bars[: quarter - 1]]
    assert min(middle) >= 1.6 * max(first)


def test_density_does_not_depend_on_the_scale_of_motion(rhythm):
    levels = (0.2, 0.8, 0.4, 0.6)
    small = build_plan(rhythm(motion=levels), Wishes(control=1.0))
    large = build_plan(rhythm(motion=tuple(2 * level for level in levels)), Wishes(control=1.0))
    assert small.bars == large.bars


@pytest.mark.parametrize("duration_s", [0.04, 0.3, 1.0, 2.0, 3.2, 4.0, 5.5])
def test_very_short_clips_end_on_a_bar_line_and_say_so(rhythm, duration_s):
    plan = build_plan(rhythm(duration_s, cuts_s=(duration_s / 2,)), Wishes(control=1.0))
    check(plan)
    whole = plan.last_bar_ticks == 16
    assert whole or any("bar is" in change for change in plan.changes)


def test_one_second_is_one_bar(rhythm):
    plan = build_plan(rhythm(1.0), Wishes(control=1.0))
    assert len(plan.bars) == 1 and plan.last_bar_ticks == 5
    assert plan.changes == ("the only bar is 1.25 beats long, so that the music ends with the clip at 75 BPM",)


def test_half_an_hour_with_five_hundred_cuts(rhythm):
    cuts_s = np.sort(np.random.default_rng(5).uniform(0.5, 1799.5, 500))
    plan = build_plan(rhythm(1800.0, cuts_s=tuple(cuts_s.tolist())), Wishes(control=1.0))
    assert abs(plan.tempo_map.time_at_tick(0, plan.end_tick) - 1800.0) < 1e-6
    assert len(plan.hits) > 400


def test_cuts_at_the_edges_and_twice_at_one_time(rhythm):
    film = rhythm(20.0, cuts_s=(0.0, 0.0, 5.0, 5.0, 5.001, 19.999, 20.0), beats_s=(0.0, 5.0, 20.0))
    plan = build_plan(film, Wishes(control=1.0))
    check(plan)
    assert len([hit for hit in plan.hits if abs(hit.time_s - 5.0) < 0.1]) <= 1


def test_more_cuts_than_a_bar_can_hold(rhythm):
    film = rhythm(20.0, cuts_s=tuple(np.arange(0.2, 20.0, 0.04).tolist()))
    plan = build_plan(film, Wishes(control=1.0, density=-8))
    check(plan)
    assert max(len(bar.required) for bar in plan.bars) <= 8
    assert any("busier" in change for change in plan.changes)
    assert any("not hit" in change for change in plan.changes)


def test_moments_outside_the_clip_and_not_numbers_are_left_out(rhythm):
    film = rhythm(20.0, cuts_s=(5.0,), motion=(float("nan"), 0.1))
    film = replace(film, boundaries=(*film.boundaries, Boundary(-1.0, "cut", 1.0), Boundary(25.0, "fade", 1.0)))
    plan = build_plan(film, Wishes(control=1.0))
    check(plan)
    assert {hit.time_s for hit in plan.hits} <= {5.0}


def test_accents_are_accents_where_the_instruments_allow(rhythm):
    film = rhythm(60.0, cuts_s=tuple(np.arange(2.0, 60.0, 4.0).tolist()))
    band = build_plan(film, Wishes(control=1.0))
    cuts = [hit for hit in band.hits if hit.kind == "cut"]
    assert len(cuts) >= 10 and all(hit.strength >= 3 for hit in cuts)
    bass = build_plan(film, Wishes(control=1.0, instruments=(3,)))
    assert {hit.strength for hit in bass.hits} == {1}


def test_the_last_bar_can_come_to_rest(rhythm):
    plan = build_plan(rhythm(30.0, motion=(0.1, 0.1, 0.1, 2.0)), Wishes(control=1.0, genre="electronic"))
    assert plan.bars[-1].density <= 8 < plan.bars[-2].density


def test_wishes_shift_density_and_energy(rhythm, monkeypatch):
    monkeypatch.setattr(build, "arrange", lambda plan, accents, tune: plan)  # who plays changes with the energy as well
    film = rhythm(60.0, motion=(0.1, 0.2, 0.3))
    plain = build_plan(film, Wishes(control=1.0))
    busier = build_plan(film, Wishes(control=1.0, density=2, energy=0.2))
    assert all(
        min(16, a.density + 3) <= b.density <= min(16, a.density + 4)
        for a, b in zip(plain.bars[:-1], busier.bars[:-1], strict=True)
    ), "two by the one wish, one and a half by the other"
    assert all(
        b.energy == pytest.approx(min(1.0, a.energy + 0.2), abs=1e-3)
        for a, b in zip(plain.bars, busier.bars, strict=True)
    )


def test_drums_and_bass_alone_are_planned_for_what_they_play(rhythm):
    film = rhythm(60.0, motion=(0.1, 0.2, 0.3, 0.4))
    band = build_plan(film, Wishes(control=1.0))
    bass = build_plan(film, Wishes(control=1.0, instruments=(3,)))
    assert sum(bar.density for bar in bass.bars) < 0.7 * sum(bar.density for bar in band.bars)


@pytest.mark.parametrize("duration_s", [0.0, -1.0, float("nan"), float("inf")])
def test_a_clip_without_length_is_refused(rhythm, duration_s):
    with pytest.raises(InputError, match="no length"):
        build_plan(replace(rhythm(), duration_s=duration_s), Wishes())


def test_wishes_out_of_range_are_refused(rhythm):
    for wrong in (
        Wishes(genre="polka"),
        Wishes(instruments=()),
        Wishes(instruments=(7,)),
        Wishes(tempo_bpm=(140.0, 90.0)),
        Wishes(tempo_bpm=(0.0, 90.0)),
        Wishes(control=1.1),
        Wishes(control=float("nan")),
        Wishes(max_deviation=0.9),
        Wishes(seed=-1),
    ):
        with pytest.raises(UsageError):
            build_plan(rhythm(), wrong)


def test_an_orchestra_has_no_kit_unless_drums_are_named(rhythm):
    film = rhythm(20.0, cuts_s=(7.3,))
    assert build_plan(film, Wishes(genre="orchestral")).instruments == (1, 3, 4)
    assert build_plan(film, Wishes(genre="orchestral", instruments=(0, 4))).instruments == (0, 4)
    assert 0 in build_plan(film, Wishes(genre="rock")).instruments
