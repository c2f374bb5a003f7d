"""Who is to play is heard, chords follow the energy, and the tune moves by steps and comes back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hitpoint.model.compose.cmt.colour import Registers
from hitpoint.model.compose.cmt.leaning import Here, Place
from hitpoint.model.compose.cmt.presence import Fullness, Presence
from hitpoint.model.compose.cmt.tune import THEME_BARS, Tune, line_of, moves_of
from hitpoint.model.music.score import Bar, Note
from hitpoint.model.music.tokens import FIRST_TICK
from tests.model.material import make_plan

DRUMS, PIANO, GUITAR, BASS, STRINGS = range(5)


def bar(index: int, *pitches: int) -> Bar:
    return Bar(index, tuple(Note(4 * number, STRINGS, pitch, 4, 80) for number, pitch in enumerate(pitches)))


def test_who_is_behind_is_leant_to_and_rather_on_a_beat() -> None:
    presence = Presence((0, PIANO, 3))
    for tick in range(0, 8, 2):
        presence.chose("strength", Place(tick, 0, 0, 4))
    beat, weak = (presence.lean("instrument", Place(tick, -1, 0, 4)) for tick in (8, 9))
    assert beat[PIANO + 1] > beat[3 + 1] > 0 and 0 < weak[PIANO + 1] < beat[PIANO + 1]
    assert FIRST_TICK + 8 in presence.lean("beat", Place(8, 0, 0, 4))
    assert not presence.lean("beat", Place(8, 3, 0, 4)), "nobody is left on this tick"


def test_who_has_played_enough_is_left_alone() -> None:
    presence = Presence((PIANO,))
    for tick in range(0, 8, 2):
        presence.chose("strength", Place(tick, PIANO, 0, 4))
    assert not presence.lean("instrument", Place(8, -1, 0, 4))


def test_chords_grow_with_the_energy() -> None:
    calm, lively = (Fullness(energy).lean("strength", Place(0, PIANO, 0, 4)) for energy in (0.1, 0.8))
    assert calm[4] < calm[3] < 0 < lively[3] < lively[4]
    assert not Fullness(0.8).lean("pitch", Place(0, PIANO, 0, 4))


def test_the_last_chord_is_full_and_its_bass_a_single_note() -> None:
    plan = make_plan(4)
    last = Fullness.of(Here(replace(plan, ending="chord"), 3))
    assert last.lean("strength", Place(0, PIANO, 0, 1))[3 + 1] > 5, "or players of single lines end on an octave"
    assert not last.lean("strength", Place(0, BASS, 0, 1))


@pytest.mark.parametrize("players", [(0, 1, 2, 3, 4), (1, 3, 4), (3, 4)])
@pytest.mark.parametrize("energy", [0.1, 0.9])
def test_the_bass_is_low_whatever_the_music_is_like(players: tuple[int, ...], energy: float) -> None:
    nats = Registers(players, energy).lean("pitch", Place(0, BASS, 23, 4))
    assert all(nats[pitch + 1] < -3 for pitch in (52, 55, 62)) and not any(pitch + 1 in nats for pitch in range(30, 46))


def test_guitar_and_strings_keep_out_of_each_others_way() -> None:
    registers = Registers((DRUMS, PIANO, GUITAR, BASS, STRINGS), 0.5)
    guitar, strings = (registers.lean("pitch", Place(0, player, 28, 4)) for player in (GUITAR, STRINGS))
    shared = [pitch for pitch in range(28, 104) if pitch + 1 not in guitar and pitch + 1 not in strings]
    assert not shared and min(guitar[60 + 1], strings[55 + 1]) == guitar[60 + 1] < -2
    leading = Registers((DRUMS, PIANO, GUITAR, BASS), 0.5, leader=GUITAR).lean("pitch", Place(0, GUITAR, 28, 4))
    assert not leading, "a tune lies where it lies"


def test_where_nobody_has_the_bass_the_lowest_of_the_others_reaches_down() -> None:
    for players, lowest, upper in (((PIANO, STRINGS), PIANO, STRINGS), ((GUITAR, PIANO), GUITAR, PIANO)):
        low, high = (Registers(players, 0.5).lean("pitch", Place(0, player, 21, 4)) for player in (lowest, upper))
        assert 37 + 1 not in low and 37 + 1 in high
        assert 37 + 1 in Registers((*players, BASS), 0.5).lean("pitch", Place(0, lowest, 21, 4))


def test_the_tune_is_the_highest_note_of_its_player_and_has_moves() -> None:
    first = Bar(0, (Note(0, PIANO, 90, 4, 80), Note(0, STRINGS, 60, 4, 80), Note(0, STRINGS, 67, 4, 80)))
    assert line_of(first) == [(0, 67)]
    assert [tuple(move) for move in moves_of([first, bar(1, 69, 65)], 1)] == [(0, 2), (4, -4)]


def best_pitch(tune: Tune, place: Place) -> int:
    nats = np.full(128, 0.0)
    for pitch, each in tune.lean("pitch", place).items():
        nats[pitch - 1] = each
    return int(nats.argmax())


def test_the_tune_goes_by_steps_and_leaves_its_top_room() -> None:
    tune = Tune(STRINGS, [bar(0, 64)])
    assert abs(best_pitch(tune, Place(0, STRINGS, 28, 4)) - 64) in (1, 2)
    below = tune.lean("pitch", Place(0, STRINGS, 28, 4, owed_notes=1))
    assert below[70 + 1] < 0 and 50 + 1 not in below, "lower notes of a chord stay lower"


def test_the_tune_recalls_the_moves_of_a_theme_from_any_pitch() -> None:
    again = moves_of([bar(0, 60, 65, 64)], 0)
    tune = Tune(STRINGS, [bar(THEME_BARS - 1, 72)], again)
    assert best_pitch(tune, Place(4, STRINGS, 28, 4)) == 77
    assert tune.lean("instrument", Place(4, -1, 0, 4))[STRINGS + 1] > 0
    assert tune.lean("instrument", Place(6, -1, 0, 4))[STRINGS + 1] < 0


def test_a_planned_note_is_left_to_the_plan() -> None:
    tune = Tune(STRINGS, [bar(0, 64)], planned={4})
    assert not tune.lean("pitch", Place(4, STRINGS, 28, 4)) and tune.lean("pitch", Place(6, STRINGS, 28, 4))
