"""The cut in the sound: what rank and strongest say where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from hitpoint.model.training.heard.accents import (
    HOP,
    SAMPLE_RATE,
    accent_figures,
    is_strongest,
    listen,
    onset_strength,
    rank_among_beats,
    strength_at,
)
from hitpoint.model.training.heard.grid import Marks, beat_times, shuffled

BARS = 8
CUT_TICK = 64
CUT_S = 8.0


def steady(velocity_at_cut: int | None) -> list[tuple[int, int, int, int, int]]:
    """A note on every beat, that at the cut louder, softer or left out."""
    level = {CUT_TICK: velocity_at_cut}
    return [
        (tick, 1, 60, 2, level.get(tick, 60) or 1) for tick in range(0, 16 * BARS, 4) if level.get(tick, 60) is not None
    ]


def test_clicks_are_onsets_where_they_stand() -> None:
    sound = np.zeros(SAMPLE_RATE * 2, np.float32)
    sound[SAMPLE_RATE // 2 :: SAMPLE_RATE // 2] = 1.0
    for compressed in (False, True):
        curve = onset_strength(sound, compressed)
        loudest = np.flatnonzero(curve > 0.5 * curve.max()) * HOP / SAMPLE_RATE
        assert np.abs(loudest[:, None] - np.array([0.5, 1.0, 1.5])).min(axis=1).max() < 0.03
        assert strength_at(curve, 1.0) > 10 * strength_at(curve, 1.25)


@pytest.mark.parametrize(("velocity", "rank", "strongest"), [(120, 1.0, True), (30, 0.0, False), (None, 0.0, False)])
def test_a_cut_ranks_by_how_loud_it_is(written, velocity, rank, strongest) -> None:
    score = written(steady(velocity), BARS)
    ear = listen(score)
    for curve in ear:
        assert rank_among_beats(curve, CUT_S, beat_times(score), [CUT_S]) == rank
        assert is_strongest(curve, CUT_S) == strongest


def test_a_plain_beat_ranks_in_the_middle_and_a_moment_between_beats_last(written) -> None:
    score = written([(t, 1, 60, 2, 50 + (7 * t) % 32) for t in range(0, 16 * BARS, 4)], BARS)
    curve, beats = listen(score).plain, beat_times(score)
    ranks = [rank_among_beats(curve, float(beat), beats, []) for beat in beats[6:-6]]
    assert 0.4 < np.mean(ranks) < 0.6
    assert rank_among_beats(curve, CUT_S + 0.25, beats, []) == 0.0


def test_figures_beside_chance(written) -> None:
    score = written(steady(120), BARS)
    marks = Marks(cuts_s=(CUT_S,), fades_s=(4.0,), bound_s=(CUT_S + 0.04, 2.0), section_bars=(4,))
    ear = listen(score)
    now = accent_figures(score, marks, ear)
    assert now["cut_rank"] == now["cut_rank_log"] == now["cut_strongest"] == now["cuts_bound"] == 1.0
    assert now["fade_rank"] < 1.0 and now["downbeat_rank"] < 1.0
    assert accent_figures(score, Marks(cuts_s=(CUT_S,), bound_s=(CUT_S + 0.05,)), ear)["cuts_bound"] == 0.0
    chance = [shuffled(marks, score, seed) for seed in range(20)]
    assert all(len(each.cuts_s) == 1 and len(each.section_bars) == 1 for each in chance)
    assert all(np.abs(beat_times(score) - each.cuts_s[0]).min() < 1e-9 for each in chance)
    assert np.mean([accent_figures(score, each, ear)["cut_strongest"] for each in chance]) < 0.5


def test_nothing_to_measure_is_left_out(written) -> None:
    silent = written([], 4)
    assert "cut_rank" not in accent_figures(silent, Marks(), listen(silent))
    assert accent_figures(silent, Marks(cuts_s=(4.0,)), listen(silent))["cut_rank"] == 0.5
