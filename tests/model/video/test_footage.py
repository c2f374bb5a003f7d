"""The analysis on real footage; the cuts were read off the frames by eye."""

from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.types import Clip
from tests.footage import footage
from tests.model.video.conftest import ffmpeg


def test_cuts_of_a_street_film():
    rhythm = analyse([Clip(footage("bikes"))])
    assert [b.time_s for b in rhythm.boundaries] == pytest.approx([1.2, 3.04, 5.48, 7.48, 9.68], abs=0.041)
    assert {b.kind for b in rhythm.boundaries} == {"cut"}
    assert rhythm.duration_s == pytest.approx(10.0, abs=0.01)


def test_one_shot_has_no_cut():
    rhythm = analyse([Clip(footage("bigbuckbunny"))])
    assert rhythm.boundaries == ()
    assert rhythm.shots == ("A",)
    assert rhythm.media[0].width == 1280 and rhythm.media[0].frames == 132


def test_coming_out_of_black_is_no_cut():
    path = Path(__file__).parents[4] / "shared" / "clips" / "bbb30.webm"
    if not path.exists():
        pytest.skip("needs ../shared/clips/bbb30.webm")
    rhythm = analyse([Clip(path)])
    assert [b.time_s for b in rhythm.boundaries] == pytest.approx([11.795, 15.67, 22.961], abs=0.042)


def test_fades_put_into_real_footage(tmp_path):
    path = tmp_path / "fade.mp4"
    shots = "[0:v]trim=0:1.1,setpts=PTS-STARTPTS,fade=out:st=0.5:d=0.6[a];"
    shots += "[0:v]trim=3.1:5.4,setpts=PTS-STARTPTS,fade=in:st=0:d=0.5[b];[a][b]concat=n=2[v]"
    ffmpeg("-i", footage("bikes"), "-filter_complex", shots, "-map", "[v]", "-r", 25, path)
    rhythm = analyse([Clip(path)])
    assert [(b.kind, b.time_s) for b in rhythm.boundaries] == [("fade", pytest.approx(1.1, abs=0.085))]


def test_grain_on_a_still_picture_gives_no_beat(tmp_path):
    path = tmp_path / "grain.mp4"
    still = tmp_path / "still.png"
    ffmpeg("-ss", 6.5, "-i", footage("bikes"), "-frames:v", 1, still)
    ffmpeg(
        "-loop",
        1,
        "-i",
        still,
        "-t",
        5,
        "-r",
        24,
        "-vf",
        "noise=alls=20:allf=t",
        "-preset",
        "ultrafast",
        "-crf",
        24,
        path,
    )
    rhythm = analyse([Clip(path)])
    assert rhythm.beats == ()
    assert rhythm.boundaries == ()


@pytest.mark.parametrize("strength", [25, 60])
def test_pure_grain_gives_no_strong_beat(strength, tmp_path):
    path = tmp_path / "grain.mp4"
    ffmpeg("-f", "lavfi", "-i", f"color=gray:s=640x360:r=24:d=8,noise=alls={strength}:allf=t",
           "-preset", "ultrafast", "-crf", 24, path)  # fmt: skip
    rhythm = analyse([Clip(path)])
    assert max((b.saliency for b in rhythm.beats), default=0.0) < 0.5
    assert len(rhythm.beats) <= 4
    assert np.isfinite(rhythm.motion).all()
