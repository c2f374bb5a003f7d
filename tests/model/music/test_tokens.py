"""Notes and rows are two spellings of the same music."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitpoint.model.data.reader import read_piece
from hitpoint.model.music import tokens
from hitpoint.model.music.score import Bar, Note
from tests.model.material import SHARED, write_song

notes_strategy = st.builds(
    Note, st.integers(0, 15), st.integers(0, 4), st.integers(0, 127), st.sampled_from(tokens.DURATIONS),
    st.integers(0, 15).map(lambda k: 8 * k + 4),
)  # fmt: skip
bars_strategy = st.lists(st.lists(notes_strategy, max_size=40), min_size=1, max_size=6)


def canonical(bars: list[list[Note]]) -> list[Bar]:
    table = [Bar(i, tuple(sorted(notes))) for i, notes in enumerate(bars)]
    return tokens.decode(tokens.encode(tokens.trim(tokens.notes_of(table)), len(table), end=True).rows)


@given(bars_strategy)
def test_bars_to_rows_and_back_are_equal(raw: list[list[Note]]) -> None:
    bars = canonical(raw)
    encoded = tokens.encode(tokens.notes_of(bars), len(bars), end=True)
    assert tokens.decode(encoded.rows) == bars


@given(bars_strategy)
def test_density_and_strength_count_down_to_nothing(raw: list[list[Note]]) -> None:
    bars = canonical(raw)
    owed_ticks = owed_notes = 0
    last_tick = -1
    for row in tokens.encode(tokens.notes_of(bars), len(bars), end=False).rows.tolist():
        if row[tokens.TYPE] == tokens.NOTE:
            owed_notes -= 1
            assert row[tokens.STRENGTH] - 1 == owed_notes
            continue
        assert owed_notes == 0
        if row[tokens.BEAT] == tokens.BAR_LINE:
            assert owed_ticks == 0
            owed_ticks, last_tick = row[tokens.DENSITY] - 1, -1
        else:
            owed_ticks -= row[tokens.BEAT] != last_tick
            last_tick = row[tokens.BEAT]
            owed_notes = row[tokens.STRENGTH] - 1
            assert row[tokens.DENSITY] - 1 == owed_ticks
    assert owed_ticks == owed_notes == 0


def test_a_note_before_any_beat_is_refused() -> None:
    with pytest.raises(ValueError, match="before any beat"):
        tokens.decode(np.array([[tokens.NOTE, 0, 0, 1, 1, 60, 1, 8]], np.int16))


def test_a_written_song_round_trips(tmp_path) -> None:
    write_song(tmp_path / "a.mid", ticks_per_beat=96)
    piece = read_piece(tmp_path / "a.mid")
    again = tokens.notes_of(tokens.decode(tokens.encode(piece.notes, piece.bars, end=True).rows))
    for name in ("bar", "tick", "instrument", "pitch", "duration"):
        assert (getattr(again, name) == getattr(piece.notes, name)).all(), name


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data, the training music")
def test_real_music_round_trips(tmp_path) -> None:
    import tarfile

    with tarfile.open(SHARED / "data" / "real5.tar.xz") as archive:
        names = [name for name in archive.getnames() if name.endswith(".mid")][::12]
        for name in names:
            (tmp_path / "x.mid").write_bytes(archive.extractfile(name).read())
            piece = read_piece(tmp_path / "x.mid")
            again = tokens.notes_of(tokens.decode(tokens.encode(piece.notes, piece.bars, end=True).rows))
            for column in ("bar", "tick", "instrument", "pitch"):
                assert (getattr(again, column) == getattr(piece.notes, column)).all(), name
            assert (tokens.duration_class(again.duration) == tokens.duration_class(piece.notes.duration)).all()
    assert len(names) >= 10
