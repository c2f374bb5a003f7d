"""A film that has only its soundtrack: what is heard of it, and what is said where nothing can be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.associate.association import Association
from hitpoint.model.associate.mine import Song, mined
from hitpoint.model.associate.pairs import songs_of_pairs
from hitpoint.model.associate.sounds import SOUNDS
from hitpoint.model.errors import InputError
from hitpoint.model.mood.looks import LOOKS
from hitpoint.model.output.render import SAMPLE_RATE
from tests.model.cut.songs import write_sound


def ticking(path: Path, seconds: int, high_from_s: float) -> None:
    """Two clicks a second over a tone that goes up by two octaves."""
    at = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    clicks = np.random.default_rng(0).normal(0, 0.4, len(at)) * np.exp(-60 * (at % 0.5))
    write_sound(path, clicks + 0.2 * np.sin(2 * np.pi * np.where(at < high_from_s, 220.0, 880.0) * at))


def film_of(folder: Path, seconds: int, sound: Path | None) -> Path:
    path = folder / "one.mp4"
    inputs = ["-f", "lavfi", "-i", f"testsrc2=s=64x36:r=4:d={seconds}"]
    heard = ["-i", str(sound), "-c:a", "aac"] if sound is not None else []
    command = ["ffmpeg", "-v", "error", "-y", *inputs, *heard, "-c:v", "mpeg4", str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path


def test_a_film_is_learnt_from_its_own_sound(tmp_path: Path) -> None:
    pytest.importorskip("librosa", reason="needs hitpoint[audio]")
    ticking(tmp_path / "a.wav", 66, 32.0)
    songs, notes = songs_of_pairs([film_of(tmp_path, 66, tmp_path / "a.wav")])
    assert notes == ("one.mp4 is learnt from its own sound, for want of one.mid beside it",)
    (song,) = songs
    assert len(song.looks) == len(song.sounds) == 4 and song.looks.shape[1] == len(LOOKS)
    pitch = song.sounds[:, SOUNDS.index("mean pitch")]
    assert pitch[:2].max() < pitch[2:].min()
    assert not song.sounds[:, SOUNDS.index("tune: steps")].any()


def test_what_cannot_be_heard_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = film_of(tmp_path, 4, None)
    with pytest.raises(InputError, match=r"no one.mid beside it, and no sound; export its music"):
        songs_of_pairs([film])
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(InputError, match=r"export its music as MIDI, or run `pip install 'hitpoint\[audio\]'`"):
        songs_of_pairs([film])


def test_a_sound_that_never_changed_says_nothing() -> None:
    rng = np.random.default_rng(0)
    heard = rng.normal(0, 1, (40, len(SOUNDS)))
    heard[:, 3] = 0.0
    learnt: Association = mined([Song(rng.random((40, len(LOOKS))), heard)], {})
    asked = np.zeros((1, len(SOUNDS)))
    asked[0, 3] = 0.5
    assert abs(learnt.standard(asked)[0, 3]) < 1e-6
