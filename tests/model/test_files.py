"""An output appears whole or not at all."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from hitpoint.bridge.state.store import sync_folder
from hitpoint.model.errors import MissingError, UsageError
from hitpoint.model.files import atomic, put_in_place
from tests.bridge.power_cuts import PowerCuts


def test_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.bin"
    with atomic(path) as part:
        part.write_bytes(b"first")
        assert not path.exists() and part.suffix == ".bin" and part.parent == path.parent
    assert path.read_bytes() == b"first"
    with pytest.raises(RuntimeError), atomic(path, force=True) as part:
        part.write_bytes(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"first"
    assert [p.name for p in tmp_path.iterdir()] == ["out.bin"]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into files by /proc")
def test_a_power_cut_leaves_the_old_file_or_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, found = tmp_path / "state", set()
    state.mkdir()
    path = state / "out.bin"
    with monkeypatch.context() as patch:
        disk = PowerCuts(
            state, tmp_path / "left", lambda left: found.add((left / path.name).read_bytes()), patch, share=0
        )
        with atomic(path) as part:
            part.write_bytes(b"old")
        sync_folder(state)
        disk.share = 1.0
        for number in range(20):
            with atomic(path, force=True) as part:
                part.write_bytes(b"new %d" % number)
    disk.close()
    assert {b"old", b"new 7"} < found <= {b"old", *(b"new %d" % number for number in range(20))}


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "none" / "a.mid", tmp_path / "file" / "a.mid", tmp_path):
        with pytest.raises(UsageError), atomic(path, force=True) as part:
            part.touch()


def test_a_folder_that_refuses() -> None:
    path = Path("/proc/hitpoint.mid")
    if not path.parent.is_dir():
        pytest.skip("this system has no /proc")
    with pytest.raises(UsageError, match=r"hitpoint\.mid"), atomic(path) as part:
        part.write_bytes(b"x")


def test_a_full_disk_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="disk is full"), atomic(tmp_path / "a") as part:
        part.touch()
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_on_windows_a_file_that_is_just_read_is_replaced_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, path, real, tries = tmp_path / "part", tmp_path / "film.mid", os.replace, []
    part.write_text("new")

    def held(*names: str) -> None:
        tries.append(names)
        if len(tries) < 4:
            raise PermissionError("the file is in use by another process")
        real(*names)

    monkeypatch.setattr(os, "replace", held)
    put_in_place(part, path, "win32")
    assert path.read_text() == "new" and len(tries) == 4
