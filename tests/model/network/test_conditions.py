"""What the network is told about a bar, from hand-made controls whose table is known."""

from __future__ import annotations

import numpy as np

from hitpoint.model.network.conditions import COLUMN, MAX_HIT_DISTANCE, Controls, build_table

FAR = MAX_HIT_DISTANCE + 1


def told(required_bars: list[int], bars: int) -> list[int]:
    required = np.zeros((bars, 16), np.int16)
    required[required_bars, 3] = 2
    controls = Controls(np.full(bars, 8, np.int16), np.full(bars, 0.5, np.float32), required)
    table = build_table(controls, genre="pop", instruments=(0, 1), tempo_bpm=120.0)
    return [int(each) for each in table[:, COLUMN["bars_to_hit"]]]


def test_a_bar_is_told_how_far_the_next_hit_after_it_is() -> None:
    assert told([2, 5], 7) == [3, 2, 1, 3, 2, 1, FAR, FAR]  # the first row stands before the first bar
    assert told([0], 2) == [1, FAR, FAR]


def test_without_any_hit_nothing_is_told() -> None:
    assert told([], 3) == [0, 0, 0, 0]
