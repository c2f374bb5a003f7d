"""What is no usable film gives one sentence, soon."""

import shutil

import pytest

from hitpoint.model.errors import HitpointError, InputError, UsageError
from hitpoint.model.video.analyse import analyse, probe
from hitpoint.model.video.types import Clip
from tests.model.video.conftest import draw, ffmpeg


def refusal(path, kind=InputError, **points):
    with pytest.raises(kind) as caught:
        analyse([Clip(path, **points)])
    text = str(caught.value)
    assert "\n" not in text
    assert not text.endswith(".")
    assert ";" in text or "," in text, "it says what is wrong, and what to do"
    return text


def cut_off(source, target, share):
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def test_missing(tmp_path):
    assert "does not exist" in refusal(tmp_path / "none.mp4")


def test_empty(tmp_path):
    path = tmp_path / "empty.mp4"
    path.touch()
    assert "empty" in refusal(path)


def test_folder(tmp_path):
    assert "folder" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["letter.mp4", "letter.txt", "letter.mkv"])
@pytest.mark.parametrize("text", ["Dear editor,\n" * 200, "#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "x"])
def test_text(name, text, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    assert "letter" in refusal(path)


def test_random_bytes(tmp_path):
    path = tmp_path / "noise.mp4"
    path.write_bytes(bytes(range(256)) * 400)
    refusal(path)


def test_sound_only(tmp_path):
    path = tmp_path / "sound.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=d=2", path)
    assert "only sound" in refusal(path)


def test_sound_with_a_cover_picture(tmp_path):
    cover, path = tmp_path / "cover.png", tmp_path / "song.mp3"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-frames:v", 1, cover)
    ffmpeg("-f", "lavfi", "-i", "sine=d=2", "-i", cover, "-map", 0, "-map", 1, "-c:v", "copy",
           "-disposition:v", "attached_pic", path)  # fmt: skip
    assert "only sound" in refusal(path)


@pytest.mark.parametrize("name", ["one.mp4", "one.png", "one.mkv"])
def test_one_frame(name, tmp_path):
    path = draw(tmp_path / name, "-frames:v", 1)
    assert "frame" in refusal(path)


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_cut_off(ending, tmp_path):
    options = ("-movflags", "+faststart") if ending != "mkv" else ()
    whole = draw(tmp_path / f"whole.{ending}", "-g", 12, *options, seconds=6)
    half = cut_off(whole, tmp_path / f"half.{ending}", 0.5)
    assert "breaks off" in refusal(half)


def test_cut_off_but_sound_before_the_damage(tmp_path):
    whole = draw(tmp_path / "whole.mp4", "-g", 12, "-movflags", "+faststart", seconds=6)
    half = cut_off(whole, tmp_path / "half.mp4", 0.6)
    rhythm = analyse([Clip(half, out_s=2.0)])
    assert rhythm.duration_s == 2.0
    assert len(rhythm.times_s) == 48


def test_cut_off_before_its_index(tmp_path):
    half = cut_off(draw(tmp_path / "whole.mp4"), tmp_path / "half.mp4", 0.5)
    assert "half.mp4" in refusal(half)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
def test_damaged_inside_never_hangs_or_raises_else(ending, tmp_path):
    path = draw(tmp_path / f"film.{ending}", seconds=4)
    data = bytearray(path.read_bytes())
    for place in range(len(data) // 3, len(data) * 2 // 3, 97):
        data[place] ^= 0xFF
    path.write_bytes(data)
    try:
        analyse([Clip(path)])
    except HitpointError as error:
        assert not str(error).endswith(".")


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        (UsageError, {"in_s": 1.0, "out_s": 1.0}),
        (UsageError, {"in_s": 1.5, "out_s": 0.5}),
        (UsageError, {"in_s": -1.0}),
        (UsageError, {"rate": 0.0}),
        (UsageError, {"in_s": float("nan")}),
        (InputError, {"in_s": 2.0}),
        (InputError, {"in_s": 99.0}),
        (InputError, {"in_s": 99.0, "out_s": 100.0}),
        (InputError, {"out_s": 3.0}),
        (InputError, {"in_s": 0.51, "out_s": 0.53}),
    ],
)
def test_points_that_make_no_sense(kind, points, tmp_path):
    refusal(draw(tmp_path / "film.mp4"), kind, **points)


def test_points_beyond_a_film_that_declares_no_length(tmp_path):
    path = tmp_path / "live.webm"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x90:r=24:d=2", "-f", "webm", "-live", 1, path)
    assert "beyond" in refusal(path, in_s=5.0)


def test_no_clip_at_all():
    with pytest.raises(UsageError):
        analyse([])


def test_unreadable(tmp_path):
    path = draw(tmp_path / "film.mp4")
    path.chmod(0)
    try:
        path.open("rb").close()
    except PermissionError:
        assert "permission denied" in refusal(path)
    else:
        pytest.skip("this user may read everything")


def test_the_file_goes_while_it_is_analysed(tmp_path):
    """The decoding thread's refusal reaches the caller."""
    from hitpoint.model.video.frames import read_frames

    path = draw(tmp_path / "film.mp4")
    shutil.copy(path, tmp_path / "kept.mp4")
    path.unlink()
    with pytest.raises(InputError):
        list(read_frames(path))


def test_probe_refuses_as_analyse_does(tmp_path):
    with pytest.raises(InputError):
        probe(tmp_path / "none.mp4")
