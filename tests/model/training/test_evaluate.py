"""The table of `hitpoint evaluate`: accents, distances, and what it says of control."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from hitpoint.model.music.score import Bar, Note, Score, TempoMap, TempoPoint
from hitpoint.model.training.evaluation.comparison import CONTROL, NINE, as_text, distances, nine
from hitpoint.model.training.evaluation.real import performed
from hitpoint.model.training.evaluation.rows import MOVED, MUSIC, OURS, Row, near_accents
from tests.model.material import make_plan


def rows_at(offset: float, name: str, pieces: int = 40) -> Row:
    """Pieces whose music figures scatter around `offset` with a deviation of 1."""
    rng = np.random.default_rng(len(name))
    return Row(name, tuple({figure: offset + rng.normal() for figure in (*MUSIC, *CONTROL)} for _ in range(pieces)))


def test_moments_are_near_accents_only_where_the_music_has_them() -> None:
    chord = tuple(Note(8, 1, pitch, 2, 80) for pitch in (60, 64, 67))
    bars = (Bar(0, (Note(0, 0, 36, 1, 80), Note(4, 0, 38, 1, 80), *chord)), Bar(1, (Note(2, 0, 36, 1, 80),)))
    score = Score(bars, TempoMap((TempoPoint(0.0, 0.0, 120.0),)), "pop", (0, 1), 0)
    assert near_accents(score, np.array([0.0, 1.0, 1.039])) == 1.0
    assert near_accents(score, np.array([0.5, 2.0, 1.05, 2.25])) == 0.0
    assert near_accents(Score((Bar(0),), score.tempo_map, "pop", (0,), 0), np.array([0.0])) == 0.0


def test_distances_are_in_deviations_of_real_music() -> None:
    real = rows_at(0.0, "real, human", pieces=400)
    near, far = distances(rows_at(0.0, "near"), real), distances(rows_at(3.0, "far"), real)
    for name in MUSIC:
        assert near[name][0] < 0.6 and 2.4 < far[name][0] < 3.6
        low, high = np.percentile(far[name][1:], [2.5, 97.5])
        assert low < far[name][0] < high
    assert nine(far).shape == (len(NINE), len(far["h1"])) and len(NINE) == 9


def test_the_table_says_who_is_nearer() -> None:
    rows = [
        rows_at(0.0, "real, human", pieces=400), rows_at(0.1, "no control"), rows_at(2.0, "paper C=0.7"),
        rows_at(1.0, "paper C=1"), rows_at(0.0, "ours C=0.7"), rows_at(3.0, "ours C=1"), Row("match", ()),
    ]  # fmt: skip
    text = as_text(rows)
    assert "C=0.7: nearer to real, human than the paper's control on 9 of 9 metrics" in text
    assert "C=1: nearer to real, human than the paper's control on 0 of 9 metrics" in text
    taken = re.search(r"full control takes gs16 farther from real, human by (\S+)±", text)
    assert taken is not None and 2.4 < float(taken[1]) < 3.6


def test_without_real_music_only_the_ears_table_is_printed() -> None:
    text = as_text([Row("paper C=1", ({"gaps": 0.0},)), Row(OURS, ({"gaps": 0.2}, {"gaps": 0.4})), Row(MOVED, ({},))])
    head = text.splitlines()[1]
    gaps = next(line for line in text.splitlines() if line.startswith("gaps"))
    assert head.split() == ["paper", "ours", "chance", "pop909", "games", "aim"]
    assert gaps.split()[10:13] == ["0.00", "0.30", "-"] and "nearer to" not in text


def test_what_is_compared_is_performed_as_the_plan_wants_it() -> None:
    plan = make_plan(2)
    bars = [Bar(index, (Note(0, 1, 60, 4, 80), Note(4, 1, 62, 4, 80))) for index in range(2)]
    dynamics = ((-30.0, 0.0), *((20.0, 0.0) for _ in range(15)))
    plan = replace(plan, bars=tuple(replace(bar, dynamics=dynamics) for bar in plan.bars))
    first, second = performed(plan, bars).bars[0].notes
    assert first.velocity < second.velocity
