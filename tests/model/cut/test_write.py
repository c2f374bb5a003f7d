"""The edit as OTIO, EDL and film: read back by our own readers and by others', and looked at frame by frame."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.cut.edit import Cutting, cut_to
from hitpoint.model.cut.film import write_film
from hitpoint.model.cut.read import read_music
from hitpoint.model.cut.shots import read_footage
from hitpoint.model.cut.write import write_list
from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.output.render import SOUNDFONT
from hitpoint.model.video.cuts_file import read_list
from hitpoint.model.video.types import Clip
from tests.model.cut.songs import others_song, our_song
from tests.model.cut.test_edit import footage, song
from tests.model.material import SHARED

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="needs ffmpeg and ffprobe")
RATES = (24000 / 1001, 25.0, 30000 / 1001, 60.0)


@pytest.mark.parametrize("ending", ["otio", "edl"])
@pytest.mark.parametrize("fps", RATES)
def test_lists_are_read_back_to_the_frame(tmp_path: Path, ending: str, fps: float) -> None:
    cutting = cut_to(song(tmp_path), footage(), fps)
    path = tmp_path / f"edit.{ending}"
    write_list(cutting, path)
    found = read_list(path, 25.0)
    frames = [part.slot.first for part in cutting.parts[1:]]
    assert [cut.time_s * fps for cut in found.cuts] == pytest.approx(frames, abs=1e-3)
    assert {cut.kind for cut in found.cuts} == {"cut"} and found.notes == ()
    with pytest.raises(UsageError, match="exists"):
        write_list(cutting, path)


def test_opentimelineio_reads_the_clips(tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    cutting = cut_to(song(tmp_path), footage())
    music = replace(cutting.music, path=tmp_path / "song.wav", is_midi=False)
    write_list(replace(cutting, music=music), tmp_path / "e.otio")
    timeline = otio.adapters.read_from_file(str(tmp_path / "e.otio"))
    picture, sound = timeline.tracks
    assert [each.source_range.duration.to_frames() for each in picture] == [part.slot.frames for part in cutting.parts]
    assert [each.source_range.start_time.to_seconds() for each in picture] == pytest.approx(
        [part.clip.in_s for part in cutting.parts]
    )
    assert [each.name for each in sound] == ["song"] and timeline.duration().to_frames() == cutting.frames
    assert [marker.name for marker in timeline.tracks.markers] == [f"Section {name}" for name in "ABAB"]


def test_the_cmx_adapter_reads_the_clips(tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    if "cmx_3600" not in otio.adapters.available_adapter_names():
        pytest.skip("OpenTimelineIO's adapter cmx_3600 is not installed")
    cutting = cut_to(song(tmp_path), footage())
    write_list(cutting, tmp_path / "e.edl")
    [track] = otio.adapters.read_from_file(str(tmp_path / "e.edl"), rate=25).tracks
    assert [(each.name, each.source_range.start_time.to_frames()) for each in track] == [
        (part.clip.path.name, round(part.clip.in_s * 25)) for part in cutting.parts
    ]


def test_an_edl_holds_so_many_shots(tmp_path: Path) -> None:
    cutting = cut_to(song(tmp_path), footage())
    many = replace(cutting, parts=cutting.parts * 200)
    with pytest.raises(UsageError, match="999"):
        write_list(many, tmp_path / "e.edl")


def numbered(path: Path, grey: int, seconds: float = 8.0, size: str = "64x36", rate: int = 25) -> Path:
    """A film whose left half tells the frame by its light, and whose right half has a grey of its own."""
    number = f"geq=lum='if(lt(X,W/2),16+mod(N,55)*4,{grey})':cb=128:cr=128"
    source = f"color=s={size}:r={rate}:d={seconds},format=yuv420p,{number}"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-qp", "0", str(path)], check=True)
    return path


def pictures(path: Path, size: tuple[int, int]) -> np.ndarray:
    """(frames, height, width): the light of every frame."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, size[1], size[0]).astype(int)


def streams(path: Path) -> dict[str, dict[str, str]]:
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(path)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["streams"]
    return {stream["codec_type"]: stream for stream in found}


def cut(music: Path, *clips: Path) -> Cutting:
    return cut_to(read_music(music), read_footage([Clip(clip) for clip in clips]))


@needs_ffmpeg
def test_the_film_shows_the_frames_that_the_edit_names(tmp_path: Path) -> None:
    our_song(tmp_path / "a.mid", "AB")
    films = [numbered(tmp_path / f"{grey}.mp4", grey) for grey in (40, 200)]
    cutting = cut(tmp_path / "a.mid", *films)
    write_film(cutting, tmp_path / "out.mp4", soundfont=SOUNDFONT)
    shown = pictures(tmp_path / "out.mp4", (64, 36))
    assert len(shown) == cutting.frames
    for part in cutting.parts:
        first = round(part.clip.in_s * 25)
        for frame in (part.slot.first, part.slot.end - 1):
            number = first + frame - part.slot.first
            assert shown[frame, :, 8:24].mean() == pytest.approx((4 * (number % 55)) * 255 / 219, abs=3)
        grey = (int(part.clip.path.stem) - 16) * 255 / 219
        assert shown[part.slot.first : part.slot.end, :, 40:].mean() == pytest.approx(grey, abs=4)
    found = streams(tmp_path / "out.mp4")
    assert float(found["audio"]["duration"]) == pytest.approx(cutting.duration_s, abs=0.03)


@needs_ffmpeg
def test_clips_of_other_shapes_and_rates_and_somebody_elses_song(tmp_path: Path) -> None:
    others_song(tmp_path / "a.mid", bars=4)
    films = [numbered(tmp_path / "40.mp4", 40, 3, "64x36", 25), numbered(tmp_path / "200.mp4", 200, 2, "36x64", 30)]
    cutting = cut(tmp_path / "a.mid", *films)
    write_film(cutting, tmp_path / "out.mkv", soundfont=SOUNDFONT)
    found = streams(tmp_path / "out.mkv")
    assert (found["video"]["width"], found["video"]["height"]) == (64, 36)
    assert int(found["video"]["nb_read_frames"]) == cutting.frames and found["audio"]["codec_name"] == "aac"


@needs_ffmpeg
def test_a_broken_clip_among_them_is_left_out(tmp_path: Path) -> None:
    whole = numbered(tmp_path / "40.mp4", 40, 3)
    (tmp_path / "torn.mp4").write_bytes(whole.read_bytes()[:700])
    found = read_footage([Clip(tmp_path / "torn.mp4"), Clip(whole)])
    assert (
        {shot.clip.path for shot in found.shots} == {whole} and len(found.notes) == 1 and "torn.mp4" in found.notes[0]
    )
    with pytest.raises(InputError, match=r"^torn\.mp4"):
        read_footage([Clip(tmp_path / "torn.mp4")])
    with pytest.raises(InputError, match="none of the clips can be used"):
        read_footage([Clip(tmp_path / "torn.mp4"), Clip(tmp_path / "torn.mp4")])


@needs_ffmpeg
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
def test_real_footage(tmp_path: Path) -> None:
    our_song(tmp_path / "a.mid", "AABB")
    cutting = cut(tmp_path / "a.mid", SHARED / "clips" / "bbb30.webm")
    assert len({part.shot.look for part in cutting.parts}) > 1 and cutting.fps == 24.0
    write_list(cutting, tmp_path / "e.otio")
    found = read_list(tmp_path / "e.otio", 24.0).cuts
    assert len(found) == len(cutting.parts) - 1 == len(list(pairwise(cutting.parts)))
