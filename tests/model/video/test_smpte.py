"""SMPTE time code against what is known of it, and both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitpoint.model.video.smpte import fields_of, frame_of


@pytest.mark.parametrize(
    ("frame", "nominal", "drop", "label"),
    [
        (0, 25, False, (0, 0, 0, 0)),
        (25 * 3661 + 7, 25, False, (1, 1, 1, 7)),
        (1799, 30, True, (0, 0, 59, 29)),
        (1800, 30, True, (0, 1, 0, 2)),  # 00:01:00;00 and ;01 are left out
        (17982, 30, True, (0, 10, 0, 0)),  # and not in each tenth minute
        (107892, 30, True, (1, 0, 0, 0)),  # an hour of 29.97 is an hour of the clock
        (3600, 60, True, (0, 1, 0, 4)),
    ],
)
def test_known_labels(frame: int, nominal: int, drop: bool, label: tuple[int, int, int, int]) -> None:
    assert fields_of(frame, nominal, drop) == label
    assert frame_of(*label, nominal, drop) == frame


@given(st.integers(0, 10**8), st.sampled_from([24, 25, 30, 50, 60, 120]), st.booleans())
def test_both_ways(frame: int, nominal: int, drop: bool) -> None:
    drop = drop and nominal % 30 == 0
    assert frame_of(*fields_of(frame, nominal, drop), nominal, drop) == frame
