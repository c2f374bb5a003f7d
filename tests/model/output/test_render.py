"""The sound: as long as the clip, neither silent nor clipped, notes where they belong."""

from __future__ import annotations

import sys
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.errors import InputError, MissingError
from hitpoint.model.music.score import GENRES, Bar, Note, Score, TempoMap, TempoPoint
from hitpoint.model.output import render
from hitpoint.model.output.midi_file import program_changes, write_midi
from hitpoint.model.output.midi_reading import read_midi
from hitpoint.model.output.render import CEILING, BuiltInSynth, set_up, write_wav
from tests.fakes import fake_prepared, fake_take


def read(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (44100, 2, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2) / 32768


def one_bar(*notes: Note, genre: str = "pop") -> Score:
    """A bar of 2 s: a tick is 0.125 s."""
    return Score((Bar(0, tuple(sorted(notes))),), TempoMap((TempoPoint(0.0, 0.0, 120.0),)), genre, (0, 1, 2, 3, 4), 0)


def level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.square(samples).mean()))


def test_as_long_as_the_clip_not_silent_not_clipped(tmp_path: Path) -> None:
    score = fake_take(fake_prepared(bars=9, duration_s=17.1234)).score
    write_wav(score, tmp_path / "a.wav")
    samples = read(tmp_path / "a.wav")
    assert len(samples) == round(17.1234 * 44100)
    assert 0.05 < level(samples) < 0.3
    assert 0.3 < np.abs(samples).max() <= CEILING + 1e-3
    assert np.abs(samples[-1]).max() < 0.002


@pytest.mark.parametrize("velocity", [1, 127])
def test_level_holds_for_the_softest_and_the_loudest(tmp_path: Path, velocity: int) -> None:
    notes = [Note(tick, i, 40 + i, 4, velocity) for tick in range(16) for i in range(5)]
    write_wav(one_bar(*notes), tmp_path / "a.wav")
    samples = read(tmp_path / "a.wav")
    assert np.abs(samples).max() <= CEILING + 1e-3
    assert level(samples) > 0.01


def test_the_sound_starts_with_its_note(tmp_path: Path) -> None:
    write_wav(one_bar(Note(8, 0, 38, 1, 110)), tmp_path / "a.wav")
    samples = np.abs(read(tmp_path / "a.wav")).max(axis=1)
    onset = int(np.argmax(samples > 0.02)) / 44100
    assert 0 <= onset - 1.0 < 0.01


@pytest.mark.parametrize("instrument", range(5))
@pytest.mark.parametrize("genre", GENRES)
def test_every_instrument_of_every_genre_sounds(genre: str, instrument: int) -> None:
    synth = BuiltInSynth()
    set_up(synth, genre)
    synth.note_on((9, 0, 1, 2, 3)[instrument], (38, 60, 60, 40, 60)[instrument], 100)
    assert level(synth.generate(22050)) > 1e-3
    synth.all_off()
    synth.generate(4410)
    assert level(synth.generate(4410)) < 1e-4


def test_one_instrument_alone(tmp_path: Path) -> None:
    score = one_bar(Note(0, 0, 38, 1, 110), Note(8, 1, 60, 8, 110))
    write_wav(score, tmp_path / "piano.wav", instruments=[1])
    samples = read(tmp_path / "piano.wav")
    assert level(samples[:44000]) < 1e-4 < 0.01 < level(samples[44100:])


def test_same_score_same_sound(tmp_path: Path) -> None:
    score = fake_take(fake_prepared(bars=2, duration_s=4.0)).score
    for name in ("a.wav", "b.wav"):
        write_wav(score, tmp_path / name)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_no_notes_give_silence_as_long_as_the_clip(tmp_path: Path) -> None:
    write_wav(one_bar(), tmp_path / "a.wav")
    samples = read(tmp_path / "a.wav")
    assert len(samples) == 88200 and level(samples) < 1e-4


def test_a_clip_of_a_moment(tmp_path: Path) -> None:
    score = replace(one_bar(Note(0, 1, 60, 1, 100)), tempo_map=TempoMap((TempoPoint(0.0, 0.0, 60 * 4 / 0.02),)))
    write_wav(score, tmp_path / "a.wav")
    assert len(read(tmp_path / "a.wav")) == 882


def test_sound_fonts_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.sf2").write_text("no sound font")
    with pytest.raises(InputError, match=r"text\.sf2"):
        BuiltInSynth(tmp_path / "text.sf2")
    with pytest.raises(MissingError, match=r"none\.sf2"):
        BuiltInSynth(tmp_path / "none.sf2")
    monkeypatch.setitem(sys.modules, "tinysoundfont", None)
    with pytest.raises(MissingError, match="pip install --no-deps tinysoundfont"):
        BuiltInSynth()


def test_a_better_sound_font_of_the_system_is_taken_and_its_lack_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    better = tmp_path / "better.sf2"
    monkeypatch.setattr(render, "BETTER_SOUNDFONTS", (better,))
    assert render.best_soundfont() == render.SOUNDFONT
    assert render.INSTALL_SOUNDFONT in render.soundfont_note(None) and render.soundfont_note(better) == ""
    better.write_bytes(b"")
    assert render.best_soundfont() == better and render.soundfont_note(None) == ""


def test_a_section_may_sound_otherwise(tmp_path: Path) -> None:
    notes = (Note(0, 4, 60, 16, 90),)
    bars = (Bar(0, notes, programs=((4, 89),)), Bar(1, notes, programs=((4, 48),)))
    score = Score(bars, TempoMap((TempoPoint(0.0, 0.0, 120.0),)), "pop", (4,), 0)
    assert program_changes(score, 4) == [(0, 89), (1920, 48)]
    write_midi(score, tmp_path / "a.mid")
    assert read_midi(tmp_path / "a.mid").bars == score.bars
    first, second = np.split(render.play(score), 2)
    assert not np.allclose(np.abs(np.fft.rfft(first[:, 0]))[:4000], np.abs(np.fft.rfft(second[:, 0]))[:4000], rtol=0.2)
