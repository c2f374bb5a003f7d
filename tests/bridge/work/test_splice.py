"""Spliced plans are plans like any other, whatever was known and wherever the playhead went."""

from hypothesis import given, settings
from hypothesis import strategies as st
from live_fakes import telling_bar
from plans import faults, plans

from hitpoint.bridge.play.lookahead import known_block
from hitpoint.bridge.work.splice import splice_plan
from hitpoint.model.compose.cmt.leaning import Here, leanings_of


@settings(deadline=None)
@given(plans(), st.data())
def test_a_spliced_plan_is_a_valid_plan_that_the_form_can_read(plan, data):
    assert faults(plan) == []
    bars = len(plan.bars)
    target = data.draw(st.integers(0, bars - 1))
    known = data.draw(st.sets(st.integers(0, bars - 1)))
    block = known_block(known - {target}, target, 4)
    new = splice_plan(plan, block, target)
    assert faults(new) == []
    assert len(new.bars) == len(block) + bars - target
    kept = [*block, *range(target, bars)]
    assert [new.sections[bar.section].label for bar in new.bars] == [
        plan.sections[plan.bars[index].section].label for index in kept
    ]
    written = [telling_bar(place) for place in range(len(new.bars))]
    for place in range(len(new.bars)):
        leanings_of(Here(new, place, written[:place]))
    again = splice_plan(new, range(len(block) // 2), len(block))
    assert faults(again) == [], "a splice of a splice, too"
