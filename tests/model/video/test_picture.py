"""Which track is the picture, which frame is shown when, and where it ends: one answer, whatever the container."""

import numpy as np
import pytest

from hitpoint.model.errors import InputError
from hitpoint.model.video import track
from hitpoint.model.video.analyse import analyse, probe
from hitpoint.model.video.film import open_film
from hitpoint.model.video.types import Clip
from tests.model.video.conftest import draw, ffmpeg, three_shots

H264 = ("-c:v", "libx264", "-crf", 20, "-preset", "veryfast")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", 3, "-bf", 2)


def cuts(rhythm):
    return [round(boundary.time_s, 2) for boundary in rhythm.boundaries if boundary.kind == "cut"]


def frames_evenly(path, count=210, rate=30.0):
    found = open_film(path).track
    assert found.times_s == pytest.approx(np.arange(count) / rate, abs=0.0011)
    assert found.end_s == pytest.approx(count / rate, abs=0.0011)


def boxes(data, start, end):
    """The boxes of an MP4 in data[start:end]: (name, bytes)."""
    while start < end:
        size = int.from_bytes(data[start : start + 4], "big")
        yield data[start + 4 : start + 8], data[start : start + size]
        start += size


def cover_first(plain, cover, path):
    """An MP4 whose cover image is its first stream: what describes it stands before the tracks."""
    made = path.with_name("made.mp4")
    ffmpeg("-i", plain, "-i", cover, "-map", 0, "-map", 1, "-c", "copy", "-disposition:v:1", "attached_pic", made)
    data = made.read_bytes()
    at = data.rindex(b"moov") - 4
    inside = list(boxes(data, at + 8, at + int.from_bytes(data[at : at + 4], "big")))
    ordered = sorted(inside, key=lambda box: [b"mvhd", b"udta"].index(box[0]) if box[0] in (b"mvhd", b"udta") else 2)
    path.write_bytes(data[: at + 8] + b"".join(box for _, box in ordered))
    return path


def test_a_cover_that_comes_first_is_not_the_picture(base, tmp_path):
    cover, plain = tmp_path / "cover.png", tmp_path / "plain.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=320x320:d=1", "-frames:v", 1, cover)
    ffmpeg("-i", base, *H264, plain)
    film = open_film(cover_first(plain, cover, tmp_path / "film.mp4"))
    assert film.track.index == 1
    assert (film.media.width, film.media.height, film.media.frames) == (160, 90, 210)


def test_of_two_pictures_the_default_one(base, tmp_path):
    path = tmp_path / "two.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=black:s=320x180:r=1:d=7", "-i", base, "-map", 0, "-map", 1, *H264,
           "-disposition:v:0", 0, "-disposition:v:1", "default", path)  # fmt: skip
    assert open_film(path).track.index == 1
    assert cuts(analyse([Clip(path)])) == [2.0, 4.5]


@pytest.mark.parametrize("first", ["color=black:s=80x46:r=30:d=7", "color=black:s=160x90:r=30:d=3",
                                   "color=black:s=160x90:r=1:d=7"], ids=["smaller", "shorter", "slower"])  # fmt: skip
def test_of_two_pictures_marked_alike_the_better_one(first, base, tmp_path):
    path = tmp_path / "two.mkv"
    ffmpeg("-f", "lavfi", "-i", first, "-i", base, "-map", 0, "-map", 1, *H264, "-disposition:v", "default", path)
    assert open_film(path).track.index == 1


@pytest.mark.parametrize(
    ("name", "options"),
    [("mpeg4.avi", ("-c:v", "mpeg4", "-vtag", "XVID", "-bf", 2, "-q:v", 3)), ("x264.avi", (*H264, "-bf", 3)),
     ("mjpeg.avi", ("-c:v", "mjpeg")), ("bare.h264", (*H264, "-bf", 2)), ("bare.m2v", MPEG2)],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_frames_without_times_are_numbered(name, options, base, tmp_path):
    path = tmp_path / name
    ffmpeg("-i", base, *options, path)
    frames_evenly(path)
    assert not open_film(path).notes
    if name in ("mpeg4.avi", "bare.h264"):
        rhythm = analyse([Clip(path)])
        assert cuts(rhythm) == [2.0, 4.5]
        assert rhythm.duration_s == probe(path).duration_s == pytest.approx(7.0)
        assert rhythm.media[0].fps == pytest.approx(30.0)


def test_an_avi_that_left_frames_out_keeps_their_time(base, tmp_path):
    path = tmp_path / "held.avi"
    ffmpeg("-i", base, "-vf", "select=lt(n\\,100)+gt(n\\,120)", "-vsync", "vfr", "-c:v", "mpeg4", "-bf", 2, path)
    film = open_film(path)
    assert film.media.frames == 189
    assert film.media.duration_s == pytest.approx(7.0)
    assert np.max(np.diff(film.track.times_s)) == pytest.approx(22 / 30)


def test_a_bare_stream_that_states_no_rate_says_so(tmp_path):
    path = draw(tmp_path / "bare.mjpeg", "-c:v", "mjpeg", size="64x36")
    film = open_film(path)
    assert film.media.duration_s == pytest.approx(48 / 25)
    assert len(film.notes) == 1 and "does not say its frame rate" in film.notes[0]


@pytest.mark.parametrize("sound", [False, True], ids=["picture only", "with sound"])
@pytest.mark.parametrize("ending", ["ts", "mpg"])
def test_times_that_start_again_are_joined(ending, sound, base, tmp_path):
    one, both = tmp_path / f"one.{ending}", tmp_path / f"both.{ending}"
    tone = ("-f", "lavfi", "-i", "sine=d=7") if sound else ()
    ffmpeg("-i", base, *tone, *(H264 if ending == "ts" else MPEG2), one)
    both.write_bytes(one.read_bytes() * 2)
    frames_evenly(both, 420)
    film = open_film(both)
    assert "joined at 7.00 s" in film.notes[0]
    if ending == "ts" and not sound:
        rhythm = analyse([Clip(both)])
        assert rhythm.duration_s == pytest.approx(14.0, abs=0.001)
        assert cuts(rhythm) == [2.0, 4.5, 7.0, 9.0, 11.5]
        assert film.notes[0] in rhythm.notes
        assert cuts(analyse([Clip(both, in_s=8.0, out_s=10.0)])) == [1.0]


def test_a_jump_ahead_in_a_broadcast_is_joined_and_a_held_picture_is_not():
    steps = np.full(100, 3000)
    steps[50] = 90_000 * 3600
    times = np.cumsum(steps)
    assert track._pieces(times, 1 / 90_000, True) == ([0, 50], set())
    assert track._pieces(times, 1 / 90_000, False) == ([0], set())
    steps[50] = 90_000 * 5
    assert track._pieces(np.cumsum(steps), 1 / 90_000, True) == ([0], set())


@pytest.mark.parametrize("astray", [90_000 * 7, 90_000 * 6000, -90_000 * 40])
def test_a_few_damaged_times_are_no_second_film(astray):
    times = np.arange(100) * 3000 + 1_000_000
    times[40:47] += astray
    starts, untimed = track._pieces(times, 1 / 90_000, True)
    assert starts == [0]
    assert untimed == set(range(40, 47))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "flv"])
def test_one_end_for_film_and_rhythm_where_the_last_but_some_frame_is_missing(ending, base, tmp_path):
    path = tmp_path / f"film.{ending}"
    ffmpeg("-i", base, "-vf", "select='not(eq(n,204))'", "-vsync", "vfr", *H264, "-bf", 3, "-b_strategy", 0,
           "-x264-params", "b-pyramid=normal:scenecut=0", path)  # fmt: skip
    assert probe(path).duration_s == pytest.approx(7.0, abs=0.0011)
    if ending == "mp4":
        assert analyse([Clip(path)]).duration_s == probe(path).duration_s


ENCODERS = {
    "a.ivf": ("-c:v", "libvpx"),
    "a.webm": ("-c:v", "libvpx"),
    "a.3gp": H264,
    "a.mxf": MPEG2,
    "a.gif": ("-r", 25),
    "frag.mp4": ("-movflags", "frag_keyframe+empty_moov"),
}


@pytest.mark.parametrize("name", [*ENCODERS, "a.mp4", "a.mov", "a.mkv", "a.ts", "a.mpg", "a.flv", "a.wmv", "a.avi",
                                  "a.apng", "a.y4m", "a.nut", "a.m4v"])  # fmt: skip
def test_every_container_ends_where_its_picture_does(name, tmp_path):
    frames_evenly(draw(tmp_path / name, *ENCODERS.get(name, ()), size="64x36", rate=25), 50, 25.0)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "flv", "wmv", "webm"])
def test_sound_that_begins_before_and_ends_after_the_picture(ending, tmp_path):
    """An encoder's run-up of sound, some hundredths of a second, does not move the film's zero."""
    path = tmp_path / f"film.{ending}"
    options = ("-c:v", "libvpx") if ending == "webm" else ()
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=2", "-f", "lavfi", "-i", "sine=d=4", *options, path)
    frames_evenly(path, 50, 25.0)


def test_a_start_that_is_not_zero(base, tmp_path):
    for name, offset in (("later.mkv", 100), ("earlier.mkv", -3)):
        path = tmp_path / name
        ffmpeg("-i", base, *H264, "-output_ts_offset", offset, "-avoid_negative_ts", "disabled", path)
        frames_evenly(path)


def test_an_edit_list_hides_what_lies_before_it(base, tmp_path):
    whole, path = tmp_path / "whole.mp4", tmp_path / "film.mp4"
    ffmpeg("-i", base, *H264, "-x264-params", "scenecut=0", whole)
    ffmpeg("-ss", 1, "-i", whole, "-c", "copy", path)
    film = open_film(path)
    assert film.media.frames == 180 and film.track.is_trimmed
    assert film.media.duration_s == pytest.approx(6.0, abs=0.002)
    assert cuts(analyse([Clip(path)])) == [1.0, 3.5]


def test_packets_without_bytes_repeat_the_picture(tmp_path):
    path = tmp_path / "static.ogv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=d=2", "-vf", "tpad=stop_mode=clone:stop_duration=2", path)
    film = open_film(path)
    rhythm = analyse([Clip(path)])
    assert film.media.frames < 97, "some only repeat"
    assert 3.8 < film.media.duration_s < 4.01, "libtheora leaves out the last repeats, by its version"
    assert rhythm.duration_s == film.media.duration_s
    assert not rhythm.notes


@pytest.mark.parametrize("rate", ["24000/1001", "24", "25", "30000/1001", "50", "60000/1001", "120", "240", "1/3"])
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_every_rate(ending, rate, tmp_path):
    path = tmp_path / f"film.{ending}"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=64x36:r={rate}", "-frames:v", 30, path)
    media, wanted = probe(path), eval(rate)
    assert media.duration_s == pytest.approx(30 / wanted, abs=0.0015)
    assert media.fps == pytest.approx(wanted, rel=0.003)
    assert media.usual_fps == pytest.approx(wanted, rel=0.003)


def test_the_nominal_rate_of_a_film_that_leaves_frames_out(base, tmp_path):
    for ending in ("mp4", "mkv"):
        path = tmp_path / f"vfr.{ending}"
        ffmpeg("-i", base, "-vf", "select='not(eq(mod(n,5),2))'", "-vsync", "vfr", *H264, path)
        media = probe(path)
        assert media.fps == pytest.approx(24.0, abs=0.05)
        assert media.usual_fps == 30.0


def test_dv_states_its_rate_wrongly(tmp_path):
    path = draw(tmp_path / "film.dv", "-c:v", "dvvideo", "-pix_fmt", "yuv420p", size="720x576", rate=25, seconds=1)
    assert probe(path).fps == probe(path).usual_fps == pytest.approx(25.0)


@pytest.mark.parametrize(
    ("name", "weave", "options"),
    [("top.mkv", "tinterlace=4", MPEG2), ("bottom.mp4", "tinterlace=5", (*H264, "-x264opts", "bff=1"))],
    ids=["top first", "bottom first"],
)
def test_a_cut_between_two_fields_is_found_there(name, weave, options, tmp_path):
    fields, path = three_shots(tmp_path / "fields.mkv", "-c:v", "ffv1", rate=50, size="160x96"), tmp_path / name
    ffmpeg("-i", fields, "-vf", weave, *options, "-flags", "+ildct+ilme", path)
    assert cuts(analyse([Clip(path)])) == [2.0, 4.5]


def test_fields_of_one_moment_stay_one_frame(tmp_path):
    """Progressive film in an interlaced stream, as television sends it."""
    path = tmp_path / "film.mkv"
    ffmpeg("-f", "lavfi", "-i", "mandelbrot=s=720x576:r=25", "-t", 2, *MPEG2, "-flags", "+ildct+ilme", path)
    assert len(analyse([Clip(path)]).times_s) == 50


def test_a_missing_track_of_picture_is_told(tmp_path):
    path = tmp_path / "song.mp3"
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", path)
    with pytest.raises(InputError, match="only sound"):
        probe(path)
