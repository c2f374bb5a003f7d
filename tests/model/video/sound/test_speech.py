"""Where somebody speaks, against sentences by espeak-ng at known moments."""

import wave

import numpy as np
import pytest

from hitpoint.model.errors import MissingError
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.apart import analyse_apart, speech_apart
from hitpoint.model.video.sound import silero
from hitpoint.model.video.sound.listen import speech_beside
from hitpoint.model.video.sound.speech import find_speech, joined
from hitpoint.model.video.types import Clip
from tests.speech_scenes import KINDS, RATE_HZ, background, error_shares, film_of, need_espeak, scene, sentence

MISSED, FALSE = {"energy": 0.1, "silero": 0.08}, {"energy": 0.08, "silero": 0.08}


def pieces(sound):
    return [sound[first : first + 5000, None] for first in range(0, len(sound), 5000)]


@pytest.mark.parametrize("detector", ["energy", "silero"])
@pytest.mark.parametrize("kind", KINDS)
def test_sentences_are_found_and_nothing_else(kind, detector):
    need_espeak()
    if detector == "silero" and not silero.is_installed():
        pytest.skip("needs hitpoint[speech]")
    sound, true = scene(kind, 4)
    missed, wrong = error_shares(find_speech(pieces(sound), detector), true, len(sound) / RATE_HZ)
    assert missed < MISSED[detector] and wrong < FALSE[detector]
    alone = background(kind, 15.0, 9).astype(np.float32)
    assert find_speech(pieces(alone), detector) == []


def test_a_film_of_nothing_but_speech():
    need_espeak()
    said = np.concatenate([np.concatenate([sentence(number), np.zeros(3200, np.float32)]) for number in range(4)])
    found = find_speech(pieces(said), "energy")
    assert sum(end_s - start_s for start_s, end_s in found) > 0.85 * len(said) / RATE_HZ


def test_without_the_extra_energy_does_it_and_the_network_is_refused(monkeypatch):
    monkeypatch.setattr(silero, "_model_file", lambda: None)
    assert find_speech([np.zeros((9000, 1), np.float32)]) == find_speech([]) == []
    with pytest.raises(MissingError, match=r"hitpoint\[speech\]"):
        find_speech([np.zeros((9000, 1), np.float32)], "silero")


def test_spans_near_each_other_are_one():
    assert joined([(0.0, 1.0), (1.2, 2.0), (3.0, 3.1)], 0.5, 0.2) == [(0.0, 2.0)]
    assert joined([], 1.0) == []


def test_an_edit_has_its_speech_where_its_clips_lie(tmp_path):
    need_espeak()
    sound, true = scene("noise", 5, sentences=2)
    film = film_of(tmp_path / "f.mkv", sound)
    first_s, _ = true[0]
    clips = [Clip(film, 0.0, first_s - 0.5), Clip(film, first_s - 0.5)]
    whole, cut = analyse([Clip(film)], listen=True), analyse(clips, listen=True)
    missed, wrong = error_shares(whole.speech, true, whole.duration_s)
    assert missed < 0.1 and wrong < 0.12
    assert np.allclose(whole.speech, cut.speech, atol=0.1)
    assert analyse([Clip(film)]).speech == ()
    assert analyse_apart([Clip(film)], listen=True).speech == whole.speech


def test_what_is_said_beside_the_picture_is_found_where_it_lies(tmp_path):
    need_espeak()
    sound, true = scene("noise", 5, sentences=2)
    film, voice = film_of(tmp_path / "f.mkv", sound), tmp_path / "voice.wav"
    with wave.open(str(voice), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    whole, notes = speech_beside([Clip(voice, start_s=100.0)], 100.0, len(sound) / RATE_HZ)
    missed, wrong = error_shares(whole, true, len(sound) / RATE_HZ)
    assert missed < 0.1 and wrong < 0.12 and notes == ()
    first_s = true[0][0]
    later = Clip(voice, first_s - 0.5, first_s + 1.5, start_s=103.0)
    [(begin_s, end_s)] = speech_apart([later, Clip(tmp_path / "gone.wav")], 100.0, 4.0)[0]
    assert begin_s == pytest.approx(3.5, abs=0.1) and end_s == 4.0, "the edit ends there"
    assert len(speech_apart([Clip(tmp_path / "gone.wav")], 0.0, 4.0)[1]) == 1
    assert np.allclose(speech_beside([Clip(film, 0.0, len(sound) / RATE_HZ)], 0.0, 99.0)[0], whole, atol=0.1)
