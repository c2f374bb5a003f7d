"""Cuts, transitions and what is mistaken for them, in short films whose boundaries are known to the frame."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.detectors import shot_choice
from hitpoint.model.video.detectors.base import Part
from hitpoint.model.video.detectors.shots import Shots
from hitpoint.model.video.types import Clip
from tests.bench import cut_films, cut_sources
from tests.model.video.conftest import ffmpeg

MAKERS = {maker.__name__: maker for maker, _ in cut_films.KINDS}
BUNNY = Path(__file__).parents[5] / "shared" / "clips" / "bbb30.webm"
BASE = (
    "testsrc2=s=320x180:r={r}:d=2[a];mandelbrot=s=320x180:r={r}:start_scale=2,trim=duration=2.5,setpts=PTS-STARTPTS[b];"
    "life=s=320x180:r={r}:seed=7:mold=10:ratio=0.3:death_color=#C83232:life_color=#00ff00,trim=duration=2.5,"
    "setpts=PTS-STARTPTS[c];[a][b][c]concat=n=3:v=1"
)
"""7 s with cuts at 2.0 and 4.5."""


def boundaries(path):
    return [(b.kind, b.time_s) for b in analyse([Clip(path)]).boundaries]


@pytest.mark.parametrize(
    ("kind", "seed"),
    [("hard", 11), ("dark", 7), ("black", 7), ("white", 7), ("wipes", 7), ("flashes", 7),
     ("strobe", 7), ("whip", 7), ("twos", 7), ("slow", 7)],
)  # fmt: skip
def test_what_is_there_and_nothing_else(kind, seed, tmp_path, monkeypatch):
    monkeypatch.setattr(cut_sources, "SHARED", tmp_path / "none")  # the same films wherever this runs
    path, truth = cut_films.make(MAKERS[kind], seed, tmp_path)
    times = [time_s for _, time_s in boundaries(path)]
    _, _, false, missed = cut_films.match(times, truth)
    assert (missed, false) == ([], [])


def test_transitions_are_fades_at_their_middle(tmp_path, monkeypatch):
    monkeypatch.setattr(cut_sources, "SHARED", tmp_path / "none")
    path, truth = cut_films.make(MAKERS["dissolves"], 8, tmp_path)
    found = boundaries(path)
    assert [kind for kind, _ in found] == ["fade"] * 6
    middles = [(first + last) / 2 / truth["fps"] for first, last in truth["spans"]]
    assert [time_s for _, time_s in found] == pytest.approx(middles, abs=0.13)


@pytest.mark.parametrize("rate", ["24", "60"])
def test_at_any_rate_the_same_cuts(rate, tmp_path):
    path = tmp_path / "film.mkv"
    ffmpeg("-f", "lavfi", "-i", BASE.format(r=24) + f",fps={rate}", "-c:v", "ffv1", path)
    assert boundaries(path) == [("cut", pytest.approx(2.0, abs=0.02)), ("cut", pytest.approx(4.5, abs=0.02))]


def test_a_cut_between_two_fields(tmp_path):
    path = tmp_path / "interlaced.mkv"
    fields = BASE.format(r=50) + ",tinterlace=4,format=yuv420p"
    ffmpeg("-f", "lavfi", "-i", fields, "-flags", "+ildct+ilme", "-c:v", "mpeg2video", "-q:v", 4, path)
    assert boundaries(path) == [("cut", pytest.approx(2.0, abs=0.03)), ("cut", pytest.approx(4.5, abs=0.03))]


def test_every_picture_of_a_slide_show_is_a_shot(tmp_path):
    path = tmp_path / "slides.mp4"
    source = "gradients=s=320x180:r=1:n=4:seed=5:speed=1:d=6,setpts=3*PTS,fps=1/3"
    ffmpeg("-f", "lavfi", "-i", source, "-frames:v", 6, "-pix_fmt", "yuv420p", path)
    assert [time_s for _, time_s in boundaries(path)] == pytest.approx([3, 6, 9, 12, 15], abs=0.01)


@pytest.mark.parametrize("look", ["fps=60", "eq=brightness=-.28:contrast=.6"])
def test_copies_of_real_footage_keep_its_cuts(look, tmp_path):
    if not BUNNY.exists():
        pytest.skip("needs ../shared/clips/bbb30.webm")
    path = tmp_path / "copy.mp4"
    ffmpeg("-i", BUNNY, "-t", 17, "-vf", f"scale=640:-2,{look}", "-an", "-preset", "ultrafast", "-crf", 18, path)
    assert boundaries(path) == [("cut", pytest.approx(11.8, abs=0.03)), ("cut", pytest.approx(15.67, abs=0.03))]


@pytest.mark.parametrize("ink", ["black", "white"])
def test_coming_out_of_a_flat_picture_or_going_into_one_joins_no_shots(ink, tmp_path):
    path = tmp_path / "ends.mp4"
    fades = f"fade=in:st=0.3:d=0.8:color={ink},fade=out:st=3:d=0.8:color={ink}"
    ffmpeg("-f", "lavfi", "-i", f"mandelbrot=s=320x180:r=25:start_scale=2,trim=duration=4,{fades}", path)
    assert boundaries(path) == []


def test_sudden_black_at_the_end_is_a_cut(tmp_path):
    path = tmp_path / "end.mp4"
    source = "mandelbrot=s=320x180:r=25:start_scale=2,trim=duration=2[a];color=black:s=320x180:r=25:d=1[b];[a][b]concat"
    ffmpeg("-f", "lavfi", "-i", source, path)
    assert boundaries(path) == [("cut", pytest.approx(2.0, abs=0.03))]


def test_flashes_are_told_with_their_size():
    times_s, luma = np.arange(75) / 25, np.full(75, 60.0, np.float32)
    luma[20:22], luma[40] = 170, 90
    luma[60:] = 140  # the light goes on
    found = shot_choice.find_flashes(times_s, luma)
    assert found["flashes"].tolist() == [20, 40]
    assert found["flash_sizes"].tolist() == pytest.approx([110 / 219, 30 / 219], abs=1e-3)


def test_the_surer_of_two_readings_stays():
    times_s, spread = np.arange(100) / 25, np.full(100, 30.0, np.float32)
    frames = np.array([20, 40, 41, 42, 60, 63, 80])
    sure = np.array([[0.9, 0], [0.1, 0.7], [0.6, 0.9], [0.1, 0.7], [0.6, 0], [0.8, 0], [0.4, 0.4]], np.float32)
    found = shot_choice.choose(times_s, spread, frames, sure)
    assert found["cuts"].tolist() == [20, 63]
    assert found["transitions"][:, 1].tolist() == [41]
    assert found["transition_sure"].tolist() == pytest.approx([0.9])


def test_in_an_edit_frames_are_counted_through_and_parts_begin_shots():
    arrays = {**Shots.black(10), "cuts": np.array([4]), "cut_sure": np.array([0.7], np.float32)}
    arrays |= {"transitions": np.array([[5, 6, 7]]), "transition_sure": np.array([0.8], np.float32)}
    part = Part(arrays, np.arange(10.0), 0)
    joined = Shots.join([part, replace(part, first=10)])
    assert joined["cuts"].tolist() == [0, 4, 10, 14]
    assert joined["cut_sure"].tolist() == pytest.approx([1, 0.7, 1, 0.7])
    assert joined["transitions"].tolist() == [[5, 6, 7], [15, 16, 17]]
    assert Shots.is_sound(arrays, 10) and len(joined["luma_mean"]) == 20
