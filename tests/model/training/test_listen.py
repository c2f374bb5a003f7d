"""Pairs to listen to: blinded, whole, level, and counted right by the page's own script."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.data.build import load
from hitpoint.model.errors import UsageError
from hitpoint.model.training import listen
from hitpoint.model.training.evaluation import evaluate
from hitpoint.model.training.listen import PAGE, Film, human, key_path, write_listening
from hitpoint.model.video.types import Boundary, VisualBeat, VisualRhythm
from tests.model.material import make_plan

GENRES = ("pop", "rock", "metal")


@pytest.fixture(scope="module")
def composer() -> CmtComposer:
    return CmtComposer.load(device="cpu")


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Film:
    """Five seconds with one cut; three genres, so that each rival has its turn."""
    monkeypatch.setattr(listen, "GENRES", GENRES)
    monkeypatch.setattr(evaluate, "GENRES", GENRES)
    times_s = np.arange(0.0, 5.0, 1 / 24)
    motion = np.linspace(0.02, 0.2, len(times_s)).astype(np.float32)
    rhythm = VisualRhythm(
        5.0, (), times_s, motion, np.zeros_like(motion), (VisualBeat(1.0, 0.8), VisualBeat(4.0, 0.6)),
        (Boundary(2.5, "cut", 0.9),), ("A", "B"),
    )  # fmt: skip
    path = tmp_path / "my secret film.mp4"
    path.write_bytes(b"a film")
    return Film(path, rhythm)


def test_pairs_are_blinded_and_the_key_lies_beside(
    film: Film, composer: CmtComposer, shard_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pairs"
    assert write_listening(folder, [film], composer, shard=load(shard_folder)) == 3
    page = (folder / "index.html").read_text()
    shown = json.loads(re.search(r'id="pairs">(.*?)</script>', page)[1])
    key = json.loads(key_path(folder).read_text())
    assert key["run"] == shown["run"] and key_path(folder).parent == tmp_path
    assert {pair["A"] for pair in key["pairs"]} | {pair["B"] for pair in key["pairs"]} >= {"ours", "paper", "real"}
    assert all((pair["A"] == "ours") != (pair["B"] == "ours") for pair in key["pairs"])
    assert sorted(each.name for each in folder.iterdir()) == [
        *(f"{number:03}-{side}.wav" for number in (1, 2, 3) for side in "AB"), "film-1.mp4", "index.html",
    ]  # fmt: skip
    for word in ("ours", "paper", "retrieval", "secret", *GENRES):
        assert word not in json.dumps(shown), word
    lengths, levels = [], []
    for pair in shown["pairs"]:
        for side in "AB":
            with wave.open(str(folder / pair[side])) as file:
                lengths.append(file.getnframes() / file.getframerate())
                sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
                levels.append(20 * np.log10(np.sqrt(np.mean(sound**2))))
    assert np.ptp(lengths) < 0.01 and lengths[0] == pytest.approx(5.0, abs=0.01)
    assert np.ptp(levels) < 4.0, "one piece is louder than another, which would decide the choice"
    assert not re.search(r"https?://|//cdn|import\(", page), "the page asks the network"
    with pytest.raises(UsageError, match="exists; add --force"):
        write_listening(folder, [film], composer)


def test_human_music_ends_with_the_film(shard_folder: Path) -> None:
    shard, plan = load(shard_folder), make_plan(6)
    score = human(shard, plan)
    assert score is not None and score.duration_s == pytest.approx(plan.duration_s)
    assert human(shard, make_plan(200)) is None


def in_node(code: str) -> object:
    """What the page's script, without a page, makes of `code`."""
    if shutil.which("node") is None:
        pytest.skip("needs node to run the page's script")
    script = re.findall(r"<script>(.*?)</script>", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    run = f"{script}\nconsole.log(JSON.stringify({code}))"
    done = subprocess.run(["node", "-e", run], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_the_page_counts_who_won() -> None:
    key = {"pairs": [
        {"number": 1, "A": "ours", "B": "paper"}, {"number": 2, "A": "paper", "B": "ours"},
        {"number": 3, "A": "real", "B": "ours"}, {"number": 4, "A": "real", "B": "ours"},
    ]}  # fmt: skip
    answers = {1: {"music": "A", "picture": "same"}, 2: {"music": "A"}, 3: {"music": "A"}, 4: {}}
    assert in_node(f"tally({json.dumps(key)}, {json.dumps(answers)})") == {
        "music": {"paper": {"ours": 1, "same": 0, "other": 1}, "real": {"ours": 0, "same": 0, "other": 1}},
        "picture": {"paper": {"ours": 0, "same": 1, "other": 0}},
    }


def test_a_choice_can_be_changed_and_taken_back() -> None:
    assert in_node('answered(answered({}, 2, "music", "A"), 2, "music", "B")') == {"2": {"music": "B"}}
    assert in_node('answered(answered({}, 2, "music", "A"), 2, "music", "A")') == {"2": {}}
    assert in_node('answered({"1": {"music": "B"}}, 2, "picture", "same")') == {
        "1": {"music": "B"}, "2": {"picture": "same"},
    }  # fmt: skip
