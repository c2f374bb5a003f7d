"""The bench runs, and its dials are read right."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from tests.bench import bench_heard
from tests.bench.heard_films import encode, panned, shots, texture

from .conftest import chord


def test_one_piece_from_film_to_table(tmp_path, monkeypatch, capsys) -> None:
    film, figures = tmp_path / "film.mp4", tmp_path / "figures.json"
    encode(shots([2.0, 1.5, 2.0], [0, 1, 2], [20.0, 60.0, 40.0]), film)
    asked = ["--films", str(film), "absent.mp4", "--genres", "pop", "--seeds", "1", "--parts", "pieces"]
    monkeypatch.setattr(sys, "argv", ["bench", *asked, "--json", str(figures), "--energy", "0.1"])
    bench_heard.main()
    said = capsys.readouterr()
    assert "left out: absent.mp4 is missing" in said.err
    assert "cut rank among the beats" in said.out and "density 0, strength 0" in said.out
    row = json.loads(figures.read_text())["pieces"][0]
    assert row["film"] == "film" and 0 <= row["now"]["cut_rank"] <= 1 and "cut_rank" in row["chance"]
    monkeypatch.setattr(sys, "argv", ["bench", "--films", "absent.mp4"])
    with pytest.raises(SystemExit, match="no film"):
        bench_heard.main()


def test_quarters_of_the_pan_are_told_apart(written) -> None:
    """Twenty bars of 2 s: those of the second and fourth ten seconds hold twice the notes, 20 louder."""
    events = []
    for bar in range(20):
        quick = bar // 5 % 2
        for tick in range(0, 16, 4 if quick else 8):
            events += chord(16 * bar + tick, (60, 64), 2, 60 + 20 * quick)
    means = bench_heard.quarter_means(written(events, 20))
    assert means.tolist() == [[2, 4, 60], [4, 8, 80], [2, 4, 60], [4, 8, 80]]


def test_a_pan_moves_by_parts_of_a_pixel() -> None:
    picture = texture(1, 32, 16, (1.0, 1.0, 1.0))
    half = panned(picture, 0.5, 32)
    assert np.allclose(half, (panned(picture, 0.0, 32) + panned(picture, 1.0, 32)) / 2)
    assert np.allclose(panned(picture, 64.0, 32), panned(picture, 0.0, 32))
