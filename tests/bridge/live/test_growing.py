"""The plan that grows: valid at every bar, whatever is seen, and as quick as what is seen."""

import random

import pytest
from plans import faults

from hitpoint.model.music.score import INSTRUMENTS, Bar
from hitpoint.model.plan import growing
from hitpoint.model.plan.growing import AHEAD_BARS, SECTION_BARS, GrowingPlan
from hitpoint.model.plan.seen import Seen
from hitpoint.model.plan.types import Wishes
from hitpoint.model.plan.wishes.options import parse_wishes

CALM, LIVELY = Seen(0.1, 0.0, None), Seen(0.9, 0.0, None)


def grow(plan, *seen):
    """Grow by a bar for each; the bars' plans."""
    found = []
    for each in seen:
        whole = plan.next(each)
        found.append(whole.bars[len(plan.history)])
        plan.accept(Bar(len(plan.history)))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_it_is_a_valid_plan_at_every_bar(seed):
    rng = random.Random(seed)
    plan = GrowingPlan(Wishes(seed=seed, control=1.0), rng.uniform(60, 170))
    for _ in range(20):
        seen = Seen(*(rng.choice((None, rng.random())) for _ in range(3)), cuts=rng.choice((0, 0, 0, 1, 3)))
        whole = plan.next(seen)
        assert not faults(whole) and len(whole.bars) - len(plan.history) > AHEAD_BARS
        plan.accept(Bar(len(plan.history)))
    assert not faults(plan.cadence(CALM))


def test_density_and_loudness_are_those_of_what_is_seen():
    calm, lively = (grow(GrowingPlan(Wishes(control=1.0), 110.0), *[seen] * 4) for seen in (CALM, LIVELY))
    assert max(bar.density for bar in calm) < min(bar.density for bar in lively)
    assert max(bar.energy for bar in calm) < min(bar.energy for bar in lively)
    plan = GrowingPlan(Wishes(control=1.0), 110.0)
    bars = grow(plan, *[CALM] * 2, *[LIVELY] * 2)
    assert bars[1].density + 4 <= bars[2].density


def test_a_section_ends_with_its_bars_or_with_another_picture():
    plan = GrowingPlan(Wishes(), 110.0)
    grow(plan, *[CALM] * 12)
    sections = plan.next(CALM).sections
    assert [section.end_bar - section.first_bar for section in sections[:2]] == [SECTION_BARS, SECTION_BARS]
    plan = GrowingPlan(Wishes(), 110.0)
    grow(plan, *[CALM] * 5, *[LIVELY] * 5)
    assert [section.first_bar for section in plan.next(LIVELY).sections[:2]] == [0, 5]
    plan = GrowingPlan(Wishes(), 110.0)
    grow(plan, *[CALM] * 2, Seen(0.1, 0.0, None, cuts=1), *[CALM] * 4)  # too early for a new one
    assert plan.next(CALM).sections[1].first_bar == SECTION_BARS


def test_a_look_that_comes_back_brings_its_chords_back():
    plan = GrowingPlan(Wishes(), 110.0)
    bars = grow(plan, *[CALM] * 8, *[LIVELY] * 8, *[CALM] * 8)
    assert [bar.chords for bar in bars[:8]] == [bar.chords for bar in bars[16:]]
    assert {bar.key for bar in bars} == {bars[0].key}


def test_the_mode_follows_valence_unless_the_key_is_named():
    plan = GrowingPlan(Wishes(), 110.0)
    sad, glad = Seen(0.5, -0.8), Seen(0.5, 0.8)
    keys = [bar.key for bar in grow(plan, *[sad] * 5, *[glad] * 3)]
    assert keys[0].endswith("minor") and keys[-1].endswith("major") and keys[0].split()[0] == keys[-1].split()[0]
    named = GrowingPlan(Wishes(key="E minor"), 110.0)
    assert {bar.key for bar in grow(named, *[glad] * 3)} == {"E minor"}


def test_a_bar_is_taken_back_with_its_section():
    plan = GrowingPlan(Wishes(), 110.0)
    grow(plan, *[CALM] * 6)
    again = grow(plan, LIVELY)[0]
    plan.take_back()
    assert len(plan.history) == 6
    assert grow(plan, LIVELY)[0] == again
    plan.take_back()
    assert grow(plan, CALM)[0].density_told < again.density_told
    first = GrowingPlan(Wishes(), 110.0)
    grow(first, CALM)
    first.take_back()
    assert grow(first, LIVELY)[0].density_told > 10


def test_the_oldest_bars_are_forgotten(monkeypatch):
    monkeypatch.setattr(growing, "MOST_BARS", 20)
    monkeypatch.setattr(growing, "KEPT_BARS", 6)
    plan = GrowingPlan(Wishes(), 110.0)
    for _ in range(21):
        grow(plan, CALM)
        kept = plan.shorten()
    assert kept == 6 and [bar.index for bar in plan.history] == list(range(6))
    assert not faults(plan.next(CALM))


@pytest.mark.parametrize("texts", [{"harmony": "off"}, {"instruments": "drums"}, {"genre": "orchestral"},
                                   {"mood": "off"}, {"harmony": "bound"}, {"accents": "0"}])  # fmt: skip
def test_wishes_are_kept(texts):
    plan = GrowingPlan(parse_wishes(texts), 100.0)
    grow(plan, *[Seen(0.5, 0.4, 0.9, 1)] * 10)
    whole, end = plan.next(LIVELY), plan.cadence(LIVELY)
    assert not faults(whole) and not faults(end) and len(end.bars) == len(plan.history) + 2
    if texts.get("harmony") == "bound":
        assert whole.harmony == "bound"
    strikes = plan.strikes(whole.bars[len(plan.history)])
    allowed = set(whole.instruments)
    assert all(note.instrument in allowed for half in strikes for note in half)


def test_the_cadence_goes_home():
    plan = GrowingPlan(Wishes(key="A minor"), 100.0)
    grow(plan, *[CALM] * 5)
    whole = plan.cadence(CALM)
    assert [bar.chords for bar in whole.bars[-2:]] == [("Dm", "E7"), ("Am", "Am")] and whole.ending == "chord"
    assert INSTRUMENTS.index("drums") not in {k for _, k in whole.bars[-1].entries}
