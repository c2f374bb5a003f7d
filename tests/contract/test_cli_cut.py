"""`hitpoint cut`: what it says, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.conftest import Run
from tests.model.cut.songs import our_song


def test_a_film_is_cut_to_music(run: Run, film: Path) -> None:
    our_song(Path("a.mid"), "AABB")
    result = run("cut", "a.mid", film, "-o", "e.otio")
    assert result.code == 0 and "shots of" in result.out and "on 2 sections" in result.out
    assert "16.417 s at 24 fps (394 frames)" in result.out and "  e.otio" in result.out
    assert "note: there is less footage than music" in result.err
    assert run("cut", "a.mid", film, "-o", "e.otio").code == 2
    again = run("cut", "a.mid", film, "-o", "e.otio", "--force", "--pace", "3", "--fps", "30")
    assert again.code == 0 and "(492 frames)" in again.out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("a.mid", "-o", "e.otio"), 2, "no clips are named"),
        (("a.mid", "FILM", "-o", "e.txt"), 2, "e.txt is of no kind that can be written"),
        (("a.mid", "FILM", "-o", "FILM", "--force"), 2, "one of the files that it is made of"),
        (("a.mid", "FILM", "-o", "e.edl", "--pace", "99"), 2, "the pace 99"),
        (("a.mid", "empty", "-o", "e.otio"), 3, "no film in empty"),
        (("a.mid", "none.mp4", "-o", "e.otio"), 3, "none.mp4 does not exist"),
        (("b.mid", "FILM", "-o", "e.otio"), 3, "b.mid does not exist"),
        (("a.mid", "a.mid", "-o", "e.otio"), 3, "a.mid is not a film"),
    ],
)
def test_what_cannot_be_cut_gets_one_sentence(
    run: Run, film: Path, words: tuple[str, ...], code: int, sentence: str
) -> None:
    our_song(Path("a.mid"))
    Path("empty").mkdir()
    result = run("cut", *(film if word == "FILM" else word for word in words))
    assert result.code == code and sentence in result.err and result.err.count("\n") == 1
    assert not list(Path().glob("e.*"))
