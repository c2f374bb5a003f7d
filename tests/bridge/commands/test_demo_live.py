"""`hitpoint demo` plays to a MIDI port: every note of the file comes out of a real JACK server, then silence."""

from __future__ import annotations

from pathlib import Path

import mido
import pytest
from live_kit import JackServer, need_jack, wait_for

from hitpoint.bridge.commands import demo
from hitpoint.bridge.errors import UsageError
from hitpoint.bridge.midi.ports import find_api, list_ports, silence_messages
from hitpoint.model.output.midi_file import write_midi
from tests.fakes import fake_prepared, fake_take

need_jack()


def test_the_file_is_heard_at_a_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import rtmidi

    monkeypatch.setenv("JACK_DEFAULT_SERVER", "")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    write_midi(fake_take(fake_prepared(bars=2, duration_s=3.0)).score, tmp_path / "a.mid")
    heard: list[bytes] = []
    with JackServer():
        ears = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, "Ears")
        ears.open_virtual_port("in")
        ears.set_callback(lambda event, _: heard.append(bytes(event[0])))
        try:
            assert any("Ears" in name for name in list_ports(find_api("jack")))
            assert demo.play_files(tmp_path / "a.mid", tmp_path / "a.wav", "Ears") == "played"
            with pytest.raises(UsageError, match="Ears"):
                demo.play_files(tmp_path / "a.mid", tmp_path / "a.wav", "no such port")
            notes = [bytes(m.bytes()) for m in mido.MidiFile(tmp_path / "a.mid") if not m.is_meta]
            wait_for(lambda: len(heard) >= len(notes) + len(silence_messages()), 5, "the last message")
        finally:
            ears.close_port()
            ears.delete()
    assert heard == notes + silence_messages()
