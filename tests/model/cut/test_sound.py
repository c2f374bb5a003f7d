"""Beats and turns of recorded music, and sounds that are none. librosa compiles itself in its first minute."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.cut.read import read_music
from hitpoint.model.errors import InputError, MissingError
from hitpoint.model.output.render import SAMPLE_RATE
from hitpoint.model.video.sound.beats import check_librosa
from tests.model.cut.songs import drums, write_sound

pytest.importorskip("librosa", reason="needs hitpoint[audio]")


def test_beats_of_a_recording_lie_within_a_frame(tmp_path: Path) -> None:
    beats_s = drums(tmp_path / "a.wav")
    music = read_music(tmp_path / "a.wav")
    off_s = [float(np.abs(music.beats_s - beat_s).min()) for beat_s in beats_s]
    assert max(off_s) < 0.5 / 25 and not music.is_midi and music.duration_s == pytest.approx(20.0)
    assert [section.label for section in music.sections] == ["A", "B"]
    assert music.sections[1].start_s == pytest.approx(beats_s[32], abs=0.02)


def test_sounds_that_are_no_music(tmp_path: Path) -> None:
    seconds = np.arange(8 * SAMPLE_RATE) / SAMPLE_RATE
    tone = read_music(write_sound(tmp_path / "tone.wav", 0.3 * np.sin(2 * np.pi * 220 * seconds)))
    assert "every 2 s" in tone.notes[0] and len(tone.beats_s) == 4
    noise = read_music(write_sound(tmp_path / "noise.wav", np.random.default_rng(0).normal(0, 0.1, len(seconds))))
    assert "no steady beat" in noise.notes[0] and len(noise.beats_s) > 4
    for name, sound, words in (("s.wav", 0 * seconds, "silent"), ("t.wav", 0.3 * np.sin(seconds[:999]), "0.0 s long")):
        with pytest.raises(InputError, match=words):
            read_music(write_sound(tmp_path / name, sound))
    (tmp_path / "n.wav").write_text("no sound")
    with pytest.raises(InputError, match="not a sound"):
        read_music(tmp_path / "n.wav")


def test_without_librosa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(MissingError, match=r"hitpoint\[audio\]"):
        check_librosa()
