"""The film's own sound: the track that is kept, and every sample at its moment."""

import numpy as np
import pytest

from hitpoint.model.video.film import open_film
from hitpoint.model.video.sound.decode import heard_track, samples, tracks
from tests.speech_scenes import with_sound

CLICK = "aevalsrc='if(between(t,1,1.01),0.8,0)"
RATE_HZ = 16_000

HOLES = ["-c:a", "pcm_s16le", "-bsf:a", r"noise=drop=between(n\,2\,12)"]
FILMS = {
    "plain.mp4": (["-i", f"{CLICK}':s=48000:d=4"], ["-c:a", "aac"], 1.0, 1),
    "late.mkv": (["-itsoffset", "0.7", "-i", f"{CLICK}':s=48000:d=3"], ["-c:a", "flac"], 1.7, 1),
    "early.mkv": (["-itsoffset", "-0.4", "-i", f"{CLICK}':s=48000:d=4"], ["-c:a", "flac"], 1.0, 1),
    "longer.mkv": (["-i", f"{CLICK}':s=48000:d=9"], ["-c:a", "flac"], 1.0, 1),
    "shorter.mkv": (["-i", f"{CLICK}':s=48000:d=2"], ["-c:a", "flac"], 1.0, 1),
    "surround.mkv": (["-i", f"{CLICK}|0|0|0|0|0':c=5.1:s=48000:d=4"], ["-c:a", "ac3"], 1.0, 1),
    "telephone.mov": (["-i", f"{CLICK}':s=8000:d=4"], ["-c:a", "pcm_s16le"], 1.0, 1),
    "silent first.mkv": (["-i", "anullsrc=d=4", "-f", "lavfi", "-i", f"{CLICK}':d=4"], ["-c:a", "flac"], 1.0, 2),
    "holes.mkv": (["-i", f"{CLICK}':s=48000:d=4"], HOLES, 1.0, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", FILMS)
def test_a_click_is_where_a_player_has_it(tmp_path, name):
    inputs, codec, at_s, index = FILMS[name]
    film = open_film(with_sound(tmp_path / name, *inputs, codec=codec))
    track = heard_track(film)
    assert track is not None and track.index == index
    for in_s, out_s in ((0.0, None), (0.5, 2.5)):
        sound = np.concatenate(list(samples(film, track, in_s, out_s, RATE_HZ, 2)))
        assert sound.shape == (round(((out_s or film.track.end_s) - in_s) * RATE_HZ), 2)
        loud = np.flatnonzero(np.abs(sound[:, 0]) > 0.2)
        assert in_s + loud[0] / RATE_HZ == pytest.approx(at_s, abs=0.004)
        assert in_s + loud[-1] / RATE_HZ == pytest.approx(at_s + 0.01, abs=0.006)


def test_one_channel_is_as_loud_on_both_sides(tmp_path):
    film = open_film(with_sound(tmp_path / "m.mkv", "-i", "sine=440:d=4:r=48000", codec=["-c:a", "flac"]))
    one, two = (np.concatenate(list(samples(film, tracks(film)[0], 0.0, None, RATE_HZ, n))) for n in (1, 2))
    assert np.array_equal(two, np.repeat(one, 2, axis=1))


def test_the_default_track_goes_first_and_comments_last(tmp_path):
    options = ["-c:a", "flac", "-disposition:a:0", "comment", "-disposition:a:1", "0", "-disposition:a:2", "default"]
    inputs = ["-i", "sine=300:d=4", "-f", "lavfi", "-i", "sine=500:d=4", "-f", "lavfi", "-i", "sine=700:d=4"]
    film = open_film(with_sound(tmp_path / "three.mkv", *inputs, codec=options))
    assert [track.index for track in tracks(film)] == [3, 2, 1]


def test_silence_and_no_sound_are_nothing(tmp_path):
    silent = open_film(with_sound(tmp_path / "s.mkv", "-i", "anullsrc=d=4", codec=["-c:a", "flac"]))
    assert len(tracks(silent)) == 1 and heard_track(silent) is None
    mute = open_film(with_sound(tmp_path / "n.mkv", codec=[]))
    assert tracks(mute) == () and heard_track(mute) is None
