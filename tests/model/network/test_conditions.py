"""What the network is told about a bar, from hand-made controls whose table is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hitpoint.model.mood.types import Affect
from hitpoint.model.music.codec import from_json, to_json
from hitpoint.model.music.symbols import parse_symbol
from hitpoint.model.network.conditions import (
    AFFECT,
    CHORDS,
    COLUMN,
    MAJOR,
    MAX_HIT_DISTANCE,
    MINOR,
    Controls,
    Labels,
    affect_classes,
    build_table,
    chord_classes,
    table_of_plan,
)
from hitpoint.model.plan.types import Plan
from tests.model.material import make_plan

FAR = MAX_HIT_DISTANCE + 1
BARS = 20


def coloured(plan: Plan) -> Plan:
    """The plan with chords, a key and a mood in every bar."""
    mood = Affect(-0.5, 0.5, 0.25, "tense")
    bars = (replace(bar, chords=("Am7", "C"), key="A minor", affect=mood) for bar in plan.bars)
    return replace(plan, bars=tuple(bars))


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


def labelled() -> Labels:
    chords = [chord_classes(parse_symbol(text)) for text in ("Am7", "N", "C", "C", "F#dim", "G7")]
    return Labels(
        np.array(chords, np.int16).reshape(3, 4),
        np.array([MINOR, MINOR, MAJOR], np.int16),
        np.array([(1, 8, 4), (0, 0, 0), (5, 5, 5)], np.int16),
        np.array([True, False, True]),
    )


def test_harmony_and_mood_stand_in_their_bar_and_the_next_chord_in_the_bar_before() -> None:
    controls = Controls(np.full(3, 8, np.int16), np.full(3, 0.5, np.float32), np.zeros((3, 16), np.int16))
    table = build_table(controls, genre="pop", instruments=(0, 1), tempo_bpm=120.0, labels=labelled())
    plain = build_table(controls, genre="pop", instruments=(0, 1), tempo_bpm=120.0)
    first_new = COLUMN["root_0"]
    assert (table[:, :first_new] == plain[:, :first_new]).all() and not plain[:, first_new:].any()
    a_minor_7, none, c, f_sharp = (2 + 9, 2 + 3), (1, 1), (2 + 0, 2 + 0), (2 + 6, 2 + 1)
    rows = table[:, first_new : COLUMN["mode"]].tolist()
    assert rows == [
        [0, 0, 0, 0, *a_minor_7], [*a_minor_7, *none, *c], [*c, *c, *f_sharp], [*f_sharp, 2 + 7, 2 + 10, 0, 0],
    ]  # fmt: skip
    assert table[:, COLUMN["mode"]].tolist() == [MINOR, MINOR, MINOR, MAJOR]
    assert table[:, AFFECT].tolist() == [[0, 0, 0], [1, 8, 4], [0, 0, 0], [5, 5, 5]]
    assert table[:, COLUMN["bars_to_change"]].tolist() == [1, 2, 1, FAR]


def test_affects_fall_into_eight_equal_steps() -> None:
    assert affect_classes(Affect(-1.0, 1.0, 0.0)) == (1, 8, 1)
    assert affect_classes(Affect(0.0, -0.01, 1.0)) == (5, 4, 8)
    assert affect_classes(Affect(-7.0, 7.0, 0.49)) == (1, 8, 4)


def test_a_plan_tells_what_its_bars_say() -> None:
    plan = coloured(make_plan(BARS))
    table = table_of_plan(plan)
    mood = affect_classes(Affect(-0.5, 0.5, 0.25, "tense"))
    assert table[1:, AFFECT].tolist() == [list(mood)] * BARS
    assert set(table[:, COLUMN["mode"]]) == {MINOR}
    assert table[1, CHORDS].tolist() == [2 + 9, 2 + 3, 2, 2]
    assert table[0, COLUMN["bars_to_change"]] == 1


def test_a_plan_with_them_travels_whole() -> None:
    plan = coloured(make_plan(BARS))
    assert from_json(to_json(plan), type(plan)) == plan
