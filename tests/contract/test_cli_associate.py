"""`hitpoint associate`: films with their music beside them; what is learnt, said, and refused."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hitpoint.model.associate.association import load
from tests.contract.conftest import Run
from tests.model.cut.songs import our_song


def test_a_film_with_its_music(run: Run, film: Path) -> None:
    Path("films").mkdir()
    source = "testsrc2=s=64x36:r=2:d=258,hue=s=1+sin(t/9)"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-c:v", "mpeg4", "films/one.mp4"]
    subprocess.run(command, check=True, timeout=60)
    our_song(Path("films/one.mid"), "ABBA" * 8, 8, 240)
    shutil.copy(film, "films/two.mp4")
    result = run("associate", "films", "-o", "own.npz", "--plot", "own.png")
    assert result.code == 0 and "32 segments of 1 piece, by canonical correlation" in result.out
    assert result.err == "note: left out: two.mp4 has no two.mid beside it, and no sound; export its music as MIDI\n"
    assert load(Path("own.npz")).correlation is not None and Path("own.png").read_bytes().startswith(b"\x89PNG")


def test_too_little_is_refused(run: Run, film: Path) -> None:
    shutil.copy(film, "one.mp4")
    our_song(Path("one.mid"), "ABAB", 4, 240)
    result = run("associate", "one.mp4", "-o", "own.npz")
    assert result.code == 3 and "too few to learn from" in result.err
    assert run("associate", film, "-o", "own.npz").code == 3


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("FILM", "-o", "own.txt"), 2, "must end in .npz"),
        (("empty", "-o", "own.npz"), 3, "no film in empty"),
        (("FILM", "-o", "no/own.npz"), 2, "does not exist"),
        (("shards", "FILM", "-o", "own.npz"), 2, "by itself"),
    ],
)
def test_what_is_refused(run: Run, film: Path, words: tuple[str, ...], code: int, sentence: str) -> None:
    for name in ("empty", "shards"):
        Path(name).mkdir()
    Path("shards/pieces.json").write_text("{}")
    result = run("associate", *(film if word == "FILM" else word for word in words))
    assert result.code == code and sentence in result.err and result.err.count("\n") == 1
    assert not Path("own.npz").exists()
