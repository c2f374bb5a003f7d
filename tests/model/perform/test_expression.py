"""Played as people play: what moves, how far, and what a hit, a bar line and the end are owed whatever is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hitpoint.model.music.score import INSTRUMENTS, Bar, Note
from hitpoint.model.perform.controllers import EXPRESSION, PEDAL
from hitpoint.model.perform.features import drums, pitched
from hitpoint.model.perform.hold import held
from hitpoint.model.perform.perform import perform, perform_all
from hitpoint.model.perform.players import guess
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.types import BarPlan, Plan, Playing, Wishes
from tests.fakes import FakeComposer, fake_rhythm

PLAYED = Playing(1.0, 0.0, "pop", 120.0)
FLAT = tuple((0.0, 0.0) for _ in range(16))


def planned(**wishes: object) -> Plan:
    return build_plan(fake_rhythm(24.3, Path("film.mp4")), Wishes(genre="rock", seed=3, **wishes))  # type: ignore[arg-type]


def played(plan: Plan) -> tuple[tuple[Bar, ...], tuple[Bar, ...]]:
    """As composed, and as played."""
    bars = tuple(FakeComposer().stream(plan, 3))
    return bars, perform_all(bars, plan)


def exact(bar: BarPlan) -> set[int]:
    return {0, *(tick for tick, _ in (*bar.required, *bar.required_told))}


def test_hits_downbeats_and_the_end_are_exact_and_much_else_is_not() -> None:
    plan = planned(swing=1.0)
    composed, bars = played(plan)
    off = [note for bar in bars[:-1] for note in bar.notes if note.shift_ticks]
    assert len(off) > 0.3 * sum(len(bar.notes) for bar in bars)
    assert all(abs(note.shift_ticks) <= 1 / 3 + 1e-9 for note in off)
    for bar, asked in zip(bars, plan.bars, strict=True):
        for note in bar.notes:
            assert note.tick not in exact(asked) or note.shift_ticks == 0
            end = note.tick + note.duration_ticks
            if end in exact(asked) | set(asked.stops) or asked is plan.bars[-1]:
                assert note.end_ticks == pytest.approx(end)
    bare = [[replace(note, velocity=0, shift_ticks=0.0, release_ticks=0.0) for note in bar.notes] for bar in bars]
    whole = [held(bar, asked) for bar, asked in zip(composed[:-1], plan.bars, strict=False)]
    assert bare == [[replace(note, velocity=0) for note in bar.notes] for bar in (*whole, composed[-1])]


def test_the_same_bar_is_played_the_same_alone() -> None:
    plan = planned()
    composed, bars = played(plan)
    assert perform(composed[3], plan.bars[3]) == bars[3]


def test_nothing_asked_leaves_the_grid_and_no_controllers() -> None:
    plan = planned(humanise=0.0)
    assert all(bar.playing is None for bar in plan.bars)
    _, bars = played(plan)
    assert not any(note.shift_ticks or note.release_ticks for bar in bars for note in bar.notes)
    assert not any(bar.controllers for bar in bars)


def test_half_as_much_moves_half_as_far() -> None:
    full, half = (played(planned(humanise=amount))[1] for amount in (1.0, 0.5))
    far = [abs(note.shift_ticks) for bar in full for note in bar.notes]
    near = [abs(note.shift_ticks) for bar in half for note in bar.notes]
    assert sum(near) == pytest.approx(sum(far) / 2, rel=0.1)


@pytest.mark.parametrize(("genre", "late"), [("rock", {1: 1 / 6, 2: 1 / 3, 3: 1 / 6}), ("dance", {1: 1 / 3, 3: 1 / 3})])
def test_swing_delays_the_second_of_two(genre: str, late: dict[int, float]) -> None:
    notes = tuple(Note(tick, 1, 60 + tick, 1, 80) for tick in range(16))
    asked = BarPlan(0, 16, dynamics=FLAT, playing=Playing(0.0, 1.0, genre, 120.0))
    shifts = [note.shift_ticks for note in perform(Bar(0, notes), asked).notes]
    assert shifts == pytest.approx([late.get(tick % 4, 0.0) for tick in range(16)])


def test_a_strummed_chord_is_spread_and_a_tune_comes_first() -> None:
    chord = tuple(Note(4, 2, pitch, 4, 80) for pitch in (45, 52, 57, 61))
    tune = Note(4, 4, 76, 4, 80)
    asked = BarPlan(0, 4, dynamics=FLAT, leader=4, playing=PLAYED)
    *strings, lead = perform(Bar(0, (*chord, tune)), asked).notes
    shifts = [note.shift_ticks for note in strings]
    assert shifts == sorted(shifts) and shifts[-1] > shifts[0]
    unled = perform(Bar(0, (*chord, tune)), replace(asked, leader=None)).notes[-1]
    assert lead.shift_ticks < unled.shift_ticks


def test_lines_are_tied_repetitions_let_go_and_stabs_are_short() -> None:
    strings, piano = INSTRUMENTS.index("strings"), INSTRUMENTS.index("piano")
    notes = (Note(1, piano, 60, 2, 80), Note(2, strings, 70, 2, 80), Note(4, strings, 72, 2, 80),
             Note(6, strings, 72, 2, 80), Note(8, piano, 60, 8, 80))  # fmt: skip
    asked = BarPlan(0, 4, energy=0.8, dynamics=FLAT, playing=PLAYED)
    stab, tied, repeated, last, _ = perform(Bar(0, notes), asked).notes
    assert stab.release_ticks < 0 and tied.release_ticks > 0 and repeated.release_ticks < 0 and last.release_ticks == 0


def ends(notes: tuple[Note, ...], **asked: object) -> list[float]:
    """Where the notes of a calm bar end as they are played, less what they are moved by."""
    plan = BarPlan(0, 4, dynamics=FLAT, playing=PLAYED, **asked)  # type: ignore[arg-type]
    return [round(note.end_ticks, 3) for note in perform(Bar(0, notes), plan).notes]


def test_the_last_that_sound_are_held_where_nobody_would() -> None:
    piano, bass = INSTRUMENTS.index("piano"), INSTRUMENTS.index("bass")
    calm = (Note(0, piano, 59, 2, 80), Note(0, bass, 35, 10, 80), Note(14, piano, 62, 2, 80))
    assert ends(calm)[1] == 14, "until the next note"
    assert ends(calm)[0] < 10, "who has ended earlier has ended"
    assert ends(calm[:2])[1] == 16, "to the bar line at the most"
    assert ends(calm, stops=(13,))[1] == 13, "a breath of the plan stays one"
    assert ends(calm, stops=(10,))[1] == 10
    assert ends(calm, required=((10, 3),))[1] == 10, "what ends at a hit ends there"
    again = ends((*calm[:2], Note(14, bass, 35, 2, 80)))[1]
    assert again == 13.75, "it is let go before it is struck again"


def test_nothing_is_held_under_drums_nor_as_it_is_written() -> None:
    piano, drums = INSTRUMENTS.index("piano"), INSTRUMENTS.index("drums")
    beat = tuple(Note(t, drums, 42, 1, 80) for t in (4, 8, 12))
    stabs = (Note(0, drums, 36, 1, 80), Note(0, piano, 59, 2, 80), *beat)
    assert ends(stabs, energy=0.8)[1] < 3
    written = BarPlan(0, 1, dynamics=FLAT, playing=replace(PLAYED, humanise=0.0))
    assert perform(Bar(0, (Note(0, piano, 59, 4, 80),)), written).notes[0].end_ticks == 4


def test_strings_swell_and_the_pedal_is_lifted_at_each_chord() -> None:
    strings, piano = INSTRUMENTS.index("strings"), INSTRUMENTS.index("piano")
    notes = (Note(0, piano, 60, 8, 80), Note(0, strings, 72, 16, 80), Note(8, piano, 65, 8, 80))
    asked = BarPlan(0, 2, dynamics=FLAT, chords=("C", "F"), playing=PLAYED)
    moves = perform(Bar(0, notes), asked).controllers
    swell = [each.value for each in moves if each.number == EXPRESSION]
    assert swell.index(max(swell)) not in (0, len(swell) - 1) and max(swell) - min(swell) >= 10
    pedal = [(each.tick, each.value) for each in moves if each.number == PEDAL]
    assert pedal == [(0.0, 0), (0.5, 127), (8.0, 0), (8.5, 127)]
    assert {each.number for each in moves if each.tick == 0} == {EXPRESSION, PEDAL}


def test_the_pedal_is_up_in_a_breath() -> None:
    notes = (Note(0, 1, 60, 4, 80), Note(4, 1, 64, 4, 80))
    asked = BarPlan(0, 2, dynamics=FLAT, stops=(8,), chords=("C", "C"), playing=PLAYED)
    pedal = [(each.tick, each.value) for each in perform(Bar(0, notes), asked).controllers if each.number == PEDAL]
    assert pedal == [(0.0, 0), (0.5, 127), (8.0, 0)]


def test_people_play_the_beat_louder_than_what_is_between() -> None:
    ticks = range(0, 16, 2)
    hats = guess("drums", drums(ticks, [42] * 8, "rock", 110.0))[:, 0]
    assert hats[::2].mean() > hats[1::2].mean()
    chord = guess("keys", pitched([0] * 3, [48, 60, 72], [4] * 3, [], 100.0))
    assert chord.shape == (3, 2)


def test_learned_loudness_takes_the_place_of_what_was_composed() -> None:
    notes = tuple(Note(tick, 1, 60, 2, 40 + 20 * (tick % 4)) for tick in range(0, 16, 2))
    learned = perform(Bar(0, notes), BarPlan(0, 8, dynamics=FLAT, playing=PLAYED))
    ruled = perform(Bar(0, notes), BarPlan(0, 8, dynamics=FLAT, playing=replace(PLAYED, learned=False)))
    plain = perform(Bar(0, notes), BarPlan(0, 8, dynamics=FLAT))
    velocities = [[note.velocity for note in bar.notes] for bar in (learned, ruled, plain)]
    assert velocities[1] == velocities[2] != velocities[0]
