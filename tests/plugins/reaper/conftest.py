"""An emulated REAPER, a film, and a bridge beside it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hitpoint.bridge.hosts.reaper import requests as file_requests
from tests.plugins.reaper.fake_bridge import FakeBridge
from tests.plugins.reaper.real_bridge import make_real_film, prepare
from tests.plugins.reaper.reaper_emulated import Reaper


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A file that only has to be there: the fake bridge does not look into it."""
    path = tmp_path / "my film.v2.mp4"
    path.write_bytes(b"film")
    return path


@pytest.fixture
def bridge(tmp_path: Path):
    made = FakeBridge(tmp_path)
    yield made
    made.close()


@pytest.fixture
def relay(tmp_path: Path, bridge: FakeBridge):
    """The bridge's end of the folder, in a thread. Setting the event kills it."""
    stop = threading.Event()
    thread = threading.Thread(
        target=file_requests.run, args=(tmp_path / "resources" / "Hitpoint", bridge.address, stop)
    )
    thread.start()
    yield stop
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def reaper(tmp_path: Path):
    made = Reaper(tmp_path / "resources")
    yield made
    made.close()


@pytest.fixture(scope="session")
def real_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that the real bridge can look at."""
    return make_real_film(tmp_path_factory.mktemp("film"))


@pytest.fixture
def bridges(tmp_path: Path, reaper: Reaper):
    """What the emulated REAPER starts is started, and ended at the test's end."""
    made = prepare(tmp_path, reaper)
    yield made
    made.close()
