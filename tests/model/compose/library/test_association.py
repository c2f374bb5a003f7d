"""Choosing by association: from this library, by what was learnt, and by what the user's own films say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.associate.association import load
from hitpoint.model.compose.base import ComposerOptions
from hitpoint.model.compose.library.bars import Library
from hitpoint.model.compose.library.composer import LibraryComposer
from hitpoint.model.compose.library.path import Chooser
from hitpoint.model.compose.library.reading import read_library
from hitpoint.model.compose.library.select.association import REUSED, Association, look_of
from hitpoint.model.compose.library.select.base import Span
from hitpoint.model.errors import InputError
from hitpoint.model.plan.types import Plan, Section
from tests.model.material import make_plan


@pytest.fixture
def library(music: Path) -> Library:
    return read_library(music)


def plan_of(*looks: tuple[float, ...]) -> Plan:
    """Four bars for each look."""
    plan = make_plan(4 * len(looks))
    sections = tuple(Section("AB"[n % 2], 4 * n, 4 * n + 4, look=look) for n, look in enumerate(looks))
    return replace(plan, sections=sections, bars=tuple(replace(bar, section=bar.index // 4) for bar in plan.bars))


STILL, MOVING = (0.0, 0.0, 0.0, 8.0, 0.2, 0.5, 0.2, 10.0), (1.0, 0.5, 2.0, 8.0, 0.8, 0.5, 0.6, 60.0)


def test_looks_are_ranked_within_the_film() -> None:
    plan = plan_of(STILL, MOVING)
    assert look_of(Span(plan, 0, 4)).tolist() == [0, 0, 0, 0.5, 0, 0.5, 0, 0]
    assert look_of(Span(plan, 4, 8)).tolist() == [1, 1, 1, 0.5, 1, 0.5, 1, 1]
    assert look_of(Span(make_plan(6), 0, 6)).tolist() == [0.5] * 8  # a plan that knows nothing of its picture
    assert look_of(Span(plan_of(MOVING), 0, 4)).tolist() == [0.5] * 8  # one shot


def test_costs_are_of_the_transitions_size(library: Library) -> None:
    chooser = Chooser(library, Association(library, load()))
    plan = plan_of(STILL, MOVING)
    spans = [Span(plan, 0, 4), Span(plan, 4, 8)]
    (stretches, still), (_, moving) = (chooser.costs(span) for span in spans)
    assert still.min() >= 0 and 0.3 < still.std() < 3 and np.corrcoef(still, moving)[0, 1] < 0.9
    few = stretches.some(np.arange(5))
    joins = chooser.selector.joins(spans[0], few, spans[1], few)
    other = joins - np.eye(5) * REUSED
    assert joins.shape == (5, 5) and (other >= -1e-9).all() and (joins.diagonal() >= REUSED - 1e-9).all()


def test_it_composes_and_says_what(music: Path, library: Library, tmp_path: Path) -> None:
    load().save(tmp_path / "own.npz")
    options = ComposerOptions(library=music, select="association", association=tmp_path / "own.npz")
    own, shipped = (LibraryComposer.create(each) for each in (options, replace(options, association=None)))
    plan = plan_of(STILL, MOVING, STILL)
    bars = list(own.stream(plan, 0))
    assert len(bars) == len(plan.bars) and any(bar.notes for bar in bars)
    assert [bar.notes for bar in shipped.stream(plan, 0)] == [bar.notes for bar in bars]
    with pytest.raises(InputError, match="cannot be read"):
        LibraryComposer.create(replace(options, association=tmp_path / "none.npz"))
