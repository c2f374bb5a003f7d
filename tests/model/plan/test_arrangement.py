"""Who plays, how hits are made heard, what leads into them, how it ends: and that all of it can be played."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from hitpoint.model.compose.cmt.composer import task_of
from hitpoint.model.compose.cmt.grammar import Ask, write_bar
from hitpoint.model.compose.cmt.leaning import Here, Place
from hitpoint.model.compose.cmt.presence import Fullness
from hitpoint.model.music.score import TICKS_PER_BAR, Score
from hitpoint.model.output.report import control_errors
from hitpoint.model.perform.perform import perform_all
from hitpoint.model.plan.arrangement.players import BASS
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.types import ACCENT_KINDS, Plan, Wishes


def written(plan: Plan, seed: int = 0) -> Score:
    """The plan with any notes that its masks allow: what holds here holds for every network."""
    rng = np.random.default_rng(seed)
    bars = []
    for index in range(len(plan.bars)):
        writer = write_bar(task_of(plan, index))
        try:
            request = next(writer)
            while True:
                if isinstance(request, Ask):
                    assert request.mask.any(), f"nothing is allowed for {request.attribute} in bar {index}"
                request = writer.send(int(rng.choice(np.flatnonzero(request.mask))) if isinstance(request, Ask) else 0)
        except StopIteration as stop:
            bars.append(stop.value)
    return Score(perform_all(bars, plan), plan.tempo_map, plan.genre, plan.instruments, plan.seed)


def at(hit) -> int:
    return hit.bar * TICKS_PER_BAR + hit.tick


def onsets(score: Score) -> dict[int, list]:
    found: dict[int, list] = {}
    for bar in score.bars:
        for note in bar.notes:
            found.setdefault(bar.index * TICKS_PER_BAR + note.tick, []).append(note)
    return found


FILMS = {
    "plain": {"cuts_s": (5.1, 11.0, 18.2, 24.4, 31.0, 38.9, 47.0), "beats_s": tuple(np.arange(0.6, 59, 1.9))},
    "a cut every half second": {"duration_s": 30.0, "cuts_s": tuple(np.arange(0.5, 29.9, 0.5))},
    "one cut in two minutes": {"duration_s": 120.0, "cuts_s": (61.3,)},
    "first and last beat": {"duration_s": 20.0, "cuts_s": (0.3, 19.6)},
    "a second": {"duration_s": 1.0, "cuts_s": (0.5,)},
    "a still": {"duration_s": 8.0, "motion": (0.0,)},
    "fades": {"duration_s": 40.0, "cuts_s": (10.0, 20.0, 39.5), "kinds": ("fade",) * 3},
    "three speeds": {"motion": (0.01, 0.3, 0.02, 0.4), "cuts_s": (15.0, 30.0, 45.0)},
}


@pytest.mark.parametrize("name", FILMS)
@pytest.mark.parametrize("instruments", [(0, 1, 2, 3, 4), (0,), (4,), (0, 4), (1, 3), (0, 1, 3)])
def test_whatever_is_played_the_plan_is_kept(rhythm, name, instruments):
    for control, accents in ((1.0, 1.0), (0.0, 1.0), (0.7, 2.0)):
        wishes = Wishes(instruments=instruments, control=control, accents=accents, seed=4)
        plan = build_plan(rhythm(**FILMS[name]), wishes)
        score = written(plan, 1)
        errors = control_errors(score, plan)
        assert errors["density"] == errors["strength"] == 0
        for bar, asked in zip(score.bars, plan.bars, strict=True):
            assert {note.instrument for note in bar.notes} <= set(asked.instruments or instruments)
            heard = {(note.tick, note.instrument): note for note in bar.notes}
            assert set(asked.entries) <= set(heard)
            assert {(n.tick, n.instrument, n.pitch) for n in asked.scored} <= {
                (n.tick, n.instrument, n.pitch) for n in bar.notes
            }


def test_a_hit_is_louder_than_what_surrounds_it_and_has_space_before(rhythm):
    plan = build_plan(rhythm(**FILMS["plain"]), Wishes(control=1.0, seed=1))
    cuts = [hit for hit in plan.hits if hit.kind == "cut" and hit.accent is not None]
    assert len(cuts) >= 4
    found = onsets(written(plan))
    promised = {at(hit) for hit in plan.hits}
    for hit in cuts:
        tick, accent = at(hit), hit.accent
        assert accent.kind in ACCENT_KINDS and 0 < accent.size <= 1
        assert not any(tick - back in found for back in range(1, accent.breath_ticks + 1))
        if accent.kind == "crash":
            assert {36} < {note.pitch for note in found[tick] if note.instrument == 0}
        curve = [pair for bar in plan.bars for pair in bar.dynamics]
        near = [curve[t] for t in range(max(0, tick - 4), tick) if t not in promised]
        assert all(sum(curve[tick]) > sum(pair) and curve[tick][1] > pair[1] + 9 for pair in near)
    assert sum(hit.accent.breath_ticks >= 2 for hit in cuts) >= len(cuts) / 2


def test_a_crash_falls_on_eighths_alone(rhythm):
    """In no genre's songs does a crash stand between eighths in more than two of a thousand bars."""
    struck = [
        (note.tick % 2, note.pitch)
        for film in FILMS.values()
        for bar in build_plan(rhythm(**film), Wishes(control=1.0, seed=1, tempo_bpm=(97.0, 97.0))).bars
        for note in bar.scored
        if note.instrument == 0
    ]
    assert not {(1, 49), (1, 57)} & set(struck)
    assert {(0, 49), (0, 57)} & set(struck)


def test_accents_scale_and_zero_leaves_hits_bare(rhythm):
    plans = [build_plan(rhythm(**FILMS["plain"]), Wishes(control=1.0, accents=a, seed=1)) for a in (0.0, 0.5, 1.0, 2.0)]
    assert all(hit.accent is None for hit in plans[0].hits)
    assert not any(bar.scored or bar.lead for bar in plans[0].bars)
    sizes = [[hit.accent.size for hit in plan.hits if hit.kind == "cut"] for plan in plans[1:]]
    assert all(a < b < c for a, b, c in zip(*sizes, strict=True))
    strengths = [[hit.strength for hit in plan.hits] for plan in plans]
    assert all(each == strengths[0] for each in strengths), "how strong a hit is, is not the accents' affair"


def test_crowded_cuts_get_no_breath_that_hides_another(rhythm):
    plan = build_plan(rhythm(**FILMS["a cut every half second"]), Wishes(control=1.0))
    promised = {at(hit) for hit in plan.hits if hit.strength is not None}
    for hit in plan.hits:
        if hit.accent is not None:
            assert not promised & set(range(at(hit) - hit.accent.breath_ticks, at(hit)))
    crashes = [at(hit) for hit in plan.hits if hit.accent is not None and hit.accent.kind == "crash"]
    assert all(later - sooner >= 6 for sooner, later in itertools.pairwise(crashes))


@pytest.mark.parametrize("seed", range(6))
def test_it_ends_on_one_held_chord_without_drums(rhythm, seed):
    plan = build_plan(rhythm(**FILMS["plain"]), Wishes(control=1.0, seed=seed))
    last = written(plan, seed).bars[-1]
    promised = max((tick for tick, _ in plan.bars[-1].required), default=0)
    final = max(note.tick for note in last.notes)
    assert final <= max(8, promised)
    assert not [n for n in last.notes if n.instrument == 0 and n.tick >= 8 and n.tick != promised]
    assert len({n.tick for n in last.notes if n.instrument == 4}) <= 1, "strings are not struck again"
    held = [n for n in last.notes if n.tick == final and n.instrument]
    assert held and all(n.tick + n.duration_ticks == TICKS_PER_BAR for n in held)


def test_the_last_chord_may_be_a_whole_one_with_its_root_below_however_calm_it_is(rhythm):
    for seed in range(4):
        plan = build_plan(rhythm(40.0, cuts_s=(20.0,), motion=(0.4, 0.0)), Wishes(seed=seed))
        last = plan.bars[-1]
        assert BASS in last.instruments and not last.caps
        before, end = (
            Fullness.of(Here(plan, at)).lean("strength", Place(0, 1, 0, 1)) for at in (last.index - 1, last.index)
        )
        assert max(before.values()) < 0 < min(end.values())


def test_a_wish_for_density_asks_for_larger_chords_too(rhythm):
    film = rhythm(30.0, cuts_s=(15.0,))
    leans = []
    for density in (-4, 0, 4):
        plan = build_plan(film, Wishes(density=density))
        leans.append(Fullness.of(Here(plan, 3)).lean("strength", Place(0, 1, 0, 1))[4])
    assert leans[0] < leans[1] < leans[2]
    assert build_plan(film, Wishes()).bars[3].fullness == 0.0


def test_a_film_that_fades_out_fades_in_music(rhythm):
    plan = build_plan(rhythm(**FILMS["fades"]), Wishes(control=1.0))
    assert plan.ending == "fade"
    levels = [bar.dynamics[8][0] - 60 * bar.energy_at(8) for bar in plan.bars[-3:]]
    assert levels[0] > levels[1] > levels[2] - 0.1 and levels[0] - levels[2] > 20
    assert not [n for n in written(plan).bars[-1].notes if n.instrument == 0]


def test_players_come_and_go_with_the_picture(rhythm):
    changes = rests = bars = 0
    for seed in range(8):
        plan = build_plan(rhythm(**FILMS["three speeds"]), Wishes(control=1.0, seed=seed))
        starts = {section.first_bar for section in plan.sections if section.first_bar}
        sets = [set(bar.instruments) for bar in plan.bars]
        assert all(sets[b] != sets[b - 1] or sets[b] != sets[min(b + 1, len(sets) - 1)] for b in starts)
        changes += sum(a != b for a, b in itertools.pairwise(sets))
        rests += sum(5 - len(each) for each in sets)
        bars += len(sets)
        loud = max(range(len(sets)), key=lambda b: plan.bars[b].energy)
        assert len(sets[loud]) >= 4
        calm = min(range(len(sets)), key=lambda b: plan.bars[b].energy)
        assert len(sets[calm]) < len(sets[loud])
        assert all({1, 2} & each for each in sets), "somebody has the chords"
    assert 4 * changes / bars >= 0.3
    assert 0.1 <= rests / bars / 5 <= 0.5


def test_of_three_parts_nobody_is_left_alone(rhythm):
    for seed in range(4):
        plan = build_plan(rhythm(60.0, motion=(0.0, 0.01, 0.2)), Wishes(genre="orchestral", seed=seed, energy=-0.3))
        assert all(len(bar.instruments) >= 2 for bar in plan.bars)


def test_without_a_kit_the_bass_is_heard_in_every_bar_it_is_there_for(rhythm):
    there = bars = 0
    for seed in range(6):
        plan = build_plan(rhythm(60.0, cuts_s=(11.0, 31.0)), Wishes(genre="orchestral", seed=seed))
        for bar in plan.bars[:-1]:
            open_to_it = [tick for tick in range(bar.ticks) if (tick, BASS) not in bar.closed]
            if BASS in bar.instruments and open_to_it:
                assert (open_to_it[0], BASS) in bar.entries
            there, bars = there + (BASS in bar.instruments), bars + 1
    assert there > 0.4 * bars


def test_where_it_is_calm_a_rest_is_held_and_with_drums_it_is_silent(rhythm):
    stopped = {}
    for seed in range(12):
        for genre in ("orchestral", "rock"):
            plan = build_plan(rhythm(**FILMS["plain"]), Wishes(genre=genre, seed=seed))
            for bar in (each for each in plan.bars if each.lead == "rest"):
                closed = sorted({tick for tick, _ in bar.closed})
                if len(closed) == 8 and closed[-1] - closed[0] == 7:
                    stopped.setdefault(0 in bar.instruments, set()).add(closed[0] in bar.stops)
    assert stopped == {True: {True}, False: {False}}


def test_what_leads_into_a_section_ends_with_its_cut(rhythm):
    kinds = set()
    for seed in range(12):
        plan = build_plan(rhythm(**FILMS["plain"]), Wishes(control=1.0, seed=seed))
        kinds |= {bar.lead for bar in plan.bars}
        cuts = {at(hit) for hit in plan.hits if hit.kind != "beat" and hit.strength is not None}
        for bar in plan.bars:
            fill = [note.tick for note in bar.scored if note.pitch in (38, 43, 45, 48)]
            run = [bar.index * TICKS_PER_BAR + tick for tick in fill]
            after = [cut for cut in cuts if run and min(run) < cut < max(run)]
            assert not after, "nothing of a fill stands behind its cut"
    assert {"fill", "rest", "stop"} <= kinds


def test_the_same_plan_is_arranged_the_same(rhythm):
    film = rhythm(**FILMS["plain"])
    assert build_plan(film, Wishes(seed=3)) == build_plan(film, Wishes(seed=3))
    assert build_plan(film, Wishes(seed=3)).bars != build_plan(film, Wishes(seed=4)).bars


def test_loudness_goes_in_ramps(rhythm):
    plan = build_plan(rhythm(motion=(0.01, 0.4)), Wishes(control=0.0, accents=0.0))
    lifts = np.array([sum(pair) for bar in plan.bars for pair in bar.dynamics])
    assert np.abs(np.diff(lifts)).max() <= 6
    flat = replace(plan.bars[0], dynamics=())
    assert flat.dynamics == ()


def test_a_sudden_rise_comes_late_in_its_bar(rhythm):
    plan = build_plan(rhythm(60.0, motion=(0.01, 0.4)), Wishes(accents=0.0))
    steep = max(plan.bars, key=lambda bar: bar.swell[1] - bar.swell[0])
    start, middle, end = (steep.dynamics[tick][0] for tick in (0, 8, 15))
    assert end - start > 12 and middle - start < 0.45 * (end - start)


def test_behind_a_hit_the_music_falls_back_less_than_before_it(rhythm):
    plan = build_plan(rhythm(30.0, cuts_s=(15.0,)), Wishes())
    curve = [accent for bar in plan.bars for _, accent in bar.dynamics]
    tick = at(plan.hits[0])
    assert 0 > curve[tick + 1] > curve[tick - 1]


def lift_of(plan: Plan, number: int = 0) -> float:
    hit = [hit for hit in plan.hits if hit.accent is not None and hit.kind == "cut"][number]
    return plan.bars[hit.bar].dynamics[hit.tick][1] / hit.accent.size


def test_where_it_is_calm_or_cuts_crowd_an_accent_is_less_loud(rhythm):
    lively = build_plan(rhythm(40.0, cuts_s=(20.0,)), Wishes(energy=0.2))
    calm = build_plan(rhythm(40.0, cuts_s=(20.0,), motion=(0.0,)), Wishes(energy=-0.3))
    crowd = build_plan(rhythm(40.0, cuts_s=tuple(np.arange(19.0, 22.0, 1.0))), Wishes(energy=0.2))
    assert lift_of(calm) < 0.6 * lift_of(lively) and lift_of(crowd, 1) < 0.8 * lift_of(lively)


def test_a_long_take_without_cuts_lets_people_breathe(rhythm):
    leads = [bar.lead for seed in range(12) for bar in build_plan(rhythm(90.0), Wishes(seed=seed)).bars]
    assert 4 <= leads.count("rest") <= len(leads) / 16 and leads.count("fill") >= leads.count("rest")


def test_players_change_where_the_picture_changes_its_pace(rhythm):
    for seed in range(3):
        plan = build_plan(rhythm(40.0, motion=(0.01, 0.4, 0.01, 0.5)), Wishes(seed=seed))
        playing = [len(bar.instruments) for bar in plan.bars]
        energies = np.array([bar.energy for bar in plan.bars])
        calm, lively = (np.mean([n for n, e in zip(playing, energies, strict=True) if low <= e < high])
                        for low, high in ((-1.0, 0.4), (0.55, 2.0)))  # fmt: skip
        assert lively >= calm + 1


def test_drums_that_come_in_are_led_in_by_a_fill_that_is_all_they_play_before(rhythm):
    led = 0
    for seed in range(12):
        plan = build_plan(rhythm(40.0, cuts_s=(20.0,), motion=(0.01, 0.01, 0.5, 0.5)), Wishes(seed=seed))
        for before, bar in itertools.pairwise(plan.bars[:-1]):
            earlier = plan.bars[before.index - 1].instruments if before.index else ()
            if before.lead == "fill" and 0 in bar.instruments and 0 not in earlier:
                led += 1
                assert all(tick >= 8 or (tick, 0) in before.closed for tick in range(16))
    assert led
