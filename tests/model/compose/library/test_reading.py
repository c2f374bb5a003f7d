"""A folder of music becomes a library once; what changed is read again, what is broken is left out with its reason."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.compose.library import reading
from hitpoint.model.compose.library.bars import FIGURES
from hitpoint.model.compose.library.reading import of_shard, read_library
from hitpoint.model.data.build import load
from hitpoint.model.errors import InputError
from tests.model.compose.library.conftest import write_chords


def test_keys_chords_and_feelings_are_those_of_the_notes(library):
    assert len(library) == 12 * 16 and library.first.tolist() == list(range(0, 193, 16))
    major, minor = library.column("key_in")[0], library.column("key_in")[16]
    assert (major, minor) == (0, 12 + 5)
    assert library.column("chord_in")[:4].tolist() == library.column("chord_out")[:4].tolist()
    assert library.valence[:16].mean() > 0.5 > 0 > library.valence[16:32].mean()
    quick, slow = library.arousal[:16].mean(), library.arousal[32:48].mean()
    assert quick > slow and slow >= -1 and quick <= 1
    assert library.figures.shape == (192, len(FIGURES))


def test_it_is_read_once_and_only_what_changed_is_read_again(music, tmp_path, own_cache, monkeypatch):
    folder = tmp_path / "music"
    shutil.copytree(music, folder)
    first = read_library(folder)
    assert len(list((own_cache / "library").iterdir())) == 1
    read: list[str] = []
    inner = reading.read_file
    monkeypatch.setattr(reading, "read_file", lambda asked: read.append(asked[1].name) or inner(asked))
    again = read_library(folder)
    assert read == [] and again.sha256 == first.sha256
    assert np.array_equal(again.figures, first.figures, equal_nan=True) and again.pieces == first.pieces
    (folder / "00.mid").rename(folder / "zz.mid")
    assert read_library(folder).sha256 == first.sha256 and read == []
    write_chords(folder / "05.mid", 3, False, bars=8)
    changed = read_library(folder)
    assert read == ["05.mid"] and changed.sha256 != first.sha256


def test_a_damaged_cache_is_read_anew(music, own_cache):
    first = read_library(music)
    (kept,) = (own_cache / "library").iterdir()
    kept.write_bytes(kept.read_bytes()[:-40])
    assert read_library(music).sha256 == first.sha256
    kept.write_bytes(b"")
    assert read_library(music).sha256 == first.sha256


def test_what_cannot_be_used_is_left_out_with_its_reason(tmp_path):
    write_chords(tmp_path / "good.mid", 0, False)
    write_chords(tmp_path / "short.mid", 0, False, bars=2)
    (tmp_path / "broken.mid").write_bytes(b"MThd nothing")
    (tmp_path / "empty.MID").write_bytes(b"")
    shutil.copy(tmp_path / "good.mid", tmp_path / "copy.mid")
    found = read_library(tmp_path)
    assert [piece.file for piece in found.pieces] == ["copy.mid"]
    reasons = dict(found.left_out)
    assert reasons.keys() == {"short.mid", "broken.mid", "empty.MID"} and "2 bars" in reasons["short.mid"]
    assert "()" not in "".join(reasons.values()) and "it breaks off" in reasons["empty.MID"]
    again = read_library(tmp_path)
    assert dict(again.left_out) == reasons


def test_a_file_that_goes_while_it_is_read_is_left_out(music, tmp_path, monkeypatch):
    folder = tmp_path / "music"
    shutil.copytree(music, folder)
    inner = reading.read_file

    def gone(asked: tuple[str, Path]) -> tuple[str, reading.Read | str]:
        if asked[1].name == "03.mid":
            asked[1].unlink()
        if asked[1].name == "04.mid":
            write_chords(asked[1], 1, True, bars=9)
        return inner(asked)

    monkeypatch.setattr(reading, "read_file", gone)
    found = read_library(folder)
    assert {name for name, _ in found.left_out} == {"03.mid", "04.mid"}
    monkeypatch.setattr(reading, "read_file", inner)
    assert 9 in {piece.bars for piece in read_library(folder).pieces}  # nothing wrong was kept


@pytest.mark.parametrize("what", ["nothing", "a file", "no midi", "only broken", "too many"])
def test_a_library_of_no_use_is_one_sentence(tmp_path, monkeypatch, what):
    folder = tmp_path / "music"
    if what == "a file":
        folder.write_text("")
    elif what != "nothing":
        folder.mkdir()
    if what == "only broken":
        (folder / "x.mid").write_bytes(b"MThd")
    if what == "too many":
        monkeypatch.setattr(reading, "MOST_FILES", 3)
        for number in range(5):
            (folder / f"{number}.mid").write_bytes(b"")
    says = {"nothing": "no folder", "a file": "no folder", "no midi": "no MIDI files", "only broken": "none of 1"}
    with pytest.raises(InputError, match=says.get(what, "more than 3 MIDI files")):
        read_library(folder)


def test_shards_are_a_library_too(shard_folder):
    shard = load(shard_folder)
    found = read_library(shard_folder)
    assert len(found.pieces) == len(shard.pieces) and len(found) == sum(piece.bars for piece in shard.pieces)
    few = of_shard(shard, shard.pieces[:2])
    assert len(few.pieces) == 2 and few.sha256 != found.sha256
    with pytest.raises(InputError, match="no pieces"):
        of_shard(shard, ())
