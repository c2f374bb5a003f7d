"""The film with its music, made and probed with real ffmpeg."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from hitpoint.model.errors import InputError, MissingError, UsageError
from hitpoint.model.output.mux import find_ffmpeg, mux, mux_score
from hitpoint.model.output.render import write_wav
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


def test_from_a_score(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", seconds=2.0)
    score = fake_take(fake_prepared(bars=1, duration_s=2.0)).score
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
