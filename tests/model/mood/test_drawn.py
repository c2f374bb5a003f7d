"""The mood as somebody draws it: what is read, and what a plan makes of it."""

import numpy as np
import pytest

from hitpoint.model.errors import UsageError
from hitpoint.model.mood.types import MoodPoint
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.wishes.options import parse_wishes
from hitpoint.model.video.types import VisualRhythm

LENGTH_S = 40.0


def plain_film():
    """A film of one everyday look."""
    count = round(10 * LENGTH_S)
    times_s = np.arange(count) / 10
    look = {name: np.full(count, value, np.float32) for name, value in
            (("brightness", 0.43), ("saturation", 0.33), ("warmth", 0.5), ("spread", 20.0))}  # fmt: skip
    look |= {"swatches": np.full((1, 8, 16, 3), 110, np.uint8), "swatch_frames": np.zeros(1, np.int64)}
    none = np.zeros(count, np.float32)
    return VisualRhythm(LENGTH_S, (), times_s, none + 0.1, none, (), (), ("A",), measured={"palette": look})


def planned(**texts):
    """The plan, and each bar's affect with the middle of the bar in seconds."""
    plan = build_plan(plain_film(), parse_wishes({"tempo": "120", **texts}))
    return plan, [((bar.index + 0.5) * 2.0, bar.affect) for bar in plan.bars]


def test_points_are_read_in_order_of_time():
    wishes = parse_wishes({"mood-line": "12.5:-0.4:0.8, 3::0.1,0:0.2:"})
    assert wishes.mood_line == (MoodPoint(0.0, 0.2), MoodPoint(3.0, None, 0.1), MoodPoint(12.5, -0.4, 0.8))
    assert parse_wishes({"mood-line": "none"}).mood_line == ()


@pytest.mark.parametrize("text", ["1", "1:2", ":0.5:", "x:0:0", "1:2:0", "1:0:-0.1", "inf:0:0", "1:0:0:0"])
def test_what_is_no_point_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match=r"mood-line"):
        parse_wishes({"mood-line": text})


def test_bars_have_the_mood_that_was_drawn_and_the_pictures_elsewhere():
    _, before = planned()
    _, after = planned(**{"mood-line": "0:-0.9:,19:-0.9:,20:0.9:,30:0.9:"})
    assert all(affect.valence < -0.6 for at_s, affect in after if at_s < 18)
    assert all(affect.valence > 0.6 for at_s, affect in after if 22 < at_s < 29)
    for (at_s, was), (_, now) in zip(before, after, strict=True):
        assert now.arousal == was.arousal and now.tension == was.tension
        assert at_s < 32 or now.valence == was.valence


def test_a_mood_that_is_drawn_throughout_says_major_or_minor():
    for valence, mode in ((-0.8, "minor"), (0.8, "major")):
        plan, _ = planned(**{"mood-line": f"0:{valence}:,40:{valence}:"})
        assert plan.bars[0].key.endswith(mode)


def test_tension_is_drawn_by_itself():
    _, after = planned(**{"mood-line": "0::0.9,40::0.9"})
    assert all(affect.tension > 0.85 for _, affect in after)
