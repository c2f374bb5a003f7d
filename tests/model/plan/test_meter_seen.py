"""A metre is heard in visual beats only where they keep one plainly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.hits.weights import Moment
from hitpoint.model.plan.tempo.meter_seen import meter_seen
from hitpoint.model.plan.types import Wishes
from hitpoint.model.video.types import VisualBeat
from tests.fakes import fake_rhythm


def beats(pattern: tuple[float, ...], beat_s: float, seed: int = 0, count: int = 48) -> list[Moment]:
    """Beats that are a little late or early, a little stronger or weaker than the pattern, one in ten missing."""
    random = np.random.default_rng(seed)
    kept = [n for n in range(count) if random.random() > 0.1]
    strength = [np.clip(pattern[n % len(pattern)] + random.normal(0, 0.05), 0, 1) for n in kept]
    times_s = [0.4 + n * beat_s + random.normal(0, 0.01) for n in kept]
    return [Moment(float(time_s), "beat", float(each), 0.2) for time_s, each in zip(times_s, strength, strict=True)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("pattern", "beat_s", "meter"),
    [
        ((0.95, 0.6, 0.65), 0.5, "3/4"),
        ((0.95, 0.6, 0.65), 0.28, "6/8"),
        ((0.95, 0.6, 0.8, 0.6), 0.5, "4/4"),
        ((0.95, 0.65), 0.5, "4/4"),
        ((0.8,), 0.5, "4/4"),
    ],
)
def test_groups_of_three_are_known_and_nothing_else_is_taken_for_them(
    pattern: tuple[float, ...], beat_s: float, meter: str, seed: int
) -> None:
    assert meter_seen(beats(pattern, beat_s, seed)) == meter


@pytest.mark.parametrize("seed", range(20))
def test_chance_has_no_metre(seed: int) -> None:
    random = np.random.default_rng(seed)
    even = [Moment(0.5 * n, "beat", float(random.uniform(0.5, 1)), 0.2) for n in range(1, 60)]
    wild = [Moment(float(t), "beat", float(random.uniform(0.5, 1)), 0.2) for t in np.sort(random.uniform(0, 40, 80))]
    assert meter_seen(even) == meter_seen(wild) == meter_seen([]) == "4/4"


def test_a_film_of_a_waltz_is_planned_in_three_only_where_that_is_asked_for() -> None:
    seen = tuple(VisualBeat(each.time_s, each.saliency) for each in beats((0.95, 0.6, 0.65), 0.6))
    rhythm = replace(fake_rhythm(30.0), boundaries=(), shots=("A",), beats=seen)
    assert build_plan(rhythm, Wishes(meter="auto")).tempo_map.meter == "3/4"
    assert build_plan(rhythm, Wishes()).tempo_map.meter == "4/4"
    assert any("3/4" in told for told in build_plan(rhythm, Wishes(meter="auto")).changes)
