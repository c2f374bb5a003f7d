"""What each small part of the planner promises, where the right answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from hitpoint.model.music.score import TempoMap, TempoPoint
from hitpoint.model.plan.density.energy import PEAK, energy_lines
from hitpoint.model.plan.hits.placing import Placed, place
from hitpoint.model.plan.hits.strengths import strengths
from hitpoint.model.plan.hits.weights import Moment
from hitpoint.model.plan.tempo.fit import FINE_S, BarSearch
from hitpoint.model.plan.tempo.grid import Weighed

TICK_S = 0.125
STEADY = TempoMap((TempoPoint(0.0, 0.0, 120.0),))


def beat(tick: int, saliency: float) -> Moment:
    return Moment(tick * TICK_S, "beat", saliency, 0.3 * saliency)


@pytest.mark.parametrize("distance", [0, 1])
def test_of_two_visual_beats_on_neighbouring_ticks_the_weightier_is_hit(distance: int) -> None:
    placed = place([beat(4, 0.8), beat(4 + distance, 0.9)], STEADY, 2, 32).hits
    assert [(each.tick, each.moment.saliency) for each in placed] == [(4 + distance, 0.9)]


def test_visual_beats_apart_are_both_hit() -> None:
    assert [each.tick for each in place([beat(4, 0.8), beat(8, 0.9)], STEADY, 2, 32).hits] == [4, 8]


def test_a_level_film_builds_to_a_peak_and_comes_to_rest() -> None:
    lines = energy_lines(np.full(40, 0.5), (), 0.0)
    assert abs(int(np.argmax(lines)) / 40 - PEAK) < 0.1
    assert lines[0] < lines.max() - 0.1 and lines[-1] < lines.max() - 0.1


def test_strength_goes_by_rank_where_all_are_salient() -> None:
    cuts = [Placed(Moment(2.0 * n, "cut", 0.97 + 0.01 * n, 1.0), n, 0) for n in range(4)]
    found = strengths(cuts, (0, 1, 2, 3, 4))
    assert found == sorted(found) and found[0] < found[-1]


def test_for_moments_of_little_weight_the_bars_do_not_jitter() -> None:
    times_s = np.array([2.0 * bar + (0.02 if bar % 2 else -0.02) for bar in range(1, 15)])
    fit = BarSearch(Weighed(times_s, np.full(len(times_s), 0.003)), 30.0, np.array([120.0]), 0.03, FINE_S).best()
    assert fit is not None
    steps_s = np.abs(np.diff(fit.lines_s, n=2)).sum()
    assert steps_s < 0.15, "following each of them would take steps of 0.27 s in all"
