"""The film keeps its voice: the mix, the duck in every output, and loudness as broadcasters measure it."""

import json
import shutil
import wave
from contextlib import closing
from dataclasses import replace

import mido
import numpy as np
import pytest

from hitpoint.model.output import loudness
from hitpoint.model.output.base import Writing, write_outputs
from hitpoint.model.output.duck import ATTACK_S, RELEASE_S, Duck, make_duck
from hitpoint.model.output.level import Delivery
from hitpoint.model.output.mix import Mix, Voice
from hitpoint.model.output.render import write_wav
from hitpoint.model.output.stems import write_stems
from hitpoint.model.video.film import open_film
from hitpoint.model.video.sound.decode import heard_track, samples
from hitpoint.model.video.types import Clip
from tests.fakes import fake_prepared, fake_take
from tests.speech_scenes import film_of, need_espeak, scene, with_sound

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")

LOW = 10 ** (-9 / 20)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """(film, its speech, a job for it, its take)."""
    need_espeak()
    sound, speech = scene("noise", 6, sentences=2)
    film = film_of(tmp_path_factory.mktemp("films") / "film.mp4", sound, ("-c:a", "aac"))
    media = open_film(film).media
    prepared = fake_prepared(film, duration_s=media.duration_s)
    rhythm = replace(prepared.rhythm, speech=tuple(speech), media=(media,))
    prepared = replace(prepared, rhythm=rhythm, clips=(Clip(film),))
    return film, speech, prepared, fake_take(prepared)


def read(path):
    with closing(wave.open(str(path), "rb")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2) / 32768.0


def test_the_music_is_down_before_the_first_word_and_comes_back_after_the_last():
    duck = make_duck([(2.0, 3.0), (4.2, 5.0), (9.0, 10.0)], -9.0, 12.0)
    at_s = np.array([0.0, 2.0 - ATTACK_S, 2.0, 3.5, 5.0, 5.0 + RELEASE_S, 7.0, 9.0, 12.0])
    assert np.allclose(duck.at(at_s), [1, 1, LOW, LOW, LOW, 1, 1, LOW, 1])
    assert make_duck([], -9.0, 12.0) == Duck() and np.all(Duck().at(at_s) == 1)


def test_speech_at_the_ends_of_a_film():
    duck = make_duck([(0.0, 1.0), (11.5, 12.0)], -9.0, 12.0)
    assert duck.points[0][0] == 0.0 and duck.points[-1][0] == 12.0
    assert np.allclose(duck.at(np.array([0.0, 0.5, 5.0, 12.0])), [LOW, LOW, 1.0, LOW])
    assert all(a < b for (a, _), (b, _) in zip(duck.points, duck.points[1:], strict=False))


def test_the_mix_is_the_voice_and_the_music_under_it(spoken, tmp_path):
    film, speech, prepared, take = spoken
    write_outputs(take, prepared, {"wav": tmp_path / "m.wav"}, Writing())
    opened = open_film(film)
    voice = Voice(opened, heard_track(opened), 0.0, None, tuple(speech))
    mix = Mix(tmp_path / "m.wav", voice, make_duck(speech, -9.0, prepared.plan.duration_s))
    whole = np.concatenate(list(mix.blocks()))
    own = np.concatenate(list(samples(opened, voice.track, 0.0, None, mix.rate_hz, 2)))
    music = read(tmp_path / "m.wav")
    assert len(whole) == len(music)
    n = min(len(own), len(whole))
    rest = (whole[:n] - own[:n]) * 10 ** (-mix.music_db / 20)
    inside = slice(*(round(s * mix.rate_hz) for s in speech[0]))
    assert np.allclose(rest[inside], LOW * music[inside], atol=1e-3)
    outside = slice(0, round((speech[0][0] - ATTACK_S) * mix.rate_hz))
    assert np.allclose(rest[outside], music[outside], atol=1e-3)


@pytest.mark.parametrize("name", ["film.mp4", "film.webm"])
def test_a_film_is_delivered_at_its_loudness(spoken, tmp_path, name):
    _, _, prepared, take = spoken
    write_outputs(take, prepared, {"mux": tmp_path / name}, Writing(lufs=-16.0))
    found = loudness.measure_file(tmp_path / name)
    assert found.lufs == pytest.approx(-16.0, abs=0.5) and found.true_peak_db <= -1.0


def test_the_voice_is_in_the_film_unless_the_music_is_wanted_alone(spoken, tmp_path):
    film, speech, prepared, take = spoken
    alone = replace(prepared, wishes=replace(prepared.wishes, keep_sound=False))
    write_outputs(take, prepared, {"mux": tmp_path / "kept.mp4", "wav": tmp_path / "kept.wav"}, Writing())
    write_outputs(take, alone, {"mux": tmp_path / "alone.mp4", "wav": tmp_path / "alone.wav"}, Writing())
    assert (tmp_path / "kept.wav").read_bytes() == (tmp_path / "alone.wav").read_bytes()
    assert loudness.measure_file(tmp_path / "kept.mp4").true_peak_db <= -1.0

    def likeness(path):
        """Of the film's sound under speech to the voice."""
        opened = open_film(path)
        span = (speech[0][0], speech[0][1])
        a, b = (
            np.concatenate(list(samples(each, heard_track(each), *span, 16_000, 1)))[:, 0]
            for each in (open_film(film), opened)
        )
        return float(np.corrcoef(a, b)[0, 1])

    assert likeness(tmp_path / "kept.mp4") > 0.8 and abs(likeness(tmp_path / "alone.mp4")) < 0.3


@pytest.mark.parametrize(
    ("inputs", "codec", "lufs"),
    [
        ([], [], None),
        (["-i", "anullsrc=d=4"], ["-c:a", "aac"], None),
        (["-i", "sine=300:d=4:r=8000"], ["-c:a", "pcm_s16le"], -14.0),
        (["-i", "aevalsrc=0.1*sin(2000*t)|0|0.3*sin(3000*t)|0|0|0:c=5.1:d=7"], ["-c:a", "aac"], -23.0),
        (["-itsoffset", "1.5", "-i", "sine=300:d=1"], ["-c:a", "aac"], None),
        (["-i", "anullsrc=d=4", "-f", "lavfi", "-i", "sine=300:d=4"], ["-c:a", "aac"], None),
    ],
    ids=["no sound", "silent", "8 kHz", "5.1, longer", "late, shorter", "several tracks"],
)
def test_any_sound_gives_a_film_as_long_as_its_picture(tmp_path, inputs, codec, lufs):
    film = with_sound(tmp_path / "film.mov", *inputs, codec=codec)
    media = open_film(film).media
    prepared = fake_prepared(film, bars=2, duration_s=media.duration_s)
    prepared = replace(prepared, rhythm=replace(prepared.rhythm, media=(media,)))
    write_outputs(fake_take(prepared), prepared, {"mux": tmp_path / "out.mov"}, Writing(lufs=lufs))
    out = open_film(tmp_path / "out.mov")
    assert out.media.duration_s == pytest.approx(4.0, abs=0.05)
    found = loudness.measure_file(tmp_path / "out.mov")
    assert lufs is None or found.lufs == pytest.approx(lufs, abs=0.5)
    assert found.true_peak_db <= (-1.0 if inputs else 0.0), "music alone, as it is, is held by its WAV's own limiter"


def test_music_at_a_loudness_and_stems_that_are_its_sum(spoken, tmp_path):
    _, _, _, take = spoken
    write_wav(take.score, tmp_path / "mix.wav", lufs=-14.0)
    found = loudness.measure_file(tmp_path / "mix.wav")
    assert found.lufs == pytest.approx(-14.0, abs=0.5) and found.true_peak_db <= -1.0
    stems = write_stems(take.score, tmp_path / "s.mid", lufs=-14.0)
    total = sum(read(path) for path in stems)
    assert np.abs(total - read(tmp_path / "mix.wav")).max() < 5 / 32768 + 0.01


def test_the_parts_of_the_mix_are_the_mix(spoken, tmp_path):
    film, speech, prepared, take = spoken
    write_outputs(take, prepared, {"mixstems": tmp_path / "f.mix.wav", "wav": tmp_path / "m.wav"}, Writing(lufs=-23.0))
    parts = sorted(tmp_path.glob("f.mix-*.wav"))
    names = [path.stem for path in parts]
    assert names == ["f.mix-bass", "f.mix-drums", "f.mix-guitar", "f.mix-own", "f.mix-piano", "f.mix-strings"]
    opened = open_film(film)
    write_wav(take.score, tmp_path / "plain.wav")
    voice = Voice(opened, heard_track(opened), 0.0, None, tuple(speech))
    mix = Mix(tmp_path / "plain.wav", voice, make_duck(speech, -9.0, prepared.plan.duration_s))
    mix.write(tmp_path / "mix.wav", Delivery(-23.0))
    total = sum(read(path) for path in parts)
    assert np.abs(total - read(tmp_path / "mix.wav")).max() < 0.002
    assert np.abs(read(tmp_path / "f.mix-own.wav")).max() > 0.05


def test_silence_stays_silent(tmp_path):
    silent = tmp_path / "silent.wav"
    with closing(wave.open(str(silent), "wb")) as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(bytes(4 * 44_100))
    Mix(silent).write(tmp_path / "out.wav", Delivery(-14.0))
    assert not read(tmp_path / "out.wav").any()


def test_project_midi_report_and_plot_carry_the_duck(spoken, tmp_path):
    rpp = pytest.importorskip("rpp")
    _, speech, prepared, take = spoken
    duck = make_duck(speech, -9.0, prepared.plan.duration_s)
    names = {"rpp": "p.rpp", "midi": "m.mid", "report": "r.json", "plot": "p.png"}
    targets = {key: tmp_path / name for key, name in names.items()}
    write_outputs(take, prepared, targets, Writing(duck_cc=True))
    root = rpp.loads(targets["rpp"].read_text())
    (folder,) = [track for track in root.findall("TRACK") if track.find("NAME")[1] == "Hitpoint"]
    points = [(float(p[1]), float(p[2]), p[3]) for p in folder.find("VOLENV2").findall("PT")]
    assert [(pytest.approx(t, abs=1e-9), pytest.approx(g, abs=1e-9), "0") for t, g in duck.points] == points
    report = json.loads(targets["report"].read_text())["sound"]
    assert report["speech"] == [list(span) for span in speech] and min(gain for _, gain in report["duck"]) == -9.0
    middle_s, before_s = sum(speech[0]) / 2, speech[0][0] - 1.0
    for track, channel in zip(mido.MidiFile(targets["midi"]).tracks[1:], (9, 0, 1, 2, 3), strict=True):
        moved = volume_at(track, channel, take.score, [before_s, middle_s])
        assert moved == [100, round(100 * LOW**0.5)]
    write_outputs(take, prepared, {"midi": tmp_path / "plain.mid"}, Writing())
    plain = mido.MidiFile(tmp_path / "plain.mid")
    assert not [m for track in plain.tracks for m in track if m.type == "control_change" and m.control == 7]


def volume_at(track, channel, score, times_s):
    """The channel's volume that stands at each moment."""
    changes, pulse = [], 0
    for message in track:
        pulse += message.time
        if message.type == "control_change" and message.control == 7:
            assert message.channel == channel
            changes.append((score.tempo_map.time_at_beat(pulse / 480), message.value))
    return [[value for at_s, value in changes if at_s <= time_s][-1] for time_s in times_s]
