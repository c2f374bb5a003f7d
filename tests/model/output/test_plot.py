"""The plot: a real PNG whose lines stand where the plan says."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.music.score import Bar
from hitpoint.model.output.plot import BACKGROUND, plot_rhythm, plot_score
from hitpoint.model.video.types import Clip
from tests.fakes import fake_prepared, fake_take

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg to make a film")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    source = "color=c=0x20c040:size=320x180:rate=24:duration=15.73"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, str(path)], check=True, timeout=60)
    return path


def read(path: Path) -> np.ndarray:
    import cv2

    picture = cv2.imread(str(path))
    assert picture is not None
    return picture[:, :, ::-1].astype(int)


def near(picture: np.ndarray, colour: tuple[int, int, int], tolerance: int = 40) -> np.ndarray:
    return np.abs(picture - np.array(colour)).max(axis=2) < tolerance


def test_score_plot(film: Path, tmp_path: Path) -> None:
    prepared = fake_prepared(film)
    score = fake_take(prepared).score
    plot_score(score, prepared.plan, prepared.rhythm, prepared.clips, tmp_path / "p.png")
    picture = read(tmp_path / "p.png")
    height, width = picture.shape[:2]
    assert width >= 1900 and height >= 800
    assert near(picture, (0x20, 0xC0, 0x40)).sum() > 50_000  # the film strip
    left, right = 0.8 * 120, width - 0.35 * 120
    red = near(picture, (0xFF, 0x6B, 0x78), 60)[int(height * 0.55) :].sum(axis=0)
    for hit in prepared.plan.hits:
        if hit.kind == "cut" and hit.time_s > 0:
            x = round(left + hit.time_s / score.duration_s * (right - left))
            assert red[x - 2 : x + 3].max() > height * 0.2, f"no line at {hit.time_s:.2f} s"
    for colour in ((0x62, 0xB6, 0xF7), (0xF5, 0xA4, 0x5D), (0xB7, 0x95, 0xFF), (0x76, 0xD6, 0x9A)):
        assert near(picture, colour, 70).sum() > 200, "an instrument's notes are missing"


def test_a_gap_in_the_edit_is_black(film: Path, tmp_path: Path) -> None:
    prepared = fake_prepared(film)
    third_s = prepared.rhythm.duration_s / 3
    edit = (Clip(film, 0.0, third_s), Clip(film, 0.0, third_s, start_s=2 * third_s))
    plot_rhythm(prepared.rhythm, edit, tmp_path / "p.png")
    green = near(read(tmp_path / "p.png"), (0x20, 0xC0, 0x40)).any(axis=0)
    width = len(green)
    assert green[width // 6] and green[width * 5 // 6] and not green[width * 9 // 20 : width * 11 // 20].any()


def test_rhythm_plot(film: Path, tmp_path: Path) -> None:
    prepared = fake_prepared(film)
    plot_rhythm(prepared.rhythm, prepared.clips, tmp_path / "p.png")
    picture = read(tmp_path / "p.png")
    background = tuple(int(BACKGROUND[i : i + 2], 16) for i in (1, 3, 5))
    assert 0.1 < near(picture, background, 8).mean() < 0.6


def test_edges_of_what_can_be_plotted(film: Path, tmp_path: Path) -> None:
    prepared = fake_prepared(film, instruments=(1,))
    rhythm = replace(
        prepared.rhythm,
        motion=prepared.rhythm.motion * 0,
        saliency=prepared.rhythm.saliency * 0,
        beats=(),
        boundaries=(),
    )
    plan = replace(
        prepared.plan, hits=(), bars=tuple(replace(b, density=None, required=()) for b in prepared.plan.bars)
    )
    empty = replace(fake_take(prepared).score, bars=tuple(Bar(i) for i in range(8)))
    plot_score(empty, plan, rhythm, prepared.clips, tmp_path / "empty.png")
    edit = (Clip(film, 2.0, 8.0), Clip(film, 0.0, 10.0, rate=2.0, start_s=6.0))
    plot_score(empty, plan, rhythm, edit, tmp_path / "edit.png")
    assert {p.name for p in tmp_path.iterdir()} == {"empty.png", "edit.png"}
