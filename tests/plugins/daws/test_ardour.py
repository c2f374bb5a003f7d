"""A real Ardour 7, on a virtual screen and a JACK server of its own, imports our MIDI file and plays it.

Its import is part of its window, so the window runs under Xvfb; a script in the place of one of its own is called over
Ardour's OSC. Needs the packages ardour, xvfb and jackd2.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mido
import pytest

from hitpoint.model.music.score import Score
from hitpoint.model.output.midi_file import write_midi
from tests.ardour_kit import (
    DATA,
    LIBRARIES,
    SUPERCLOCKS_A_SECOND,
    Ardour,
    connect,
    make_session,
    need_ardour,
)
from tests.fakes import fake_prepared, fake_take
from tests.plugins.reaper.rpp_project import midi_notes

sys.path.insert(0, str(Path(__file__).parents[2] / "bridge"))

from live_kit import RATE, JackServer, RemoteEars, need_jack, notes_on, wait_for

need_jack()
need_ardour("Xvfb")

PERIOD = 2048
TRIES = 5
TOLERANCE_MS = 1.0
"""As the file's tempo events round: see `tempo_events`."""
TICKS_A_QUARTER = 1920
ASK_FOR_BEATS = ("/set_surface", 0, 0, 16 + 32 + 2048, 0, 0, 0, 0)
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


@dataclass(frozen=True)
class Imported:
    """What Ardour made of our file. late_ms: see `play`; beats: (seconds, "bar|beat|tick")."""

    midi: Path
    score: Score
    session: Path
    root: ElementTree.Element
    late_ms: list[float]
    beats: list[tuple[float, str]]


def with_script(folder: Path, midi: Path, display: str) -> dict[str, str]:
    """Ardour's own folders, with our script in the place of its "List Plugins" and JACK as its only system."""
    for name, source in (("data", DATA), ("libraries", LIBRARIES)):
        (folder / name).mkdir()
        for path in source.iterdir():
            if path.name not in ("scripts", "backends"):
                (folder / name / path.name).symlink_to(path)
    (folder / "data" / "scripts").mkdir()
    (folder / "data" / "scripts" / "list_plugins.lua").write_text(SCRIPT.format(out=folder / "out.txt", midi=midi))
    (folder / "libraries" / "backends").mkdir()
    jack = "libjack_audiobackend.so"
    (folder / "libraries" / "backends" / jack).symlink_to(LIBRARIES / "backends" / jack)
    return {
        "DISPLAY": display,
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "GTK_PATH": str(LIBRARIES),
        "ARDOUR_DATA_PATH": str(folder / "data"),
        "ARDOUR_DLL_PATH": str(folder / "libraries"),
        "ARDOUR_BACKEND_PATH": str(folder / "libraries" / "backends"),
    }


@contextlib.contextmanager
def screen() -> Iterator[str]:
    """A virtual screen that was free; its name."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x900x24"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        yield f":{process.stdout.readline().decode().strip()}"
    finally:
        process.terminate()
        process.wait(10)


def play(ardour: Ardour, ears: RemoteEars, names: list[str], wanted: list[tuple[Any, ...]]) -> list[float]:
    """Play from 0: how much later each note came out of Ardour's tracks than `wanted` says, against
    their median, in ms. wanted: (start in s, end in s, channel, pitch, velocity)."""
    for name in names:
        connect(ears.client, f"ardour:{name}/midi_out 1", "ears:midi")
    ardour.locate(0.0)
    ears.take()
    ardour.say("/transport_play", 1.0)
    heard: list[tuple[int, bytes]] = []
    wait_for(lambda: len(notes_on(extended(heard, ears))) >= len(wanted), 240, "the notes of the file", every=0.2)
    ardour.stop()
    notes = notes_on(extended(heard, ears))
    onsets_s = [start_s for start_s, *_ in wanted]
    last = notes[0][0] + RATE * (max(onsets_s) - min(onsets_s) + 0.05)
    theirs = sorted((*rest, frame / RATE) for frame, *rest in notes if frame < last)  # at its end it may begin again
    ours = sorted((*rest, start_s) for start_s, _, *rest in wanted)
    assert [note[:3] for note in theirs] == [note[:3] for note in ours], f"heard {len(theirs)} of {len(ours)} notes"
    late_s = [their_s - our_s for (*_, their_s), (*_, our_s) in zip(theirs, ours, strict=True)]
    return [1000 * (each - sorted(late_s)[len(late_s) // 2]) for each in late_s]


def played(ardour: Ardour, ears: RemoteEars, names: list[str], wanted: list[tuple[Any, ...]]) -> list[float]:
    """As `play`; a busy Ardour may begin twice, and is asked again. Fails where no try has the notes of the file."""
    for _ in range(TRIES - 1):
        with contextlib.suppress(AssertionError):
            return play(ardour, ears, names, wanted)
        ardour.stop()
    return play(ardour, ears, names, wanted)


def extended(heard: list[tuple[int, bytes]], ears: RemoteEars) -> list[tuple[int, bytes]]:
    """`heard` with all that the ears have heard since."""
    heard += ears.take()
    return heard


def is_imported(ardour: Ardour, out: Path) -> bool:
    """Whether our script is through; it is called until it has begun, since a young window does not hear all."""
    if not out.exists():
        ardour.say("/access_action", "LuaAction/script-1")
    return out.exists() and "saved" in out.read_text()


def beats_at(ardour: Ardour, seconds: list[float]) -> list[tuple[float, str]]:
    """Where Ardour's playhead says it stands, in bars and beats, after a locate to each of these places."""
    found = []
    for place_s in seconds:
        ardour.locate(place_s)
        found.append((round(place_s * RATE) / RATE, ardour.ask(ASK_FOR_BEATS, "/position/bbt")[0]))
    return found


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    folder = tmp_path_factory.mktemp("ardour")
    score = fake_take(fake_prepared(bars=8)).score
    midi = folder / "score.mid"
    write_midi(score, midi)
    # With a real-time JACK, Ardour's window begins with a question about locked memory.
    with JackServer(PERIOD, patience_ms=20_000, realtime=False), screen() as display:
        session = make_session(folder)
        with Ardour(folder, session, program="ardour", **with_script(folder, midi, display)) as ardour:
            wait_for(lambda: is_imported(ardour, folder / "out.txt"), 300, "the import", every=2.0)
    root = ElementTree.parse(session / "session.ardour").getroot()
    names = [str(route.get("name")) for route in root.iter("Route") if "score." in str(route.get("name"))]
    wanted = [note for notes in midi_notes(midi, 0.0).values() for note in notes]
    # Ardour's time and the ears' are both that of the periods they have had, of which neither misses one.
    server = JackServer(PERIOD, patience_ms=20_000, waits=True)
    with server, RemoteEars(counted=True) as ears, Ardour(folder, session) as ardour:
        late_ms = played(ardour, ears, names, wanted)
        beats = beats_at(ardour, [marker.time_s for marker in score.markers] + [1.234, 9.876])
    return Imported(midi, score, session, root, late_ms, beats)


def tempi(root: ElementTree.Element) -> list[tuple[float, float, str]]:
    """(seconds, BPM, quarters) of Ardour's tempo map."""
    return [
        (int(tempo.get("sclock", "")) / SUPERCLOCKS_A_SECOND, float(tempo.get("npm", "")), tempo.get("quarters", ""))
        for tempo in root.iter("Tempo")
    ]


def test_tempo_map_and_notes_are_imported(imported):
    theirs, ours = tempi(imported.root), imported.score.tempo_map.points
    assert len(theirs) == len(ours) == 2
    for (time_s, bpm, quarters), point in zip(theirs, ours, strict=True):
        assert time_s == pytest.approx(point.time_s, abs=0.0003)
        assert bpm == pytest.approx(point.bpm, rel=1e-5)
        assert quarters == f"{int(point.beat)}:0"
    wanted = midi_notes(imported.midi, 0.0)
    for name, notes in wanted.items():
        [path] = imported.session.glob(f"interchange/session/midifiles/score.{name}-1.mid")
        assert ardour_notes(path, theirs) == [
            (pytest.approx(start, abs=0.001), pytest.approx(stop, abs=0.001), *rest) for start, stop, *rest in notes
        ]
    names = {route.get("name") for route in imported.root.iter("Route")}
    assert all(any(name in (route or "") for route in names) for name in wanted)


def test_ardour_plays_every_note_where_the_file_has_it(imported):
    assert imported.late_ms
    print(f"{len(imported.late_ms)} notes, {min(imported.late_ms):+.3f}..{max(imported.late_ms):+.3f} ms")
    assert max(map(abs, imported.late_ms)) <= TOLERANCE_MS


def test_ardours_bars_and_beats_are_ours(imported):
    for place_s, text in imported.beats:
        bar, beat, tick = (int(part) for part in text.split("|"))
        theirs = 4 * (bar - 1) + (beat - 1) + tick / TICKS_A_QUARTER
        assert theirs == pytest.approx(imported.score.tempo_map.beat_at_time(place_s), abs=2 / TICKS_A_QUARTER), place_s


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
