"""A library's music keeps what a plan promises, sounds as one piece, and can be edited like any other."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.compose.base import COMPOSERS, ComposerOptions
from hitpoint.model.compose.library.composer import LibraryComposer, heard
from hitpoint.model.compose.library.fit import Fitting
from hitpoint.model.compose.library.joins import DRUMS, _held, played
from hitpoint.model.compose.library.path import Chooser, Chosen
from hitpoint.model.compose.library.reading import read_library
from hitpoint.model.compose.library.select.emotion import Emotion
from hitpoint.model.data.labels import bars_of
from hitpoint.model.errors import UsageError
from hitpoint.model.music.score import TICKS_PER_BAR, Bar, Note
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.scene import with_scene
from hitpoint.model.plan.types import Plan, Wishes
from tests.model.compose.library.conftest import write_chords
from tests.model.compose.library.test_path import felt_plan, spans_of
from tests.model.material import make_plan
from tests.model.plan.conftest import _rhythm as make_rhythm


@pytest.fixture(scope="module")
def composer(library) -> LibraryComposer:
    return LibraryComposer(library, Chooser(library, Emotion()))


def of(folder: Path, **options: object) -> LibraryComposer:
    return LibraryComposer.create(ComposerOptions(library=folder, **options))  # type: ignore[arg-type]


def kept(plan: Plan, bars: list[Bar], densities: bool) -> None:
    """Every promise that binds, from the notes."""
    for bar, asked in zip(bars, plan.bars, strict=True):
        strengths = bar.strengths()
        assert [strengths.get(tick, 0) for tick, _ in asked.required] == [strength for _, strength in asked.required]
        assert not {(note.tick, note.instrument) for note in bar.notes} & set(asked.closed)
        assert set(asked.entries) <= {(note.tick, note.instrument) for note in bar.notes}
        assert set(asked.scored) <= {
            replace(n, duration_ticks=m.duration_ticks) for n in bar.notes for m in asked.scored
        }
        if densities and asked.density is not None:
            assert bar.density == asked.density
        end = plan.end_tick - bar.index * TICKS_PER_BAR
        assert all(note.tick + note.duration_ticks <= end for note in bar.notes)


@pytest.mark.parametrize("genre", ["pop", "orchestral", "metal"])
@pytest.mark.parametrize("control", [0.5, 1.0])
def test_a_film_is_hit_and_ends_at_home(composer, genre, control):
    plan = build_plan(make_rhythm(30.0, cuts_s=(3.1, 7.7, 11.2, 16.4, 22.9)), Wishes(genre=genre, control=control))
    bars = list(composer.stream(plan, 0))
    kept(plan, bars, control == 1.0)
    last = [note for note in bars[-1].notes if note.instrument != DRUMS]
    assert last and max(note.tick + note.duration_ticks for note in last) == plan.last_bar_ticks
    assert len({note.pitch % 12 for note in last if note.tick == max(n.tick for n in last)}) <= 3


def test_the_same_seed_gives_the_same_bars_from_anywhere_on(composer):
    plan = felt_plan(4, 4)
    bars = list(composer.stream(plan, 0))
    assert [bar.index for bar in bars] == list(range(16))
    assert list(composer.stream(plan, 0, bars[:5])) == bars[5:]
    takes = composer.takes(plan, range(3))
    assert takes[0] == bars and takes[1] != bars and takes[1] != takes[2]
    assert list(composer.together(plan, [0]))[-1] == (0, bars[-1])


def test_other_history_is_gone_on_from(composer):
    plan = felt_plan(4, 4)
    ours = list(composer.stream(plan, 0))
    others = (list(composer.stream(plan, seed)) for seed in range(1, 40))
    theirs = next(bars for bars in others if bars[5].notes != ours[5].notes)
    on = list(composer.stream(plan, 0, theirs[:6]))
    assert [bar.index for bar in on] == list(range(6, 16))
    assert on == list(composer.stream(plan, 0, theirs[:6]))


def test_new_bars_join_both_sides_and_leave_the_rest(composer):
    plan = felt_plan(4, 4)
    bars = list(composer.stream(plan, 0))
    new = composer.regenerate(plan, bars, 3, 9, seed=5)
    assert new[:3] == bars[:3] and new[10:] == bars[10:] and new[3:10] != bars[3:10]
    with pytest.raises(UsageError, match="leave none out"):
        composer.regenerate(plan, bars, 3, 9, instruments=(1,))
    said = composer.account(plan, 0, new)
    assert [row.get("changed", False) for row in said.sections] == [True, True, True, False]
    assert composer.account(plan, 0, bars).sections[0].keys() >= {"piece", "first_bar", "transpose", "join_cost"}


def test_drums_are_never_transposed_and_all_else_moves_together(composer, library):
    plan = replace(felt_plan(4, 4), control=0.0, bars=tuple(replace(b, required=()) for b in felt_plan(4, 4).bars))
    moved = 0
    for seed in range(6):
        bars = list(composer.stream(plan, seed))
        for chosen in composer.path(plan, seed):
            piece = int(library.piece_of[chosen.route[0]])
            source = bars_of(library.notes_of(piece), library.pieces[piece].bars)
            moved += chosen.transpose != 0
            for row, at in zip(chosen.route - library.first[piece], itertools.count(chosen.span.first_bar)):
                own, here = source[int(row)].notes, bars[at].notes
                assert {(n.tick, n.pitch) for n in own if not n.instrument} == {
                    (n.tick, n.pitch) for n in here if not n.instrument
                }
                steps = chosen.transpose
                assert {(n.tick, (n.pitch + steps) % 12) for n in own if n.instrument} == {
                    (n.tick, n.pitch % 12) for n in here if n.instrument
                }
    assert moved


def test_what_belongs_to_the_next_chord_is_held_over_the_join():
    last = Bar(0, (Note(8, 1, 60, 8, 80), Note(8, 1, 66, 12, 80), Note(8, 0, 36, 9, 80), Note(0, 4, 67, 4, 80)))
    first = Bar(1, (Note(4, 1, 64, 4, 80),))
    notes = {(n.instrument, n.pitch): n.duration_ticks for n in _held(last, first, (0, 4, 7)).notes}
    assert notes == {(1, 60): 12, (1, 66): 8, (0, 36): 9, (4, 67): 4}


def test_drums_are_carried_into_a_piece_that_has_none(tmp_path):
    write_chords(tmp_path / "glad.mid", 0, False, bars=4, drums=True)
    write_chords(tmp_path / "sad.mid", 0, True, bars=4, drums=False)
    library, plan = read_library(tmp_path), felt_plan(2, 4)
    path = [Chosen(span, np.arange(4) + 4 * at, 0, 0.0, 0.0) for at, span in enumerate(spans_of(plan))]
    assert [piece.file for piece in library.pieces] == ["glad.mid", "sad.mid"]
    bars = played(library, plan, path)
    assert all(any(note.instrument == DRUMS for note in bar.notes) for bar in bars)
    assert [n for n in bars[5].notes if not n.instrument] == [n for n in bars[1].notes if not n.instrument]


@pytest.mark.parametrize("what", ["one piece", "drums only", "no drums", "short pieces", "still"])
def test_poor_libraries_still_score_a_film(tmp_path, what):
    bars = 5 if what == "short pieces" else 12
    for number in range(1 if what == "one piece" else 2):
        write_chords(tmp_path / f"{number}.mid", 2 * number, False, bars=bars, every=16 if what == "still" else 4,
                     drums=what != "no drums", pitched=what != "drums only", seed=number)  # fmt: skip
    rhythm = make_rhythm(40.0, cuts_s=(3.1, 7.7, 11.2, 16.4, 22.9, 30.0, 35.5))
    plan = build_plan(rhythm, Wishes(control=1.0))
    composer = of(tmp_path)
    kept(plan, list(composer.stream(plan, 0)), True)
    assert len(plan.sections) > 1 and list(composer.stream(plan, 3))


@pytest.mark.parametrize("instruments", [(0,), (4,), (2, 3)])
def test_whoever_is_to_play_has_something_to_play(composer, instruments):
    plan = build_plan(make_rhythm(30.0, cuts_s=(3.1, 7.7, 16.4)), Wishes(instruments=instruments, control=1.0))
    bars = list(composer.stream(plan, 0))
    kept(plan, bars, True)
    assert {note.instrument for bar in bars for note in bar.notes} == set(instruments)


def test_it_is_one_of_the_composers_and_needs_music(music):
    assert COMPOSERS.load("library") is LibraryComposer and LibraryComposer.uses_library
    with pytest.raises(UsageError, match="needs music"):
        LibraryComposer.create(ComposerOptions())
    with pytest.raises(UsageError, match="no way of choosing 'best'"):
        of(music, select="best")
    assert list(of(music, select="match").stream(felt_plan(), 0))


def test_music_of_no_library_is_heard_as_a_bar_to_join(composer):
    bars = list(composer.stream(felt_plan(), 0))
    last, first = heard(bars), heard(bars, entry=True)
    assert last.row[0] == first.row[0] == -2 and 0 <= last.key[0] < 24 and np.isfinite(first.pitch[0])
    assert heard([Bar(0)]).key[0] == -1


def test_a_chord_struck_for_a_hit_is_no_larger_than_asked(composer):
    plan = make_plan(2, control=1.0)
    asked = replace(plan.bars[1], density=None, required=((5, 2),))
    fitting = Fitting(replace(plan, bars=(plan.bars[0], asked)), (0, 4, 7), False)
    chord = tuple(Note(0, 1, pitch, 4, 80) for pitch in (48, 55, 60, 64, 67, 72))
    bar = fitting.bar(Bar(1, chord), {})
    assert bar.strengths() == {0: 6, 5: 2} and fitting.changed["struck"] == 1


def test_what_is_said_live_changes_the_music_from_there_on_and_joins_it(composer):
    plan = felt_plan(4, 4)
    bars = list(composer.stream(plan, 0))
    live = with_scene(plan, 6, -0.9, -0.9)
    assert [section.first_bar for section in live.sections] == [0, 4, 6, 8, 12]
    on = list(composer.stream(live, 0, bars[:6]))
    assert [bar.index for bar in on] == list(range(6, 16))
    felt = [with_scene(plan, 6, valence, arousal) for valence in (-0.9, 0.9) for arousal in (-0.9, 0.9)]
    stretches = [composer.next_stretch(each, 0, bars[:6]) for each in felt]
    assert {len(each.span) for each in stretches} == {2} and len({tuple(each.route) for each in stretches}) > 1
    assert list(composer.stream(live, 0, [*bars[:6], *on[:3]])) == on[3:], "it goes on the same way from any bar"


def test_a_changed_folder_is_noticed(music, tmp_path):
    folder = tmp_path / "music"
    shutil.copytree(music, folder)
    composer = of(folder)
    assert not composer.is_stale()
    write_chords(folder / "new.mid", 3, True)
    assert composer.is_stale() and list(composer.stream(felt_plan(), 0)), "what was read goes on being played"
