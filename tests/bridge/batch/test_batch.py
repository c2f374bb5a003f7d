"""Many films on a real cluster of two workers; what is refused before any work; lists of films."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable
from pathlib import Path

import av
import mido
import numpy as np
import pytest

from hitpoint.bridge import cli
from hitpoint.bridge.batch import pool
from hitpoint.bridge.batch.films import read_films
from hitpoint.bridge.batch.ledger import Ledger, Record
from hitpoint.bridge.errors import InputError, UsageError

Batch = Callable[..., tuple[int, str, str]]


def make_film(path: Path, seed: int) -> Path:
    """2 s at 12 frames a second: a square that crosses the picture, before two grounds, with a cut at 1 s."""
    grounds = np.random.default_rng(seed).integers(0, 200, (2, 3), dtype=np.uint8)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=12)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(24):
            picture = np.full((64, 96, 3), grounds[number // 12], np.uint8)
            picture[20:40, 3 * number : 3 * number + 20] = 255
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return path


@pytest.fixture
def batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Batch:
    """Run `hitpoint batch ARGS`: exit code, standard output, standard error."""
    config = tmp_path / "hitpoint.yaml"
    config.write_text("test_composer: tests.bridge.batch.composers:make_composer\n")
    monkeypatch.setenv("HITPOINT_CONFIG", str(config))
    monkeypatch.setenv("HITPOINT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DIES_ONCE", str(tmp_path / "died"))
    monkeypatch.chdir(tmp_path)

    def call(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hitpoint", "batch", *map(str, args)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        said = capsys.readouterr()
        return int(caught.value.code or 0), said.out, said.err

    return call


def results(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def test_a_worker_killed_a_film_damaged_and_nothing_done_twice(tmp_path: Path, batch: Batch) -> None:
    films = tmp_path / "films"
    (films / "more").mkdir(parents=True)
    for number in range(7):
        make_film(films / ("more" if number % 2 else ".") / f"{number}.mp4", number)
    (films / "damaged.mp4").write_bytes(b"\0" * 5000)

    code, out, err = batch(films, "-o", "out", "--workers", 2, "--format", "midi,report")
    assert (tmp_path / "died").exists(), "no worker was killed"
    assert (code, "8 films: 7 done, 1 failed" in out) == (3, True), (out, err)
    assert re.search(r"8 films on 2 workers; dashboard: http://127\.0\.0\.1:\d+/status", err)
    assert err.count("failed: ") == 1 and "damaged.mp4" in err and "Traceback" not in err
    table = results(tmp_path / "out")
    assert table["damaged"]["said"] and table["more/1"]["state"] == "done"
    for name in ("0", "more/1", "2", "more/3", "4", "more/5", "6"):
        assert mido.MidiFile(tmp_path / "out" / f"{name}.mid").length == pytest.approx(2.0, abs=0.01)
        assert (tmp_path / "out" / f"{name}.report.json").exists()
    made_by = (tmp_path / "composers").read_text().split()
    assert len(made_by) == len(set(made_by)) <= 3  # one a worker; the third where the killed one's successor had work

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.mid")}
    code, out, err = batch(films, "-o", "out", "--workers", 2, "--format", "midi,report")
    assert code == 3 and "8 films (8 before): 7 done, 1 failed\n" in out and "workers" not in err
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.mid")}
    # what changed is done, and only that: a film touched but the same, one with another content, one whose file is gone
    (films / "0.mp4").touch()
    make_film(films / "2.mp4", 99)
    (tmp_path / "out" / "4.mid").unlink()
    code, out, err = batch(films, "-o", "out", "--workers", 1, "--format", "midi,report")
    changed = {path.stem for path, time_ns in before.items() if path.stat().st_mtime_ns != time_ns}
    assert (code, changed) == (3, {"2", "4"}), (out, err)
    assert "8 films (5 before): 7 done, 1 failed" in out and "3 films on 1 worker" in err


def test_options_of_a_films_own(tmp_path: Path, batch: Batch) -> None:
    (tmp_path / "films.csv").write_text("film,name,genre,keep_sound,out\n0.mp4,one,rock,off,1.5\n0.mp4,two,,,\n")
    make_film(tmp_path / "0.mp4", 0)
    assert batch("films.csv", "-o", "out", "--workers", 1, "--genre", "dance")[0] == 0
    table = results(tmp_path / "out")
    assert "of rock" in table["one"]["said"] and "of dance" in table["two"]["said"]
    assert (table["one"]["film_s"], table["two"]["film_s"]) == ("1.50", "2.00")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("film,gerne\na.mp4,rock\n", "column 2 is 'gerne', which is no option; did you mean genre?"),
        ("genre\nrock\n", "no column 'film'"),
        ("film,genre\na.mp4,rock\nb.mp4,polka\n", "line 3: unknown genre 'polka'"),
        ("film,in\na.mp4,soon\n", "line 2: Invalid value for '--in'"),
        ("film,keep-sound\na.mp4,perhaps\n", "line 2: keep-sound is on or off"),
        ("film,genre\n,rock\n", "line 2: no film is named"),
        ("film\na.mp4,b\n", "line 2: 2 cells, but only 1 columns"),
        ("film,name\na.mp4,../a\n", "line 2: the name '../a' leads out"),
        ("film,genre,genre\na.mp4,rock,pop\n", "two columns 'genre'"),
    ],
)
def test_a_wrong_table_is_told_before_any_work(tmp_path: Path, batch: Batch, text: str, said: str) -> None:
    (tmp_path / "films.csv").write_text(text)
    code, out, err = batch("films.csv", "-o", "out")
    assert (code, out) == (2, "") and said in err and err.count("\n") == 1


def test_an_unreachable_scheduler(tmp_path: Path, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "REACH_S", 0.5)
    make_film(tmp_path / "0.mp4", 0)
    code, _, err = batch("0.mp4", "-o", "out", "--scheduler", "tcp://127.0.0.1:9")
    assert code == 2 and "no scheduler answers at tcp://127.0.0.1:9; start one" in err and "Traceback" not in err


def test_a_size_that_is_none(tmp_path: Path, batch: Batch) -> None:
    make_film(tmp_path / "0.mp4", 0)
    code, _, err = batch("0.mp4", "-o", "out", "--memory", "much")
    assert code == 2 and "'much' is no size of memory" in err


def test_without_dask(tmp_path: Path, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    make_film(tmp_path / "0.mp4", 0)
    code, _, err = batch("0.mp4", "-o", "out")
    assert code == 4 and "pip install 'hitpoint[batch]'" in err


def test_nothing_of_others_is_replaced(tmp_path: Path, batch: Batch) -> None:
    make_film(tmp_path / "0.mp4", 0)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "0.mid").write_text("mine")
    code, _, err = batch("0.mp4", "-o", "out", "--workers", 1)
    assert code == 2 and "add --force" in err and (tmp_path / "out" / "0.mid").read_text() == "mine"


def test_names_apart(tmp_path: Path) -> None:
    for name in ("a/x.mp4", "b/x.mp4", "b/x.mov", "b/y.mp4", "b/notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [film.name for film in read_films([tmp_path], ())] == ["a/x", "b/x.mov", "b/x.mp4", "b/y"]
    (tmp_path / "list.txt").write_text("# two of a name\na/x.mp4\n\nb/x.mp4\n")
    names = [film.name for film in read_films([tmp_path / "list.txt"], ())]
    assert len(set(names)) == 2 and all(name.startswith("x.mp4-") for name in names)
    assert names == [film.name for film in read_films([tmp_path / "list.txt"], ())]
    (empty := tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no film in"):
        read_films([empty], ())


def test_a_torn_line_costs_one_film(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        for name in ("a", "b"):
            ledger.add(Record(f"{name}.mp4", name, "r", "done", 1, 2, lasting=True))
    text = (tmp_path / "batch.jsonl").read_bytes()
    (tmp_path / "batch.jsonl").write_bytes(text[:-7])
    with Ledger(tmp_path) as ledger:
        assert ledger.get("a") and ledger.get("b") is None
        ledger.add(Record("b.mp4", "b", "r", "done"))
    with Ledger(tmp_path) as ledger:
        assert ledger.get("b")
    (tmp_path / "batch.jsonl").write_text("what?\n" + text.decode())
    with pytest.raises(InputError, match="line 1"):
        Ledger(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="choose another"):
        Ledger(tmp_path / "file")
