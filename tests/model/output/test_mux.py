"""The film with its music, made and probed with real ffmpeg."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from hitpoint.model.errors import InputError, MissingError, UsageError
from hitpoint.model.output.ffmpeg import find_ffmpeg
from hitpoint.model.output.mux import mux, mux_score
from hitpoint.model.output.render import write_wav
from hitpoint.model.video.film import open_film
from hitpoint.model.video.types import Clip
from tests.fakes import fake_prepared, fake_take

pytestmark = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="needs ffmpeg and ffprobe")


def make_film(path: Path, *codec: str, size: str = "160x90", seconds: float = 4.0) -> Path:
    source = f"testsrc2=size={size}:rate=25:duration={seconds}"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, *codec, str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path


def make_wav(path: Path, seconds: float) -> Path:
    write_wav(fake_take(fake_prepared(bars=2, duration_s=seconds)).score, path)
    return path


def probe(path: Path) -> dict[str, dict[str, str]]:
    command = ["ffprobe", "-v", "error", "-show_streams", "-count_frames", "-of", "json", str(path)]
    streams = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)["streams"]
    assert len(streams) == 2
    return {stream["codec_type"]: stream for stream in streams}


def test_a_whole_film_keeps_its_picture(tmp_path: Path) -> None:
    film = make_film(tmp_path / "My film (1).MP4")
    mux(film, make_wav(tmp_path / "a.wav", 4.0), tmp_path / "out.mp4")
    streams = probe(tmp_path / "out.mp4")
    assert streams["video"]["codec_name"] == "h264" and streams["audio"]["codec_name"] == "aac"
    assert int(streams["video"]["nb_read_frames"]) == 100
    assert abs(float(streams["audio"]["duration"]) - 4.0) < 0.05
    hashes = [
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v", "-c", "copy", "-f", "md5", "-"],
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for path in (film, tmp_path / "out.mp4")
    ]
    assert hashes[0] == hashes[1]


def test_in_and_out_are_exact_between_key_frames(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", "-g", "250")
    mux(film, make_wav(tmp_path / "a.wav", 1.48), tmp_path / "out.mp4", in_s=1.52, out_s=3.0)
    assert int(probe(tmp_path / "out.mp4")["video"]["nb_read_frames"]) == 37
    frame = ["-frames:v", "1", "-vf", "scale=32:18,format=gray", "-f", "rawvideo", "-"]
    first, wanted = (
        subprocess.run(
            ["ffmpeg", "-v", "error", "-ss", at, "-i", str(path), *frame], capture_output=True, check=True, timeout=60
        ).stdout
        for path, at in ((tmp_path / "out.mp4", "0"), (film, "1.52"))
    )
    assert max(abs(a - b) for a, b in zip(first, wanted, strict=True)) < 24


@pytest.mark.parametrize(
    ("name", "codec", "out"),
    [
        ("odd.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv444p"], "out.mov"),
        ("vp8.webm", ["-c:v", "libvpx"], "out.mp4"),
        ("film.mkv", ["-c:v", "libx264"], "out.webm"),
        ("film.mov", ["-c:v", "mpeg4"], "out.mkv"),
    ],
)
def test_kinds_of_film(tmp_path: Path, name: str, codec: list[str], out: str) -> None:
    size = "161x91" if name == "odd.mp4" else "160x90"
    film = make_film(tmp_path / name, *codec, size=size, seconds=1.0)
    mux(film, make_wav(tmp_path / "a.wav", 1.0), tmp_path / out)
    assert int(probe(tmp_path / out)["video"]["nb_read_frames"]) == 25


X264 = ["-c:v", "libx264", "-bf", "2"]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("numbered.avi", ["-c:v", "mpeg4", "-bf", "2"]),
        ("numbered.h264", X264),
        ("late.flv", X264),
        ("film.ts", X264),
    ],
)
@pytest.mark.parametrize(("in_s", "out_s"), [(0.0, None), (1.0, 3.0)])
def test_every_frame_where_the_analysis_sees_it(
    name: str, codec: list[str], in_s: float, out_s: float | None, tmp_path: Path
) -> None:
    film = make_film(tmp_path / name, *codec)
    length_s = (out_s or 4.0) - in_s
    mux(film, make_wav(tmp_path / "a.wav", length_s), tmp_path / "out.mp4", in_s, out_s)
    track = open_film(tmp_path / "out.mp4").track
    assert track.times_s == pytest.approx([number / 25 for number in range(round(length_s * 25))], abs=1e-3)
    assert track.end_s == pytest.approx(length_s, abs=1e-3)


def test_the_picture_that_was_analysed(tmp_path: Path) -> None:
    film = tmp_path / "two.mkv"
    sources = ["color=black:size=80x46:rate=1:duration=2", "testsrc2=s=160x90:r=25:d=2"]
    inputs = [word for source in sources for word in ("-f", "lavfi", "-i", source)]
    marks = ["-disposition:v:0", "0", "-disposition:v:1", "default"]
    command = ["ffmpeg", "-v", "error", "-y", *inputs, "-map", "0", "-map", "1", *X264, *marks, str(film)]
    subprocess.run(command, check=True, timeout=60)
    mux(film, make_wav(tmp_path / "a.wav", 2.0), tmp_path / "out.mp4")
    assert probe(tmp_path / "out.mp4")["video"]["width"] == 160


def test_what_an_edit_list_hides_stays_hidden(tmp_path: Path) -> None:
    whole, film = make_film(tmp_path / "whole.mp4", *X264), tmp_path / "film.mp4"
    command = ["ffmpeg", "-v", "error", "-y", "-ss", "1", "-i", str(whole), "-c", "copy", str(film)]
    subprocess.run(command, check=True, timeout=60)
    mux(film, make_wav(tmp_path / "a.wav", 3.0), tmp_path / "out.mkv")
    assert open_film(tmp_path / "out.mkv").media.frames == 75


def test_a_playlist_is_no_film(tmp_path: Path) -> None:
    film, wav = make_film(tmp_path / "film.ts"), make_wav(tmp_path / "a.wav", 1.0)
    (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{film}\n#EXT-X-ENDLIST\n")
    with pytest.raises(InputError, match="playlist"):
        mux(tmp_path / "list.m3u8", wav, tmp_path / "out.mp4")


def test_from_a_score(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", seconds=2.0)
    score = fake_take(fake_prepared(bars=1, duration_s=2.0)).score
    score = replace(score, about={**score.about, "clip0_sha256": open_film(film).media.sha256})
    shares: list[float] = []
    mux_score(score, [Clip(film)], tmp_path / "out.mp4", progress=shares.append)
    assert set(probe(tmp_path / "out.mp4")) == {"video", "audio"} and shares[-1] == 1.0
    with pytest.raises(UsageError, match="one clip"):
        mux_score(score, [Clip(film), Clip(film)], tmp_path / "two.mp4")


def test_what_cannot_be_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wav = make_wav(tmp_path / "a.wav", 1.0)
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(InputError, match=r"text\.mp4"):
        mux(tmp_path / "text.mp4", wav, tmp_path / "out.mp4")
    with pytest.raises(UsageError, match=r"\.mp4"):
        mux(tmp_path / "text.mp4", wav, tmp_path / "out.txt")
    assert {p.name for p in tmp_path.iterdir()} == {"a.wav", "text.mp4"}
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    with pytest.raises(MissingError, match="pip install imageio-ffmpeg"):
        find_ffmpeg()
