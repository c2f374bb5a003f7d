"""The recipes in docs/recipes are typed in as they stand, and what they add is used."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.compose.base import Composer, ComposerOptions
from hitpoint.model.output.base import Output, Writing
from tests.fakes import fake_plan, fake_prepared, fake_take

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"


def typed_in(recipe: str) -> dict[str, object]:
    """The names that the recipe's Python leaves behind."""
    found: dict[str, object] = {"__name__": recipe}
    [code] = re.findall(r"```python\n(.*?)```", (RECIPES / f"{recipe}.md").read_text(encoding="utf-8"), re.S)
    exec(compile(code, f"{recipe}.md", "exec", dont_inherit=True), found)
    return found


def only(found: dict[str, object], base: type) -> type:
    [kind] = [each for each in found.values() if isinstance(each, type) and issubclass(each, base) and each is not base]
    return kind


def test_the_composer_composes() -> None:
    kind = only(typed_in("composer"), Composer)
    plan = fake_plan(bars=3)
    bars = list(kind.create(ComposerOptions()).stream(plan, 0))
    assert [bar.index for bar in bars] == [0, 1, 2] and all(len(bar.notes) == 3 for bar in bars)


def test_the_leaning_leans() -> None:
    from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place

    kind = only(typed_in("leaning"), Leaning)
    calm, lively = (kind.of(Here(fake_plan(bars=3), index)) for index in (0, 2))
    assert lively is None and set(calm.lean("pitch", Place(0, 3, 40, 1))) == {46, 58, 70, 82, 94, 106, 118}
    assert not calm.lean("pitch", Place(0, 1, 40, 1)) and not calm.lean("beat", Place(0, 3, 40, 1))


def test_the_output_writes(tmp_path: Path) -> None:
    kind = only(typed_in("output"), Output)
    prepared = fake_prepared()
    path = tmp_path / f"film{kind.suffix}"
    kind().write(fake_take(prepared), prepared, path, Writing())
    assert len(path.read_text().splitlines()) == len(prepared.plan.hits)


def test_the_detector_measures() -> None:
    from hitpoint.model.video.detectors.base import Detector
    from hitpoint.model.video.frames import Frame

    kind = only(typed_in("detector"), Detector)
    detector = kind()
    for level in (0, 100):
        luma = np.full((9, 16), level, np.uint8)
        detector.measure(Frame(0.0, luma, np.repeat(luma[..., None], 3, axis=2)))
    assert detector.finish()["mean"].tolist() == [0.0, 100.0]
    assert kind.is_sound(detector.finish(), 2)


def test_the_command_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from hitpoint.bridge import cli

    [code] = re.findall(r"```python\n(.*?)```", (RECIPES / "command.md").read_text(encoding="utf-8"), re.S)
    (tmp_path / "hello.py").write_text(code)
    monkeypatch.setattr(cli, "FOLDER", tmp_path)
    assert cli.command_names() == ["hello"] and cli.command_help("hello") == "Greet a film."
    command = typed_in("command")["command"]
    assert CliRunner().invoke(command, ["film.mp4"]).output == "hello, film.mp4\n"  # type: ignore[arg-type]


def test_the_sink_sends(tmp_path: Path) -> None:
    from hitpoint.bridge.config.settings import Config
    from hitpoint.bridge.midi.base import Sink

    sink = only(typed_in("sink"), Sink).open(Config(), str(tmp_path / "notes.txt"))
    sink.send(b"\x90\x3c\x50")
    sink.close()
    assert (tmp_path / "notes.txt").read_text() == "903c50\n"


def test_the_host_goes_along(capsys: pytest.CaptureFixture[str]) -> None:
    from types import SimpleNamespace

    from hitpoint.bridge.config.settings import Config
    from hitpoint.bridge.hosts.base import Host

    host = only(typed_in("host"), Host)()
    assert host.wanted(Config())
    companion = host.in_clock(Config())
    companion.feed(SimpleNamespace(position=lambda: 1.5), 0.0)
    companion.close()
    assert capsys.readouterr().out == "the playhead is at 1.50 s\n"
