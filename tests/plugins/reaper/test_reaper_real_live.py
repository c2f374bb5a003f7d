"""Live follow from an *emulated* REAPER through the real bridge; the notes come over OSC to its virtual keyboard."""

import json
import socket
import threading
import time

import pytest

from hitpoint.bridge.osc import codec
from tests.plugins.reaper import reaper_emulated as emulated
from tests.plugins.reaper.rpp_project import midi_notes


class Keyboard:
    """REAPER's virtual MIDI keyboard: (moment, channel, pitch, velocity) of each note message."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1]
        self.heard: list[tuple[float, int, int, int]] = []
        self.closed = threading.Event()
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def close(self) -> None:
        self.closed.set()
        self.thread.join(5)
        self.socket.close()

    def _listen(self) -> None:
        while not self.closed.is_set():
            try:
                packet = self.socket.recv(2000)
            except TimeoutError:
                continue
            for message in codec.decode(packet):
                parts = message.address.split("/")
                if parts[3] == "note":
                    self.heard.append((time.monotonic(), int(parts[2]), int(parts[4]), int(message.arguments[0])))

    def sounding(self) -> set[tuple[int, int]]:
        held: set[tuple[int, int]] = set()
        for _, channel, pitch, velocity in self.heard:
            (held.add if velocity else held.discard)((channel, pitch))
        return held


@pytest.fixture
def keyboard():
    made = Keyboard()
    yield made
    made.close()


def play(reaper, seconds: float) -> None:
    """Defer cycles at the pace of the real clock."""
    begun, done = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        due = int((time.monotonic() - begun) * 30)
        if due > done:
            reaper.step(due - done)
            done = due
        time.sleep(0.005)


def surface(bridge: tuple[str, int], first_s: float, rate: float, seconds: float) -> float:
    """What REAPER's own OSC surface sends while it plays: bundles of floats, some 30 a second. Returns the end."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        begun, place = time.monotonic(), first_s
        state = [("/hitpoint/rate", rate), ("/stop", 0.0), ("/play", 1.0)]
        while time.monotonic() - begun < seconds:
            place = first_s + rate * (time.monotonic() - begun)
            messages = [*state, ("/hitpoint/time", place)]
            sender.sendto(codec.bundle([codec.encode_typed(name, "f", (value,)) for name, value in messages]), bridge)
            state = []
            time.sleep(1 / 30)
        stop = [("/play", 0.0), ("/stop", 1.0), ("/hitpoint/time", place)]
        sender.sendto(codec.bundle([codec.encode_typed(name, "f", (value,)) for name, value in stop]), bridge)
    return place


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_reapers_own_surface_with_the_real_bridge_at_another_play_rate(
    rate, reaper, bridges, keyboard, real_film, tmp_path
):
    """Twice as many notes in the same time at twice the rate: what lies between the places, and no more."""
    config = tmp_path / "hitpoint.yaml"
    settings = json.loads(config.read_text()) | {"midi_port": f"vkb:127.0.0.1:{keyboard.port}", "aliases": ["reaper"]}
    config.write_text(json.dumps(settings))
    reaper.add_video(real_film, 5.0, 8.0, "{file_s = 12.0}")
    reaper.act(emulated.SCORE_ITEMS, bridges.start_wanted)
    assert reaper.messages == []
    end_s = surface(("127.0.0.1", settings["port"]), 5.5, rate, 2.5)
    time.sleep(0.5)
    midi = max((tmp_path / "state").rglob("*.mid"), key=lambda path: path.stat().st_mtime_ns)
    starts = [note[0] for notes in midi_notes(midi, 5.0).values() for note in notes]
    wanted = sum(5.5 <= start_s < end_s for start_s in starts)
    heard = sum(note[3] > 0 for note in keyboard.heard)
    assert wanted >= 6 and abs(heard - wanted) <= 2 + 0.2 * wanted, (heard, wanted)
    assert keyboard.sounding() == set(), "a note hangs after stop"


def test_emulated_live_follow_with_the_real_bridge(reaper, bridges, keyboard, real_film, tmp_path):
    config = tmp_path / "hitpoint.yaml"
    config.write_text(config.read_text().replace('"none"', f'"vkb:127.0.0.1:{keyboard.port}"'))
    reaper.add_video(real_film, 5.0, 8.0, "{file_s = 12.0}")
    reaper.act(emulated.SCORE_ITEMS, bridges.start_wanted)
    assert reaper.messages == []

    reaper.lua("emu.position = 5.0 emu.playing = 1")
    reaper.start(emulated.LIVE)
    play(reaper, 3.0)
    struck = [note for note in keyboard.heard if note[3]]
    assert len(struck) >= 5, "no notes while the playhead ran"

    reaper.lua("emu.playing = 0 emu.current.state.cursor = 8.0")
    play(reaper, 0.8)
    assert keyboard.sounding() == set(), "a note hangs after stop"
    before = len(keyboard.heard)
    play(reaper, 0.5)
    assert len(keyboard.heard) == before, "notes while stopped"

    reaper.lua("emu.current.state.loop = { 6.0, 7.5 } emu.repeating = 1 emu.position = 6.0 emu.playing = 1")
    looped: list[float] = []

    for _ in range(40):  # REAPER wraps the playhead itself
        play(reaper, 0.1)
        reaper.lua("if emu.position > 7.5 then emu.position = 6.0 end")
        looped.append(reaper.lua("return emu.position"))
    assert max(looped) < 7.8
    after = [note for note in keyboard.heard[before:] if note[3]]
    assert len(after) >= 5, "no notes in the loop"

    reaper.start(emulated.LIVE)
    reaper.finish()
    play(reaper, 0.8)
    assert keyboard.sounding() == set(), "a note hangs after live follow was switched off"
    assert reaper.lua("return emu.crashes") == []
