"""A real Ardour 7, on a virtual screen and a JACK server of its own, imports our MIDI file: tempo map and notes agree.

Its import is part of its window, so the window runs under Xvfb; a script in the place of one of its own is called over
Ardour's OSC. Needs the packages ardour, xvfb and jackd2.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import mido
import pytest

from hitpoint.bridge import osc
from hitpoint.model.midi_file import write_midi
from tests.fakes import fake_prepared, fake_take
from tests.plugins.reaper.rpp_project import midi_notes

DATA, LIBRARIES = Path("/usr/share/ardour7"), Path("/usr/lib/ardour7")
SUPERCLOCKS_A_SECOND = 282_240_000
SERVER, SCREEN, OSC_PORT = "hitpoint-ardour", ":78", 3819
SCRIPT = """
ardour {{ ["type"] = "EditorAction", name = "List Plugins", license = "MIT", author = "-", description = [[-]] }}
function factory () return function ()
  local out = io.open ("{out}", "w")
  out:write ("begun ") out:flush ()
  local files = C.StringVector ()
  files:push_back ("{midi}")
  Editor:do_import (files, Editing.ImportDistinctFiles, Editing.ImportAsTrack, ARDOUR.SrcQuality.SrcBest,
    ARDOUR.MidiTrackNameSource.SMFTrackName, ARDOUR.MidiTempoMapDisposition.SMFTempoUse,
    Temporal.timepos_t (0), ARDOUR.PluginInfo (), ARDOUR.Track (), true)
  Session:save_state ("")
  out:write ("saved") out:close ()
end end
"""
SESSION = """
AudioEngine:set_backend ("JACK", "", "")
session = assert (create_session ("{session}", "session", 48000))
local one = ARDOUR.ChanCount (ARDOUR.DataType ("midi"), 1)
session:new_midi_track (one, one, true, ARDOUR.PluginInfo (), nil, nil, 1, "first",
  ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true)
session:save_state ("")
close_session ()
quit ()
"""


def wait_for(what: str, there: Callable[[], bool], limit_s: float = 90.0) -> None:
    end = time.monotonic() + limit_s
    while not there():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.2)


def set_up(folder: Path, midi: Path) -> dict[str, str]:
    """Ardour's own folders, with our script in the place of its "List Plugins" and JACK as its only system."""
    programs = list(LIBRARIES.glob("ardour-7*"))
    missing = [name for name in ("ardour7-lua", "Xvfb", "jackd") if shutil.which(name) is None]
    if missing or not programs or not DATA.is_dir():
        pytest.skip(f"needs Ardour 7, Xvfb and jackd (apt-get install ardour xvfb jackd2); missing: {missing}")
    for name, source in (("data", DATA), ("libraries", LIBRARIES)):
        (folder / name).mkdir()
        for path in source.iterdir():
            if path.name not in ("scripts", "backends"):
                (folder / name / path.name).symlink_to(path)
    (folder / "data" / "scripts").mkdir()
    script = SCRIPT.format(out=folder / "out.txt", midi=midi)
    (folder / "data" / "scripts" / "list_plugins.lua").write_text(script)
    (folder / "libraries" / "backends").mkdir()
    jack = "libjack_audiobackend.so"
    (folder / "libraries" / "backends" / jack).symlink_to(LIBRARIES / "backends" / jack)
    config = folder / "home" / ".config" / "ardour7"
    config.mkdir(parents=True)
    (config / ".a7").touch()  # no first-run assistant
    return {
        **os.environ,
        "HOME": str(folder / "home"),
        "JACK_DEFAULT_SERVER": SERVER,
        "DISPLAY": SCREEN,
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "LD_LIBRARY_PATH": str(LIBRARIES),
        "GTK_PATH": str(LIBRARIES),
        "ARDOUR_DATA_PATH": str(folder / "data"),
        "ARDOUR_CONFIG_PATH": "/etc/ardour7",
        "ARDOUR_DLL_PATH": str(folder / "libraries"),
        "ARDOUR_BACKEND_PATH": str(folder / "libraries" / "backends"),
        "ARDOUR_PROGRAM": str(programs[0]),
    }


@pytest.fixture
def started():
    """Starts processes of this test's own and ends them, the last one first."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(*words: str, environment: dict[str, str]) -> None:
        process = subprocess.Popen(
            words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        processes.append(process)

    yield start
    for process in reversed(processes):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def import_into_ardour(folder: Path, midi: Path, start: Callable[..., None]) -> Path:
    """The session after Ardour has imported `midi` with its tempo map."""
    import socket

    environment = set_up(folder, midi)
    start(
        "jackd", "-n", SERVER, "-r", "-t", "20000", "-d", "dummy", "-r", "48000", "-p", "2048", environment=environment
    )
    start("Xvfb", SCREEN, "-screen", "0", "1280x900x24", environment=environment)
    time.sleep(2.0)
    session = folder / "session"
    (folder / "make.lua").write_text(SESSION.format(session=session))
    made = subprocess.run(
        ["ardour7-lua", str(folder / "make.lua")], env={**environment, "LD_LIBRARY_PATH": ""}, timeout=90, check=False
    )
    file = session / "session.ardour"
    assert file.is_file(), f"ardour7-lua made no session (exit code {made.returncode})"
    text = file.read_text()
    file.write_text(re.sub(r'(<Protocol name="Open Sound Control \(OSC\)"[^>]*active=")0', r"\g<1>1", text))
    start(environment["ARDOUR_PROGRAM"], "-n", str(session), environment=environment)
    out = folder / "out.txt"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask:

        def begun() -> bool:
            ask.sendto(osc.encode("/access_action", "LuaAction/script-1"), ("127.0.0.1", OSC_PORT))
            time.sleep(1.8)
            return out.exists()

        wait_for("Ardour's window", begun)
    wait_for("the import", lambda: "saved" in out.read_text())
    return session


def test_ardour_imports_tempo_map_and_notes(tmp_path, started):
    take = fake_take(fake_prepared(bars=8))
    midi = tmp_path / "score.mid"
    write_midi(take.score, midi)
    folder = tmp_path / "ardour"
    folder.mkdir()
    session = import_into_ardour(folder, midi, started)
    root = ElementTree.parse(session / "session.ardour").getroot()

    ours = take.score.tempo_map.points
    theirs = [
        (int(tempo.get("sclock")) / SUPERCLOCKS_A_SECOND, float(tempo.get("npm")), tempo.get("quarters"))
        for tempo in root.iter("Tempo")
    ]
    assert len(theirs) == len(ours) == 2
    for (time_s, bpm, quarters), point in zip(theirs, ours, strict=True):
        assert time_s == pytest.approx(point.time_s, abs=0.0003)
        assert bpm == pytest.approx(point.bpm, rel=1e-5)
        assert quarters == f"{int(point.beat)}:0"

    wanted = midi_notes(midi, 0.0)
    for name, notes in wanted.items():
        [path] = session.glob(f"interchange/session/midifiles/score.{name}-1.mid")
        assert ardour_notes(path, theirs) == [
            (pytest.approx(start, abs=0.001), pytest.approx(stop, abs=0.001), *rest) for start, stop, *rest in notes
        ]
    names = {route.get("name") for route in root.iter("Route")}
    assert all(any(name in (route or "") for route in names) for name in wanted)


def ardour_notes(path: Path, tempo: list[tuple[float, float, str]]) -> list[tuple[float, ...]]:
    """The notes of one of Ardour's own files, in seconds of Ardour's own tempo map."""
    file = mido.MidiFile(path)
    points = [(int(quarters.split(":")[0]), time_s, bpm) for time_s, bpm, quarters in tempo]

    def seconds(pulse: int) -> float:
        beat = pulse / file.ticks_per_beat
        first, time_s, bpm = [point for point in points if point[0] <= beat][-1]
        return time_s + (beat - first) * 60 / bpm

    now, notes, sounding = 0, [], {}
    for message in file.tracks[0]:
        now += message.time
        if message.type == "note_on" and message.velocity:
            sounding[message.note] = (now, message.velocity)
        elif message.type in ("note_on", "note_off") and message.note in sounding:
            start, velocity = sounding.pop(message.note)
            notes.append((seconds(start), seconds(now), message.channel, message.note, velocity))
    return sorted(notes)
