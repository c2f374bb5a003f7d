"""`hitpoint --help`, `analyse` and `demo`."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from importlib.metadata import version
from pathlib import Path

import mido
import numpy as np
import pytest

from hitpoint.bridge import cli
from hitpoint.bridge.commands import demo
from tests.contract.conftest import Run


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from hitpoint.bridge.cli import cli\n"
        "cli.main(['--help'], standalone_mode=False)\n"
        "print(sorted({'torch', 'cv2', 'av', 'matplotlib', 'scenedetect', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert all(f"  {name} " in done.stdout for name in cli.command_names())
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", ["score", "analyse", "demo"])
def test_help_of_a_command(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.code == 0 and f" {command} [OPTIONS]" in result.out and "--force" in result.out


def test_version(run: Run) -> None:
    assert run("--version").out.strip().endswith(f"version {version('hitpoint')}")


def test_analyse_says_what_it_saw(run: Run, film: Path) -> None:
    result = run("analyse", film, "--json", "a.json", "--plot", "a.png")
    assert (result.code, result.err) == (0, "")
    assert "8.00 s of 320x180 at 24.000" in result.out and "3 cuts: 2.00 3.50 6.00" in result.out
    figures = json.loads(Path("a.json").read_text())
    assert figures["schema"] == "hitpoint.analysis/1" and figures["duration_s"] == pytest.approx(8.0)
    assert len(figures["times_s"]) == len(figures["motion"]) == len(figures["saliency"]) == 192
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")


def test_analyse_to_standard_output(run: Run, film: Path) -> None:
    result = run("analyse", film, "--json", "-", "--in", 1, "--out", 5)
    assert [b["time_s"] for b in json.loads(result.out)["boundaries"]] == pytest.approx([1.0, 2.5])
    assert list(Path().iterdir()) == []


def test_analyse_refuses(run: Run, film: Path) -> None:
    Path("a.json").write_text("mine")
    assert run("analyse", film, "--json", "a.json").code == 2
    assert Path("a.json").read_text() == "mine"
    assert run("analyse", "none.mp4").code == 3


@pytest.mark.parametrize("command", [["analyse"], ["score", "-o", "a.mid"]])
def test_what_the_system_refuses_is_one_sentence(command: list[str]) -> None:
    """A name that is longer than the system takes: looking for it is an error already."""
    call = [sys.executable, "-c", "from hitpoint.bridge.cli import main; main()", *command, "x" * 300 + ".mp4"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3 and done.stderr.startswith("error: cannot use xxx"), done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_demo_writes_and_plays(run: Run, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "example_film", lambda: film)
    monkeypatch.setattr(demo, "_choose_port", lambda wish: None)
    monkeypatch.setattr(demo, "PLAYERS", ())
    result = run("demo")
    assert result.code == 0, result.err
    folder = Path("hitpoint-demo")
    assert {path.name for path in folder.iterdir()} == {f"demo.{e}" for e in ("mid", "wav", "mp4", "json", "png")}
    assert "holds the sound of the built-in synth" in result.out
    with wave.open(str(folder / "demo.wav")) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    assert len(samples) == 2 * 8 * 44100 and 3000 < np.abs(samples).max() < 32767
    assert run("demo", "--no-play").code == 2  # the files are kept
    assert run("demo", "--no-play", "--force").code == 0


def test_demo_without_its_film(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    result = run("demo")
    assert result.code == 4 and "hitpoint score" in result.err


def test_the_installed_example_film_is_found() -> None:
    film = demo.example_film()
    assert film.stat().st_size < 3_000_000 and film.with_suffix(".json").is_file()


def test_a_player_is_believed_only_if_it_took_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_choose_port", lambda wish: None)
    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setparams((1, 2, 44100, 0, "NONE", ""))
        sound.writeframes(bytes(2 * 22050))
    for name, line, word in (("fails", "raise SystemExit(1)", "no sound device"), ("hurries", "", "no sound device"),
                             ("plays", "import time; time.sleep(0.5)", "played")):  # fmt: skip
        player = tmp_path / name
        player.write_text(line)
        monkeypatch.setattr(demo, "PLAYERS", ((sys.executable, [str(player)]),))
        assert word in demo.play_files(tmp_path / "a.mid", tmp_path / "a.wav", None)


def test_notes_go_out_in_time_and_silence_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`play_midi` against a port that records: every note of the file, in order, then silence on every channel."""
    import time

    from hitpoint.bridge.midi import ports as midi_out
    from hitpoint.model.output.midi_file import write_midi
    from tests.fakes import fake_prepared, fake_take

    sent: list[tuple[float, bytes]] = []

    class Recorder:
        def __init__(self, port: str, api: int) -> None:
            self.closed = False

        def send(self, message: bytes) -> None:
            sent.append((time.monotonic(), bytes(message)))

        def close(self) -> None:
            self.closed = True

    monkeypatch.setattr(midi_out, "RtMidiSink", Recorder)
    write_midi(fake_take(fake_prepared(bars=1, duration_s=1.0)).score, tmp_path / "a.mid")
    started = time.monotonic()
    demo.play_midi(tmp_path / "a.mid", "x", 0)
    wanted = [bytes(m.bytes()) for m in mido.MidiFile(tmp_path / "a.mid") if not m.is_meta]
    assert [message for _, message in sent[: len(wanted)]] == wanted
    assert [message for _, message in sent[len(wanted) :]] == midi_out.silence_messages()
    assert sent[-1][0] - started >= 0.999
