"""A CLIP network of the user's own, by a stand-in that knows two colours."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from hitpoint.bridge.commands.suggest import command
from hitpoint.model.errors import InputError, MissingError
from hitpoint.model.mood import clip_network as clip
from hitpoint.model.mood.types import MOODS
from hitpoint.model.music.score import GENRES

BRIGHT, DARK = ("relaxing", "country"), ("fearful", "metal")


def near(words: str) -> list[float]:
    return [float(any(each in words for each in side)) for side in (BRIGHT, DARK)] + [0.3]


class Session:
    """An ONNX session: pictures by their brightness, texts by their words."""

    def __init__(self, name: str, output: str = "embeds", kind: str = "int64") -> None:
        self.name, self.output, self.kind = name, output, kind

    def get_inputs(self) -> list[SimpleNamespace]:
        if self.name == "vision":
            return [SimpleNamespace(name="pixel_values", shape=["n", 3, 32, 32], type="tensor(float)")]
        entries = (("input_ids", ["n", 77]), ("attention_mask", ["n", "length"]))
        return [SimpleNamespace(name=name, shape=shape, type=f"tensor({self.kind})") for name, shape in entries]

    def get_outputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name=name) for name in ("last_hidden_state", self.output)]

    def run(self, wanted: list[str], given: dict[str, np.ndarray]) -> list[np.ndarray]:
        assert wanted == ["embeds"]
        if self.name == "vision":
            assert given["pixel_values"].shape == (1, 3, 32, 32)
            bright = given["pixel_values"].mean() > 0
            return [np.array([[float(bright), float(not bright), 0.3]])]
        assert given["input_ids"].shape == (1, 77) and given["attention_mask"].shape[1] < 77
        return [np.array([near(bytes(given["input_ids"][0].astype(np.uint8)).decode())])]


TOKENIZER = SimpleNamespace(encode=lambda text: SimpleNamespace(ids=list(text.encode())))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (clip.VISION, clip.TEXT, clip.TOKENIZER):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    network = clip._Network(tmp_path, Session("vision"), Session("text"), TOKENIZER)
    monkeypatch.setattr(clip, "_opened", lambda _: network)
    return tmp_path


def frame(grey: int) -> np.ndarray:
    return np.full((90, 160, 3), grey, np.uint8)


def test_the_names_that_lie_nearest_to_the_frames_speak(folder: Path) -> None:
    found = clip.from_clip(folder, [frame(240), frame(230), frame(10)])
    assert found is not None and tuple(found.moods) == MOODS and tuple(found.genres) == GENRES
    assert found.moods["relaxing"] == pytest.approx(2 / 3, abs=0.01) and found.genres["metal"] == pytest.approx(
        1 / 3, abs=0.01
    )
    assert "relaxing" in found.why and clip.from_clip(folder, []) is None


def test_a_network_without_projections_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = SimpleNamespace(
        get_inputs=Session("vision").get_inputs,
        get_outputs=Session("vision").get_outputs,
        run=lambda *_: [np.ones((1, 4, 8))],
    )
    monkeypatch.setattr(clip, "_opened", lambda _: clip._Network(folder, hidden, Session("text"), TOKENIZER))
    with pytest.raises(InputError, match="projections"):
        clip.from_clip(folder, [frame(5)])
    broken = SimpleNamespace(get_inputs=Session("vision").get_inputs, get_outputs=list)
    monkeypatch.setattr(clip, "_opened", lambda _: clip._Network(folder, broken, Session("text"), TOKENIZER))
    with pytest.raises(InputError, match="cannot be run"):
        clip.from_clip(folder, [frame(5)])


def test_networks_of_two_kinds_are_refused_in_plain_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wider = SimpleNamespace(
        get_inputs=Session("vision").get_inputs,
        get_outputs=Session("vision").get_outputs,
        run=lambda *_: [np.ones((1, 9))],
    )
    monkeypatch.setattr(clip, "_opened", lambda _: clip._Network(folder, wider, Session("text"), TOKENIZER))
    with pytest.raises(InputError, match=r"do not belong together \(9 numbers a picture, 3 a text\)"):
        clip.from_clip(folder, [frame(5)])


def test_a_folder_that_lacks_a_file_and_a_machine_that_lacks_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"no vision_model\.onnx"):
        clip.check_clip(tmp_path)
    for name in (clip.VISION, clip.TEXT, clip.TOKENIZER):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"hitpoint\[clip\]"):
        clip.check_clip(tmp_path)


def test_a_frame_a_second_and_not_too_many() -> None:
    assert clip.times_of(3.0) == [0.5, 1.5, 2.5] and clip.times_of(0.1) == [0.05]
    assert len(clip.times_of(4000.0)) == clip.MOST_FRAMES


def test_suggest_takes_the_folder(folder: Path) -> None:
    film = Path(__file__).parents[3] / "examples" / "film.mp4"
    runner = CliRunner()
    done = runner.invoke(command, [str(film), "--out", "2", "--semantics", f"clip:{folder}"])
    assert done.exit_code == 0 and "CLIP:" in done.output, done.output
    for wrong in ("clip:", "clap:x", "pictures"):
        done = runner.invoke(command, [str(film), "--semantics", wrong])
        assert done.exit_code == 2 and "clip:FOLDER" in done.output
