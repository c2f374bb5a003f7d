"""The cache goes by content; it may be lost or damaged at any time and nobody notices."""

import os

import numpy as np
import pytest

from hitpoint.model.video import analyse as analysis
from hitpoint.model.video import cache
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.types import Clip
from tests.model.video.conftest import draw


@pytest.fixture
def decodings(monkeypatch):
    """Counts how often a film is really decoded."""
    seen = []
    true = analysis.measure

    def counted(clip, expected_s, progress):
        seen.append(clip)
        return true(clip, expected_s, progress)

    monkeypatch.setattr(analysis, "measure", counted)
    return seen


def same(a, b):
    return np.array_equal(a.motion, b.motion) and a.beats == b.beats and a.boundaries == b.boundaries


def test_second_time_nothing_is_decoded(film, decodings):
    first = analyse([Clip(film, 0.0, 6.0)])
    told = []
    second = analyse([Clip(film, 0.0, 6.0)], progress=told.append)
    assert len(decodings) == 1
    assert same(first, second)
    assert told[-1] == 1.0


def test_other_points_are_another_entry(film, decodings):
    analyse([Clip(film, 0.0, 2.0)])
    analyse([Clip(film, 0.0, 3.0)])
    assert len(decodings) == 2


def test_same_name_new_content(tmp_path, decodings):
    path = draw(tmp_path / "film.mp4")
    stamp = path.stat()
    moving = analyse([Clip(path)])
    draw(path, source="smptebars")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    still = analyse([Clip(path)])
    assert len(decodings) == 2
    assert moving.motion.mean() > still.motion.mean()
    assert moving.media[0].sha256 != still.media[0].sha256


def test_same_content_other_name(tmp_path, decodings):
    path = draw(tmp_path / "film.mp4")
    analyse([Clip(path)])
    rhythm = analyse([Clip(path.rename(tmp_path / "renamed.mp4"))])
    assert len(decodings) == 1
    assert rhythm.media[0].path.name == "renamed.mp4"


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[: len(b) // 2], lambda b: b"x" * len(b)])
def test_damaged_entry_is_made_again(damage, film, cache_folder, decodings):
    first = analyse([Clip(film, 0.0, 2.0)])
    (entry,) = (cache_folder / "analysis").iterdir()
    entry.write_bytes(damage(entry.read_bytes()))
    assert same(first, analyse([Clip(film, 0.0, 2.0)]))
    assert len(decodings) == 2
    assert same(first, analyse([Clip(film, 0.0, 2.0)]))
    assert len(decodings) == 2


def test_a_flipped_byte_is_noticed(film, cache_folder, decodings):
    analyse([Clip(film, 0.0, 2.0)])
    (entry,) = (cache_folder / "analysis").iterdir()
    data = bytearray(entry.read_bytes())
    data[len(data) // 2] ^= 0xFF
    entry.write_bytes(data)
    analyse([Clip(film, 0.0, 2.0)])
    assert len(decodings) == 2


def test_a_folder_that_cannot_be_written_is_no_error(film, tmp_path, monkeypatch):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, no folder")
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(blocked))
    assert analyse([Clip(film, 0.0, 2.0)]).duration_s == 2.0


def test_switched_off(film, monkeypatch, decodings):
    monkeypatch.setenv(cache.FOLDER_VARIABLE, "")
    analyse([Clip(film, 0.0, 2.0)])
    analyse([Clip(film, 0.0, 2.0)])
    assert len(decodings) == 2


def test_the_oldest_go_first(tmp_path):
    for age, name in enumerate(["new", "middle", "old"]):
        path = tmp_path / f"{name}.npz"
        path.write_bytes(b"0" * 1000)
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    cache.trim(tmp_path, 2000)
    assert sorted(p.stem for p in tmp_path.iterdir()) == ["middle", "new"]


def test_what_another_program_saw_is_not_taken(film, decodings, tmp_path, monkeypatch):
    analyse([Clip(film)])
    (tmp_path / "detector.py").write_text("SPEED = 2\n")
    monkeypatch.setattr(cache, "SOURCE", tmp_path)
    cache.program.cache_clear()
    analyse([Clip(film)])
    cache.program.cache_clear()
    assert len(decodings) == 2
