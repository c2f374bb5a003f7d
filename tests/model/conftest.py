"""Songs and shards made once for all tests of the model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.model.material import write_song


@pytest.fixture(scope="session")
def song_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty songs in two genres, named so that the genre is known."""
    folder = tmp_path_factory.mktemp("songs") / "songs0"  # which songs are held out hangs on this name
    folder.mkdir()
    for number in range(40):
        write_song(folder / f"{('rock', 'pop')[number % 2]}_{number:02}.mid", seed=number)
    return folder


@pytest.fixture(scope="session")
def shard_folder(song_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The songs as shards."""
    from hitpoint.model.data.build import build

    out = tmp_path_factory.mktemp("shards")
    build([song_folder], out, workers=1)
    return out


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Small products gain nothing from more threads, and wait for each other on a busy machine."""
    torch.set_num_threads(1)
