"""The cheapest path is the cheapest of all; a join costs what its four parts cost; short pieces come round again."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from hitpoint.model.compose.library.match import matching_scores
from hitpoint.model.compose.library.path import TRANSPOSING, Chooser, cost_of, stretches_of
from hitpoint.model.compose.library.reading import read_library
from hitpoint.model.compose.library.select.base import SELECTORS, Span
from hitpoint.model.compose.library.select.emotion import Emotion
from hitpoint.model.compose.library.select.match import Match, mismatch
from hitpoint.model.compose.library.transition import TRANSPOSITIONS, Transitions, entry_bars, last_bars
from hitpoint.model.mood.types import Affect
from hitpoint.model.network.conditions import controls_of_plan
from hitpoint.model.plan.types import Plan, Section
from tests.model.compose.library.conftest import write_chords
from tests.model.material import make_plan


def felt_plan(sections: int = 3, bars: int = 4, seed: int = 0) -> Plan:
    """Sections with moods of their own."""
    plan = make_plan(sections * bars)
    moods = np.random.default_rng(seed).uniform(-1, 1, (sections, 2)).tolist()
    named = tuple(
        replace(bar, section=bar.index // bars, affect=Affect(*moods[bar.index // bars], 0.3)) for bar in plan.bars
    )
    parts = tuple(Section("ABCDEFGH"[at], at * bars, (at + 1) * bars) for at in range(sections))
    return replace(plan, bars=named, sections=parts)


def spans_of(plan: Plan) -> list[Span]:
    return [Span(plan, section.first_bar, section.end_bar) for section in plan.sections]


@pytest.fixture(scope="module")
def chooser(library) -> Chooser:
    return Chooser(library, Emotion())


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_what_trying_everything_finds(chooser, seed):
    sets = [chooser.candidates(span, most=8) for span in spans_of(felt_plan(seed=seed))]
    moves = [chooser.moves(a, b).reshape(96, 96) for a, b in itertools.pairwise(sets)]
    own = [(each.costs[:, None] + TRANSPOSING).ravel() for each in sets]
    everything = own[0][:, None, None] + moves[0][:, :, None] + own[1][None, :, None] + moves[1][None] + own[2]
    found = chooser.cheapest(sets)
    assert cost_of(found) == pytest.approx(everything.min(), abs=1e-9)
    assert cost_of(found) <= cost_of(chooser.greedy(sets)) + 1e-9
    assert cost_of(found) < cost_of(chooser.at_random(sets, np.random.default_rng(seed)))


def test_candidates_are_the_best_and_at_most_four_a_piece(chooser):
    span = spans_of(felt_plan())[0]
    stretches, costs = chooser.costs(span)
    found = chooser.candidates(span)
    assert len(found.costs) == min(64, 4 * 12) and (np.diff(found.costs) >= 0).all()
    assert np.bincount(found.stretches.pieces).max() == 4
    assert found.costs[0] == costs.min() and len(stretches) == 12 * 13


def test_going_on_is_free_and_the_parts_of_a_join_add_up(library):
    transitions = Transitions(library)
    rows = np.array([0, 5, 20])
    assert transitions.between(last_bars(library, rows), entry_bars(library, rows + 1)).tolist() == [0, 0, 0]
    assert (transitions.between(last_bars(library, rows), entry_bars(library, rows + 1), 2) > 0).all()
    end_of_piece = transitions.between(last_bars(library, np.array([15])), entry_bars(library, np.array([16])))
    assert end_of_piece[0] > 0  # the next piece's first bar is not the same piece going on
    table = transitions.table(last_bars(library, rows), entry_bars(library, np.array([30, 31])))
    assert table[11 + 3, 1, 0] == pytest.approx(
        transitions.between(last_bars(library, rows[1:2]), entry_bars(library, np.array([30])), 3)[0]
    )


def test_a_song_fits_itself_best_in_its_own_key(library):
    transitions = Transitions(library)
    last = last_bars(library, np.array([3]))
    costs = {step: transitions.between(last, entry_bars(library, np.array([8])), step)[0] for step in range(-5, 7)}
    assert min(costs, key=lambda step: costs[step]) == 0
    assert transitions.chord_costs.shape == (157, 157) and (transitions.chord_costs > 0).all()
    shares = np.exp(-transitions.chord_costs * np.log(157))
    assert shares[1:, :].sum(axis=1) == pytest.approx(1.0)
    assert transitions.chord_costs[1, 1 + 13 * 5] == pytest.approx(transitions.chord_costs[1 + 13 * 3, 1 + 13 * 8])


def test_a_section_longer_than_any_piece_comes_round_at_the_best_join(tmp_path):
    for number in range(3):
        write_chords(tmp_path / f"{number}.mid", number, False, bars=6 + number)
    found = read_library(tmp_path)
    chooser = Chooser(found, Match())
    stretches = stretches_of(found, chooser.loops, 20)
    assert len(stretches) and (stretches.loops >= 2).all()
    assert {int(found.piece_of[route].min()) for route in stretches.routes} == {0, 1, 2}
    assert all(len(set(found.piece_of[route])) == 1 for route in stretches.routes)
    for route in stretches.routes[:3]:
        jumps = np.flatnonzero(np.diff(route) != 1)
        assert (
            route[jumps] - found.first[found.piece_of[route[0]]] == chooser.loops.end[found.piece_of[route[0]]]
        ).all()
    mixed = stretches_of(found, chooser.loops, 8)
    assert (mixed.loops[mixed.pieces == 2] == 0).all() and (mixed.pieces == 2).sum() == 1


def test_the_matching_score_is_the_papers(library):
    plan = felt_plan(1, 6)
    controls = controls_of_plan(plan)
    chooser = Chooser(library, Match())
    stretches, costs = chooser.costs(spans_of(plan)[0])
    scores = matching_scores(
        library.column("density")[:16].astype(float), library.strength[:16].astype(float),
        controls.density.astype(float), controls.required.astype(float),
    )  # fmt: skip
    first = stretches.pieces == 0
    assert mismatch(spans_of(plan)[0], stretches)[first] == pytest.approx(1 - scores / (1 + scores), abs=1e-5)
    assert (costs[first] == mismatch(spans_of(plan)[0], stretches)[first]).all()


def test_selectors_are_found_by_name():
    assert {"emotion", "match"} <= set(SELECTORS.names()) and SELECTORS.load("match") is Match


def test_glad_pictures_get_glad_music(chooser, library):
    asked, got = [], []
    for seed in range(20):
        for span in spans_of(felt_plan(seed=seed)):
            asked.append(span.bars[0].affect.valence)
            got.append(library.valence[chooser.candidates(span).stretches.routes[0]].mean())
    assert np.corrcoef(asked, got)[0, 1] > 0.7
    assert len(TRANSPOSITIONS) == 12
