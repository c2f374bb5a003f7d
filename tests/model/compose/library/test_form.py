"""What looks alike sounds alike, in a home key, and no other look borrows its bars."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from hitpoint.model.compose.library.form import area_of, formed
from hitpoint.model.compose.library.path import Chooser, Chosen
from hitpoint.model.compose.library.select.base import Span
from hitpoint.model.compose.library.select.emotion import Emotion
from hitpoint.model.mood.types import Affect
from hitpoint.model.plan.types import Plan, Section
from tests.model.compose.library.test_path import spans_of
from tests.model.material import make_plan


@pytest.fixture(scope="module")
def chooser(library) -> Chooser:
    return Chooser(library, Emotion())


def lettered(letters: str, lengths: tuple[int, ...], seed: int = 0) -> Plan:
    """Sections of such labels and lengths, in bars; each with a mood of its own, whatever its label."""
    ends = list(itertools.accumulate(lengths))
    moods = np.random.default_rng(seed).uniform(-1, 1, (len(lengths), 2)).tolist()
    parts = tuple(Section(label, end - bars, end) for label, bars, end in zip(letters, lengths, ends, strict=True))
    plan, of = make_plan(ends[-1]), np.repeat(np.arange(len(lengths)), lengths).tolist()
    bars = tuple(replace(b, section=of[b.index], affect=Affect(*moods[of[b.index]], 0.3)) for b in plan.bars)
    return replace(plan, bars=bars, sections=parts)


@pytest.mark.parametrize("seed", range(4))
def test_a_look_that_returns_brings_its_passage_back(chooser: Chooser, seed: int) -> None:
    plan = lettered("ABAB", (4, 4, 6, 2), seed)
    path = formed(chooser, spans_of(plan))
    assert [len(each.route) for each in path] == [4, 4, 6, 2]
    for one, other in ((0, 2), (1, 3)):
        assert path[one].route[0] == path[other].route[0] and path[one].transpose == path[other].transpose
    assert path[0].route[0] != path[1].route[0]
    assert [each.span for each in path] == spans_of(plan)


def free(chooser: Chooser, spans: list[Span]) -> list[Chosen]:
    return chooser.cheapest([chooser.candidates(span) for span in spans])


def test_fewer_bars_lie_outside_the_home_key(chooser: Chooser) -> None:
    keys = area_of(chooser.library.column("key_in").astype(np.int64))

    def away(path: list[Chosen]) -> int:
        areas = [int((keys[row] + each.transpose) % 12) for each in path for row in each.route]
        return len(areas) - max(areas.count(area) for area in set(areas))

    films = [spans_of(lettered("ABCDEF", (4,) * 6, seed)) for seed in range(8)]
    assert sum(away(formed(chooser, spans)) for spans in films) < sum(away(free(chooser, spans)) for spans in films)


def test_other_looks_hardly_borrow_the_same_bars(chooser: Chooser) -> None:
    def shared(path: list[Chosen]) -> int:
        routes = [set(each.route.tolist()) for each in path]
        return sum(len(one & other) for one, other in itertools.combinations(routes, 2))

    films = [spans_of(lettered("ABCDEF", (4,) * 6, seed)) for seed in range(8)]
    assert 10 * sum(shared(formed(chooser, spans)) for spans in films) < sum(
        shared(free(chooser, spans)) for spans in films
    )


def test_one_section_is_the_cheapest_at_home(chooser: Chooser) -> None:
    plan = lettered("A", (8,))
    path = formed(chooser, [Span(plan, 0, 8)])
    assert len(path) == 1 and len(path[0].route) == 8 and path[0].join == 0


def test_relatives_are_one_area() -> None:
    assert area_of(np.array([0, 12 + 9, 12, -1])).tolist() == [0, 0, 3, -1]
