"""The plugin's scripts in an *emulated* REAPER, which start and drive the real bridge (with a stand-in composer)."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hitpoint.bridge import file_rows
from tests.plugins.reaper import reaper_emulated as emulated
from tests.plugins.reaper.reaper_emulated import Reaper
from tests.plugins.reaper.rpp_project import RppProject, largest_error_s, midi_notes

REPO = Path(__file__).resolve().parents[3]
MIDI_TICK_S = 60 / 200 / 480


def make_film(path: Path, scenes: tuple[tuple[str, float], ...]) -> Path:
    """Test pictures of ffmpeg's, one after the other."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    inputs: list[str] = []
    for source, seconds in scenes:
        inputs += ["-f", "lavfi", "-t", str(seconds), "-i", f"{source}=size=320x180:rate=24"]
    joined = "".join(f"[{index}:v]setsar=1[v{index}];" for index in range(len(scenes)))
    joined += "".join(f"[v{index}]" for index in range(len(scenes))) + f"concat=n={len(scenes)}"
    command = ["ffmpeg", "-v", "error", "-y", *inputs, "-filter_complex", joined, "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(command, check=True, timeout=120)
    return path


@pytest.fixture(scope="module")
def real_film(tmp_path_factory) -> Path:
    scenes = (("testsrc2", 3.0), ("mandelbrot", 3.5), ("smptebars", 2.5), ("testsrc", 3.0))
    return make_film(tmp_path_factory.mktemp("film") / "real film.mp4", scenes)


class Bridges:
    """What the emulated REAPER's ExecProcess starts: real processes, each ended at the test's end."""

    def __init__(self, reaper: Reaper, environment: dict[str, str]) -> None:
        self.reaper, self.environment = reaper, environment
        self.started: list[subprocess.Popen[bytes]] = []

    def start_wanted(self) -> None:
        for command in self.reaper.lua("local all = emu.exec emu.exec = {} return all"):
            words = [*shlex.split(command), "--no-screen", "--no-realtime"]
            log = (self.reaper.folder / f"bridge-{len(self.started)}.log").open("wb")
            self.started.append(subprocess.Popen(words, env=self.environment, cwd=REPO, stdout=log, stderr=log))

    def close(self) -> None:
        for process in self.started:
            process.send_signal(signal.SIGTERM)
        for process in self.started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def bridges(tmp_path, reaper):
    config = tmp_path / "hitpoint.yaml"
    settings = {
        "port": free_port(),
        "midi_port": "none",
        "state_dir": str(tmp_path / "state"),
        "composer": "tests.plugins.reaper.fake_tools:make_tools",
        "roots": [str(tmp_path.parent)],
        "synth": False,
    }
    config.write_text(json.dumps(settings))
    (reaper.folder / "Hitpoint").mkdir(parents=True)
    command = f"{shlex.quote(sys.executable)} -c 'from hitpoint.bridge.cli import main; main()'"
    file_rows.write(reaper.folder / "Hitpoint" / "bridge.txt", "bridge", [("command", command)])
    environment = {
        **os.environ,
        "HITPOINT_CONFIG": str(config),
        "PYTHONPATH": str(REPO),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    made = Bridges(reaper, environment)
    yield made
    made.close()


def latest_midi(state: Path) -> Path:
    return max(state.rglob("*.mid"), key=lambda path: path.stat().st_mtime_ns)


def check(reaper: Reaper, state: Path, first_s: float, take: int) -> RppProject:
    project = RppProject(reaper.lua("return emu.rpp()"))
    for name, notes in midi_notes(latest_midi(state), first_s).items():
        [item] = project.track(name).items
        assert largest_error_s(item.takes[take].notes, notes) < MIDI_TICK_S
    return project


def test_emulated_reaper_with_the_real_bridge(reaper, bridges, real_film, tmp_path):
    state = tmp_path / "state"
    reaper.add_video(real_film, 5.0, 8.0, "{from = 1.0, file_s = 12.0}")
    reaper.add_video(real_film, 13.0, 2.0, "{from = 9.0, file_s = 12.0, rate = 1.25}")
    reaper.act(emulated.SCORE_ITEMS, bridges.start_wanted)
    assert reaper.messages == [], (reaper.folder / "bridge-0.log").read_text()
    project = check(reaper, state, 5.0, 0)
    assert project.track("Drums").items[0].length_s == pytest.approx(10.0, abs=0.002)
    texts = [text for _, text in project.markers]
    assert any(text.startswith("Hit") for text in texts) and project.regions

    reaper.act(emulated.NEXT_TAKE, bridges.start_wanted)
    assert reaper.messages == []
    project = check(reaper, state, 5.0, 1)
    assert project.track("Drums").items[0].active == 1

    before = RppProject(reaper.lua("return emu.rpp()"))
    lines = [time_s for time_s, _ in project.tempo if time_s >= 5.0]
    reaper.lua(f"emu.current.state.selection = {{ {lines[0] + 0.1}, {lines[0] + 0.6} }}")
    reaper.act(emulated.REGENERATE, bridges.start_wanted)
    assert reaper.messages == []
    after = check(reaper, state, 5.0, 1)
    changed = [n for n in ("Drums", "Piano", "Guitar", "Bass", "Strings") if before.track(n) != after.track(n)]
    assert changed, "nothing was regenerated"
    assert reaper.undo_names == ["Hitpoint: score", "Hitpoint: next take", "Hitpoint: regenerate"]
    assert len(bridges.started) == 1, "one bridge serves all actions"


def test_emulated_reaper_after_the_real_bridge_was_killed(reaper, bridges, real_film, tmp_path):
    """The next action starts another one, which still knows the score."""
    reaper.add_video(real_film, 0.0, 6.0, "{file_s = 12.0}")
    reaper.act(emulated.SCORE_ITEMS, bridges.start_wanted)
    assert reaper.messages == []
    bridges.started[0].send_signal(signal.SIGTERM)
    bridges.started[0].wait(20)
    time.sleep(0.1)
    reaper.act(emulated.NEXT_TAKE, bridges.start_wanted)
    assert reaper.messages == [] and len(bridges.started) == 2
    assert check(reaper, tmp_path / "state", 0.0, 1).track("Bass").items[0].active == 1


def test_emulated_reaper_and_a_film_the_bridge_cannot_read(reaper, bridges, tmp_path):
    film = tmp_path / "text.mp4"
    film.write_text("no film")
    reaper.add_video(film, 0.0, 6.0)
    before = reaper.fingerprint()
    reaper.act(emulated.SCORE_ITEMS, bridges.start_wanted)
    assert len(reaper.messages) == 1 and "text.mp4" in reaper.messages[0]
    assert reaper.fingerprint() == before and reaper.undo_names == []
