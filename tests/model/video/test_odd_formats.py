"""Films that are odd but good: each must simply work."""

import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest

from hitpoint.model.video.analyse import analyse, probe
from hitpoint.model.video.frames import read_frames
from hitpoint.model.video.types import Clip
from tests.model.video.conftest import draw, ffmpeg


@pytest.mark.parametrize(
    "name",
    ["a.mov", "a.mkv", "a.webm", "a.avi", "a.ts", "a.gif", "CLIP.MP4", "my.clip.v2.mp4", "a b  c.mp4", "Übung–映画.mkv",
     "scene:1.mp4", "-dash.mp4", "100%d.mp4"],
)  # fmt: skip
def test_containers_and_names(name, tmp_path):
    plain = draw(tmp_path / f"plain.{name.rsplit('.', 1)[1].lower()}", seconds=1.5)
    rhythm = analyse([Clip(plain.rename(tmp_path / name))])
    assert rhythm.duration_s == pytest.approx(1.5, abs=0.06)
    assert len(rhythm.times_s) == pytest.approx(36, abs=2)
    assert rhythm.times_s[0] == pytest.approx(0.0, abs=0.05)
    assert rhythm.motion.mean() > 0


@pytest.mark.parametrize(
    "options",
    [("-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-x265-params", "log-level=none"), ("-pix_fmt", "yuv444p"),
     ("-pix_fmt", "yuv422p"), ("-pix_fmt", "gray"), ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
     ("-c:v", "png", "-pix_fmt", "rgb24")],
    ids=["10 bit", "444", "422", "grey", "full range", "rgb"],
)  # fmt: skip
def test_pixel_formats_move_alike(options, tmp_path):
    usual = analyse([Clip(draw(tmp_path / "usual.mov", "-pix_fmt", "yuv420p", "-crf", 10))])
    other = analyse([Clip(draw(tmp_path / "other.mov", *options))])
    assert other.motion.mean() == pytest.approx(usual.motion.mean(), rel=0.15)


@pytest.mark.parametrize("size", ["321x181", "33x17", "16x16", "1000x30", "30x1000", "2x2"])
def test_odd_sizes(size, tmp_path):
    path = draw(tmp_path / "odd.mkv", "-vf", f"scale={size.replace('x', ':')}", "-c:v", "ffv1")
    width, height = map(int, size.split("x"))
    rhythm = analyse([Clip(path)])
    assert (rhythm.media[0].width, rhythm.media[0].height) == (width, height)
    assert np.isfinite(rhythm.motion).all()


def pushed(path, times_s, speed=0.2, size=(320, 240)):
    """A picture that goes right by `speed` of its width a second, seen at `times_s`; the file says these times."""
    width, height = size
    rng = np.random.default_rng(5)
    picture = rng.integers(20, 235, (height // 8, width // 4)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    columns = np.arange(width)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        for t in times_s:
            shifted = picture[:, np.round(columns - t * speed * width).astype(int) % (2 * width)]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(shifted), format="gray")
            frame.pts, frame.time_base = round(t * 90_000), Fraction(1, 90_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_honoured(degrees, tmp_path):
    plain = pushed(tmp_path / "plain.mp4", np.arange(24) / 24)
    turned = tmp_path / "turned.mp4"
    new = b"display_rotation" in subprocess.run(["ffmpeg", "-h", "full"], capture_output=True, check=True).stdout
    before = ("-display_rotation", degrees) if new else ()
    after = () if new else ("-metadata:s:v:0", f"rotate={degrees}")
    ffmpeg(*before, "-i", plain, "-c", "copy", *after, turned)
    width, height = (320, 240) if degrees == 180 else (240, 320)
    media = probe(turned)
    assert (media.width, media.height) == (width, height)
    columns, rows = width * 128 // 320, height * 128 // 320
    scaled = f"scale={columns}:{rows}:flags=area"
    command = ["ffmpeg", "-v", "error", "-i", turned, "-vf", scaled, "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    shown = subprocess.run(command, capture_output=True, check=True).stdout
    frames = np.frombuffer(shown, np.uint8).reshape(-1, rows, columns).astype(float)
    for frame, wanted in zip(read_frames(turned), frames, strict=True):
        assert frame.luma.shape == (rows, columns)
        got = (frame.luma.astype(float) - 16) * 255 / 219
        assert np.abs(got - wanted).mean() < 6, "a player shows it so"


@pytest.mark.parametrize("speed", [0.05, 0.25, 0.6])
def test_speed_is_a_share_of_the_width(speed, tmp_path):
    rhythm = analyse([Clip(pushed(tmp_path / "pan.mp4", np.arange(48) / 24, speed=speed))])
    assert rhythm.motion[2:].mean() == pytest.approx(speed, rel=0.15)


def test_variable_frame_rate_keeps_true_times(tmp_path):
    """Every third frame is missing: times and speeds stay those of the frames that are left."""
    wanted = np.array([k / 24 for k in range(72) if k % 3 != 1])
    rhythm = analyse([Clip(pushed(tmp_path / "vfr.mp4", wanted))])
    assert rhythm.times_s == pytest.approx(wanted, abs=0.002)
    assert rhythm.motion[3:] == pytest.approx(np.full(len(wanted) - 3, 0.2), rel=0.3)
    assert rhythm.beats == ()


@pytest.mark.parametrize("rate", [8, 12, 60])
def test_frame_rate_does_not_matter(rate, tmp_path):
    rhythm = analyse([Clip(pushed(tmp_path / "film.mp4", np.arange(2 * rate) / rate))])
    assert rhythm.motion[2:].mean() == pytest.approx(0.2, rel=0.15)


def test_no_declared_duration(tmp_path):
    path = tmp_path / "live.webm"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x90:r=24:d=2", "-f", "webm", "-live", 1, path)
    media = probe(path)
    assert media.duration_s == pytest.approx(2.0, abs=0.06)
    assert media.frames == 48
    assert analyse([Clip(path)]).duration_s == pytest.approx(2.0, abs=0.06)


def test_sound_longer_than_the_picture(tmp_path):
    path = tmp_path / "film.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x90:r=24:d=2", "-f", "lavfi", "-i", "sine=d=5", path)
    assert analyse([Clip(path)]).duration_s == pytest.approx(2.0, abs=0.06)
    assert probe(path).duration_s == pytest.approx(2.0, abs=0.06)


def test_picture_that_starts_late(tmp_path):
    """A player shows the first frame half a second after the sound began; so do we."""
    path = tmp_path / "late.mkv"
    ffmpeg("-f", "lavfi", "-i", "sine=d=3", "-itsoffset", 0.5, "-f", "lavfi", "-i", "testsrc2=s=160x90:r=24:d=2",
           "-map", 0, "-map", 1, path)  # fmt: skip
    rhythm = analyse([Clip(path)])
    assert rhythm.times_s[0] == pytest.approx(0.5, abs=0.03)
    assert rhythm.duration_s == pytest.approx(2.5, abs=0.06)


def test_pixels_that_are_not_square(tmp_path):
    path = draw(tmp_path / "wide.mp4", "-vf", "setsar=2", size="160x180")
    assert next(iter(read_frames(path))).luma.shape == (72, 128)


def test_a_stream_that_changes_its_size(tmp_path):
    wide = draw(tmp_path / "wide.ts", size="320x180").read_bytes()
    high = draw(tmp_path / "high.ts", size="180x320").read_bytes()
    path = tmp_path / "both.ts"
    path.write_bytes(wide + high)
    assert {frame.luma.shape for frame in read_frames(path)} == {(72, 128)}
    assert len(analyse([Clip(path, out_s=1.5)]).times_s) == 36


def test_static_film(tmp_path):
    path = draw(tmp_path / "static.mp4", source="smptebars", seconds=5)
    rhythm = analyse([Clip(path)])
    assert rhythm.beats == () and rhythm.boundaries == () and rhythm.shots == ("A",)
    assert rhythm.motion.max() < 1e-3


def test_black_film(tmp_path):
    rhythm = analyse([Clip(draw(tmp_path / "black.mp4", source="color=c=black", size="64x64"))])
    assert rhythm.beats == () and rhythm.boundaries == ()


@pytest.mark.parametrize("seconds", [0.1, 0.5, 1.0])
def test_short_film(seconds, tmp_path):
    rhythm = analyse([Clip(draw(tmp_path / "short.mp4", seconds=seconds))])
    assert rhythm.duration_s == pytest.approx(seconds, abs=0.05)
    assert len(rhythm.times_s) >= 2


def test_two_hours(tmp_path):
    part, path, listing = tmp_path / "part.mkv", tmp_path / "long.mkv", tmp_path / "list.txt"
    draw(part, "-g", 60, "-preset", "ultrafast", size="64x36", rate="1/2", seconds=600)
    listing.write_text(f"file '{part}'\n" * 12)
    ffmpeg("-f", "concat", "-safe", 0, "-i", listing, "-c", "copy", path)
    told = []
    rhythm = analyse([Clip(path)], progress=told.append)
    assert rhythm.duration_s == pytest.approx(7200, abs=4)
    assert told == sorted(told) and told[-1] == 1.0 and len(told) > 10 and max(np.diff(told)) < 0.5
    part_of_it = analyse([Clip(path, in_s=7000.0, out_s=7020.0)])
    assert len(part_of_it.times_s) == 10
