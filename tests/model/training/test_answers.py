"""How music answers the picture, measured on notes whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hitpoint.model.compose.library.transition import Transitions
from hitpoint.model.mood.types import Affect
from hitpoint.model.music.score import Bar, Note, Score, TempoMap, TempoPoint
from hitpoint.model.plan.types import Section
from hitpoint.model.training.evaluation.answers import answered, as_text, joins, ranks
from tests.model.compose.library.conftest import library, music  # noqa: F401 (fixtures)
from tests.model.material import make_plan

GLAD, SAD = (60, 64, 67), (60, 63, 67)


def played(chords: list[tuple[int, ...]]) -> Score:
    bars = tuple(
        Bar(at, (*(Note(0, 1, pitch, 16, 80 + at) for pitch in chord), Note(4, 3, chord[0] - 24, 8, 80)))
        for at, chord in enumerate(chords)
    )
    return Score(bars, TempoMap((TempoPoint(0.0, 0.0, 120.0),)), "pop", (1, 3), 0)


def test_glad_bars_where_glad_ones_were_asked_rank_alike() -> None:
    plan = make_plan(12)
    felt = [Affect(0.8 if bar.index < 6 else -0.8, bar.index / 12, 0.2) for bar in plan.bars]
    plan = replace(plan, bars=tuple(replace(bar, affect=each) for bar, each in zip(plan.bars, felt, strict=True)))
    found = answered(played([GLAD] * 6 + [SAD] * 6), plan)
    assert found["valence_rank"] > 0.8 and found["arousal_rank"] > 0.8 and found["beats_in_chord"] == 1.0
    assert answered(played([SAD] * 6 + [GLAD] * 6), plan)["valence_rank"] < -0.8
    assert "valence_rank" not in answered(played([GLAD] * 12), make_plan(12))
    assert "cpu_s" not in found and found["entropy_8"] == pytest.approx(np.log2(3), abs=0.4)


def test_joins_are_measured_where_sections_begin(library) -> None:  # noqa: F811
    plan = replace(make_plan(8), sections=(Section("A", 0, 4), Section("B", 4, 8)))
    far = tuple(pitch + 6 for pitch in SAD)
    found = joins(played([GLAD] * 4 + [far] * 4).bars, plan, Transitions(library))
    assert found["join_cost"] > 2 * found["plain_cost"]


def test_ranks_of_equals_are_equal_and_the_table_leaves_out_what_nobody_has() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0])).tolist() == [2.0, 0.5, 2.0]
    text = as_text({"ours": [{"cpu_s": 2.0}, {"cpu_s": 4.0}], "real": [{}]})
    assert "3.00" in text and "tension" not in text and text.splitlines()[2].rstrip().endswith("-")
