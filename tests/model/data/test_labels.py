"""What is known of a piece bar by bar: from people where they say it, from the notes elsewhere."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.data.build import build, load
from hitpoint.model.data.labels import Known, half_bars, known_of, labels_of, measured, write_affect
from hitpoint.model.data.reader import Piece
from hitpoint.model.data.splits import song_key
from hitpoint.model.data.windows import CONTROLLED, Augmentation, Windows, players
from hitpoint.model.errors import InputError
from hitpoint.model.music.chords import Chord
from hitpoint.model.music.keys import Key
from hitpoint.model.music.tokens import notes_of_table
from hitpoint.model.network.conditions import CHORDS, COLUMN, FIRST_ROOT, HAS, MAJOR, MINOR, NO_CHORD, chord_classes
from tests.model.material import write_song

C, G7, A_MINOR = Chord(0, "maj"), Chord(7, "7"), Chord(9, "min")


def chordal(chords: list[Chord], velocity: int = 80) -> Piece:
    """One chord a half bar, struck by the piano, its root in the bass."""
    rows = []
    for number, chord in enumerate(chords):
        bar, tick = number // 2, 8 * (number % 2)
        rows += [(bar, tick, 1, 60 + tone, 8, velocity + number % 3 * 9) for tone in sorted(chord.tones)]
        rows.append((bar, tick, 3, 36 + chord.root, 8, velocity))
    return Piece(notes_of_table(np.array(sorted(rows), np.int32)), (len(chords) + 1) // 2, 120.0)


def test_chords_that_nobody_labelled_are_read_off_the_notes() -> None:
    piece = chordal([C, C, A_MINOR, G7, C, C, A_MINOR, C])
    rows = measured(piece, Known()).rows
    assert rows[:, :4].tolist()[1] == [*chord_classes(A_MINOR), *chord_classes(G7)]
    assert set(rows[:, 4]) == {MAJOR} and not rows[:, 8].any()


def test_what_people_say_counts_more_than_the_notes() -> None:
    piece = chordal([C] * 8)
    known = Known((G7, None, *[C] * 5), starts=(0, 2), key=Key(9, True))
    rows = measured(piece, known).rows
    assert rows[0, :4].tolist() == [*chord_classes(G7), NO_CHORD, NO_CHORD]
    assert set(rows[:, 4]) == {MINOR} and rows[:, 8].tolist() == [2, 1, 2, 1]
    assert labels_of(rows).starts.tolist() == [True, False, True, False]


def test_the_chord_that_fills_most_of_a_half_bar_names_it() -> None:
    assert half_bars([(0, C), (3, G7)], 0) == (C, C)
    assert half_bars([(0, C), (1, G7), (2, A_MINOR)], 0) == (C, A_MINOR)
    assert half_bars([(1, G7)], 2) == (None, Chord(9, "7"))
    assert half_bars([], 0) == (None, None)


def test_a_song_lends_its_chords_and_sections_as_high_as_the_piece_stands() -> None:
    songs = {"7": {"sections": [{"bars": ["0:C", "0:Am 2:G7/B"]}, {"bars": ["0:z"]}]}}
    known = known_of({"id": "7", "transpose": -2}, songs)
    assert known.chords == (Chord(10, "maj"), Chord(10, "maj"), Chord(7, "min"), Chord(5, "7"), None, None)
    assert known.starts == (0, 2)
    listed = known_of({"id": "8", "chords": [[[0, [11, "m7", None]], [2, None]]]}, songs)
    assert listed.chords == (Chord(11, "min7"), None) and listed.starts == ()
    assert known_of({"id": "9", "key": "e-:do"}, {}).key == Key(3, True)
    assert known_of({"id": "9", "key": "F# minor"}, {}).key == Key(6, True)
    assert known_of({"id": "9", "key": None, "fifths": -3}, {}).relatives == (Key(3, False), Key(0, True))


def test_bright_music_ranks_above_dark_music() -> None:
    bright, dark = chordal([C, Chord(5, "maj"), Chord(7, "maj"), C] * 4), chordal([A_MINOR, Chord(2, "min")] * 8, 40)
    pieces = [measured(bright, Known()), measured(dark, Known())]
    write_affect(pieces, [140.0, 60.0], ["one", "one"], [True, True])
    (valence, arousal, tension), (below, calmer, _) = (piece.rows[:, 5:8].T for piece in pieces)
    assert valence.min() > below.max() and arousal.min() > calmer.max()
    assert tension.min() >= 1 and tension.max() <= 8


def test_velocities_that_are_all_alike_say_nothing() -> None:
    piece = chordal([C] * 8)
    alike = Piece(piece.notes._replace(velocity=np.full_like(piece.notes.velocity, 80)), piece.bars, 120.0)
    found = measured(alike, Known())
    assert found.flat and np.isnan(found.feelings[:, 2]).all() and not measured(piece, Known()).flat


def test_music_without_pitches_has_no_chords_and_no_key() -> None:
    drums = Piece(notes_of_table(np.array([(bar, 0, 0, 36, 1, 90) for bar in range(4)], np.int32)), 4, 120.0)
    rows = measured(drums, Known()).rows
    assert (rows[:, :4] == NO_CHORD).all() and not rows[:, 4].any()
    write_affect([measured(drums, Known())], [120.0], ["drums"], [False])


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with a manifest, and chords and sections of its songs beside it."""
    root = tmp_path_factory.mktemp("labelled")
    folder = root / "set"
    (folder / "midi").mkdir(parents=True)
    entries = [{"file": f"{n}.mid", "source": "own", "id": str(n), "genre": "rock", "transpose": 1} for n in range(6)]
    for number in range(6):
        write_song(folder / "midi" / f"{number}.mid", seed=number)
    (folder / "manifest.json").write_text(json.dumps(entries))
    bars = [{"label": "A", "bars": ["0:C"] * 10}, {"label": "B", "bars": ["0:F 2:G7"] * 14}]
    songs = {"own": {str(n): {"sections": bars} for n in range(6)}}
    (root / "songs.json.xz").write_bytes(lzma.compress(json.dumps(songs).encode()))
    build([folder], root / "shards", workers=1)
    return root


def test_windows_are_told_what_the_shard_knows_transposed_with_the_music(labelled: Path) -> None:
    shard = load(labelled / "shards")
    split = shard.pieces[0].split
    told = Windows(shard, split, 4000, augmentation=CONTROLLED).draw(np.random.default_rng(3)).table[0]
    bars_from_start = told[:, COLUMN["bars_from_start"]] - 1
    rows = told[1:][bars_from_start[1:] >= 1]
    numbers = bars_from_start[1:][bars_from_start[1:] >= 1] - 1
    for number, row in zip(numbers, rows, strict=True):  # the songs stand a semitone lower than the pieces
        expected = (1, 1) if number < 10 else (6, 8)
        assert row[CHORDS][::2].tolist() == [FIRST_ROOT + root for root in expected]
        assert row[COLUMN["bars_to_change"]] == (min(10 - number, 9) if number < 10 else 9)
    moved = Windows(shard, split, 4000, augmentation=Augmentation(drop_track=0, control=1, forget=0, unnamed=0))
    seen = set()
    for seed in range(12):
        table = moved.draw(np.random.default_rng(seed)).table[0]
        known = table[table[:, COLUMN["root_0"]] > 0]
        seen.add(int(known[0, COLUMN["root_0"]]))
    assert len(seen) > 3 and min(seen) >= FIRST_ROOT


def test_labels_that_are_none_and_songs_that_are_damaged_are_one_sentence(labelled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    write_song(folder / "a.mid")
    (folder / "manifest.json").write_text(json.dumps([{"file": "a.mid", "chords": [[[0, [3, "zzz", None]]]]}]))
    with pytest.raises(InputError, match="has labels that cannot be read"):
        build([folder], tmp_path / "out", workers=1)
    (folder / "songs.json").write_text("[]")
    with pytest.raises(InputError, match="holds no songs"):
        build([folder], tmp_path / "out", workers=1)


def test_who_plays_is_told_phrase_by_phrase() -> None:
    notes = notes_of_table(np.array([(0, 0, 0, 36, 1, 9), (5, 0, 1, 60, 1, 9), (6, 0, 4, 60, 1, 9)], np.int32))
    who = players(notes, 8, np.arange(8) == 6)
    assert [np.flatnonzero(row).tolist() for row in who] == [[0]] * 4 + [[1]] * 2 + [[4]] * 2
    assert HAS.stop - HAS.start == who.shape[1]


def test_scores_are_split_by_their_own_key() -> None:
    entry = {"file": "lieder_0001.mid", "source": "lieder", "id": "x"}
    assert song_key("scores", entry) == "scores/lieder/x"
