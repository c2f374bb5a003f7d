"""What the mood of the picture changes in a plan, and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from hitpoint.model.errors import UsageError
from hitpoint.model.mood.types import MOODS
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.suggested import asks, followed, suggested
from hitpoint.model.plan.tempo.planner import tempo_of
from hitpoint.model.plan.types import Wishes as AllWishes
from hitpoint.model.plan.wishes.options import parse_wishes
from tests.model.mood.test_curve import rhythm

Wishes = partial(AllWishes, harmony="off")
"""Without planned chords, which take longer than the rest of the plan."""
CUTS_S = (5.0, 9.2, 14.4, 21.0, 28.3, 33.3)
SUNNY = rhythm((0.75, 0.65), (0.45,), (0.1, 0.05), CUTS_S)
NIGHT = rhythm((0.2, 0.15), (0.35,), (0.1, 0.05), CUTS_S)


def mean_energy(plan) -> float:
    return float(np.mean([bar.energy for bar in plan.bars]))


def test_sunny_and_night_differ_in_mode_and_keep_the_tonic():
    for seed in range(8):
        sunny, night = (build_plan(film, Wishes(seed=seed)) for film in (SUNNY, NIGHT))
        glad, sad = ({bar.key for bar in plan.bars} for plan in (sunny, night))
        assert len(glad) == len(sad) == 1
        (glad_key,), (sad_key,) = glad, sad
        assert glad_key.endswith(" major") and sad_key.endswith(" minor")
        assert glad_key.split()[0] == sad_key.split()[0]
    keys = {build_plan(SUNNY, Wishes(seed=seed)).bars[0].key for seed in range(20)}
    assert len(keys) > 3


def test_every_bar_has_its_affect():
    plan = build_plan(NIGHT, Wishes())
    assert all(bar.affect is not None and bar.affect.emotion in MOODS for bar in plan.bars)


def test_off_is_as_if_nothing_had_been_measured():
    for wishes in (Wishes(mood="off"), Wishes(mood="off", energy=0.3, tempo_bpm=(100.0, 100.0))):
        plan = build_plan(NIGHT, wishes)
        blind = build_plan(replace(NIGHT, measured={}), wishes)
        looks = zip(blind.sections, plan.sections, strict=True)  # of the picture, whatever is made of them
        assert plan == replace(blind, sections=tuple(replace(own, look=seen.look) for own, seen in looks))
        assert all(bar.affect is None and bar.key is None for bar in plan.bars)


def test_a_lively_mood_is_louder_busier_and_quicker_than_a_calm_one():
    lively, calm = (build_plan(SUNNY, Wishes(mood=mood, control=1.0)) for mood in ("exciting", "sad"))
    assert mean_energy(lively) > mean_energy(calm) + 0.15
    assert np.mean([bar.density for bar in lively.bars]) > np.mean([bar.density for bar in calm.bars]) + 1
    assert lively.tempo_map.points[0].bpm > calm.tempo_map.points[0].bpm + 5
    assert calm.bars[0].key.endswith("minor")


def test_live_controls_never_move_a_bar_line():
    plan = build_plan(SUNNY, Wishes())
    for name in ("valence", "arousal", "tension"):
        for value in (-1.0, 1.0):
            again = build_plan(SUNNY, Wishes(**{name: value}), tempo_of(plan))
            assert again.tempo_map == plan.tempo_map and len(again.bars) == len(plan.bars)
    darker = build_plan(SUNNY, Wishes(valence=-1.0), tempo_of(plan))
    assert darker.bars[0].key != plan.bars[0].key


def test_planned_chords_stand_in_the_mode_of_the_picture():
    for film, mode in ((SUNNY, "major"), (NIGHT, "minor")):
        plan = build_plan(film, AllWishes())
        assert plan.bars[0].key.endswith(mode) and plan.bars[-1].key.endswith(mode)


def test_tension_holds_chords_longer():
    def changes(tension: float) -> float:
        plans = [build_plan(SUNNY, Wishes(seed=seed, tension=tension)) for seed in range(12)]
        return float(np.mean([len(bar.changes) for plan in plans for bar in plan.bars]))

    assert changes(1.0) < 0.9 * changes(0.0)


def test_what_the_picture_cannot_tell_is_said():
    black = build_plan(rhythm((0.0,), (0.0,)), Wishes())
    grey = build_plan(rhythm((0.5,), (0.0,)), Wishes())
    assert any("black" in note for note in black.changes) and any("grey" in note for note in grey.changes)
    assert black.bars[0].key is None and grey.bars[0].key is None
    assert all(bar.affect.valence == 0 for plan in (black, grey) for bar in plan.bars)


def test_one_bar_has_a_mood():
    plan = build_plan(rhythm((0.2,), duration_s=1.5), Wishes())
    assert len(plan.bars) == 1 and plan.bars[0].affect is not None


def test_what_is_added_to_nothing_is_refused():
    with pytest.raises(UsageError, match="while mood is off"):
        build_plan(SUNNY, Wishes(mood="off", valence=0.5))


def test_a_suggestion_is_followed_where_the_wishes_are_open():
    wishes = parse_wishes(
        {"genre": "auto", "describe": "a lonely cowboy weeps at the grave of his father, the old rancher"}
    )
    assert asks(wishes) and not asks(Wishes())
    found = suggested(NIGHT, wishes.describe)
    after = followed(wishes, found)
    assert (after.genre, after.mood) == (found.genre, "sad") and found.tempo_bpm > 40
    assert followed(replace(wishes, mood="exciting"), found).mood == "exciting"
    assert followed(Wishes(genre="metal", describe=wishes.describe), found).genre == "metal"
    assert len(parse_wishes({"describe": "x" * 10_000_000}).describe) < 3000
