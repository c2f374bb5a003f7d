"""Notes last until their player's next one, as people's do, and no longer than what is planned."""

from __future__ import annotations

import pytest

from hitpoint.model.music.score import INSTRUMENTS, Bar, Note
from hitpoint.model.perform.hold import held
from hitpoint.model.perform.perform import perform
from hitpoint.model.plan.types import BarPlan, Playing

DRUMS, PIANO, GUITAR, BASS, STRINGS = range(len(INSTRUMENTS))


def lengths(asked: BarPlan, *notes: Note) -> list[int]:
    return [note.duration_ticks for note in held(Bar(0, notes), asked).notes]


def test_a_note_lasts_until_its_player_s_next_one() -> None:
    notes = (
        Note(0, BASS, 36, 1, 80),
        Note(2, PIANO, 60, 1, 80),
        Note(6, BASS, 38, 2, 80),
        Note(12, STRINGS, 72, 9, 80),
    )
    assert lengths(BarPlan(0, 4), *notes) == [6, 8, 8, 9]


def test_it_ends_at_stops_and_does_not_last_into_a_chord_it_has_no_part_in() -> None:
    notes = (Note(0, PIANO, 60, 1, 80), Note(0, PIANO, 64, 1, 80), Note(12, PIANO, 60, 1, 80))
    assert lengths(BarPlan(0, 3, chords=("C", "F"), stops=(14,)), *notes) == [8, 8, 2]
    later = (Note(4, PIANO, 60, 1, 80), Note(4, PIANO, 64, 1, 80))
    assert lengths(BarPlan(0, 2, chords=("C", "F")), *later) == [8, 4]
    assert lengths(BarPlan(0, 2, chords=("C", "F"), changes=(6,)), *later) == [8, 2]


@pytest.mark.parametrize(("energy", "ticks"), [(0.4, 8), (0.8, 2)])
def test_stabs_stay_stabs_where_it_is_lively(energy: float, ticks: int) -> None:
    assert lengths(BarPlan(0, 1, energy=energy), Note(4, GUITAR, 60, 2, 80)) == [ticks]
    assert lengths(BarPlan(0, 1, energy=energy, leader=GUITAR), Note(4, GUITAR, 60, 2, 80)) == [8]


def test_drums_what_the_plan_wrote_out_and_people_s_own_notes_stay_as_they_are() -> None:
    drum, scored, own = Note(0, DRUMS, 36, 1, 80), Note(2, PIANO, 60, 1, 80), Note(4, STRINGS, 72, 2, 80)
    assert lengths(BarPlan(0, 3, scored=(scored,)), drum, scored) == [1, 1]
    asked = BarPlan(0, 1, playing=Playing(1.0, 0.0, "pop", 120.0))
    assert perform(Bar(0, (own,)), asked, lengths_stand=True).notes[0].duration_ticks == 2
    assert perform(Bar(0, (own,)), asked).notes[0].duration_ticks > 2
