"""What an edit is cut to: MIDI files of ours and of others, and what is no music."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.cut.music import levelled
from hitpoint.model.cut.read import read_music
from hitpoint.model.errors import InputError
from hitpoint.model.music.novelty import novelty, segments
from tests.model.cut.songs import others_song, our_song


def test_our_own_music_says_its_beats_and_sections(tmp_path: Path) -> None:
    score = our_song(tmp_path / "a.mid")
    music = read_music(tmp_path / "a.mid")
    assert music.is_midi and music.notes == () and music.beats_in_bar == 4
    assert music.duration_s == pytest.approx(score.duration_s, abs=1e-3)
    assert [section.label for section in music.sections] == ["A", "B", "A"]
    bars = [score.tempo_map.time_at_tick(bar) for bar in (0, 4, 8)]
    assert [section.start_s for section in music.sections] == pytest.approx(bars, abs=1e-3)
    assert music.beats_s == pytest.approx([score.tempo_map.time_at_beat(beat) for beat in range(48)], abs=1e-3)
    assert [section.level for section in levelled(music)] == [0.0, 1.0, 0.0]


def test_music_without_sections_is_looked_at_bar_by_bar(tmp_path: Path) -> None:
    our_song(tmp_path / "a.mid", "AAAABBBB", markers=False)
    music = read_music(tmp_path / "a.mid")
    assert [section.label for section in music.sections] == ["A", "B"]
    assert music.sections[1].start_s == pytest.approx(8 * 4 * 60 / 117, abs=1e-3)
    assert "names no sections" in music.notes[0]


@pytest.mark.parametrize(
    ("metre", "beats_in_bar", "beat_s"), [((3, 4), 3, 0.625), ((6, 8), 2, 0.9375), ((2, 2), 2, 1.25)]
)
def test_other_metres_of_somebody_else(
    tmp_path: Path, metre: tuple[int, int], beats_in_bar: int, beat_s: float
) -> None:
    others_song(tmp_path / "a.mid", *metre)
    music = read_music(tmp_path / "a.mid")
    bar_s = beats_in_bar * beat_s
    assert (music.beats_in_bar, music.beat_s) == (beats_in_bar, pytest.approx(beat_s, abs=1e-6))
    assert [round(section.start_s / bar_s, 3) for section in music.sections] == [0, 12]
    assert music.duration_s == pytest.approx(24 * bar_s, abs=0.1)  # not where its track ends


def test_markers_of_somebody_else_are_sections(tmp_path: Path) -> None:
    others_song(tmp_path / "a.mid", markers="Intro,Verse,Chorus,Verse")
    music = read_music(tmp_path / "a.mid")
    assert [section.label for section in music.sections] == ["Intro", "Verse", "Chorus", "Verse"] and not music.notes


def test_music_that_never_changes_is_one_section(tmp_path: Path) -> None:
    our_song(tmp_path / "a.mid", "AAAAAAAA", markers=False)
    music = read_music(tmp_path / "a.mid")
    assert len(music.sections) == 1 and levelled(music)[0].level == 0.5


def test_what_is_no_music(tmp_path: Path) -> None:
    others_song(tmp_path / "empty.mid", bars=0)
    (tmp_path / "b.mid").write_bytes(b"MThd")
    for name, words in (
        ("empty.mid", "no notes"),
        ("b.mid", "not a readable"),
        ("c.mid", "does not exist"),
        ("", "folder"),
    ):
        with pytest.raises(InputError, match=words):
            read_music(tmp_path / name)


def test_novelty_is_greatest_where_blocks_meet() -> None:
    rows = np.repeat(np.eye(3), [8, 10, 6], axis=0)
    assert sorted(np.argsort(-novelty(rows, 4))[:2]) == [8, 18]
    assert segments(rows, 4) == [(0, 0), (8, 1), (18, 2)]
    assert segments(np.vstack([rows, rows[:8]]), 4) == [(0, 0), (8, 1), (18, 2), (24, 0)]
    assert segments(rows[:1], 4) == segments(rows[:8], 4) == [(0, 0)]
