"""`hitpoint score`: files, exit codes, one-line errors; every kind of bad input."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import mido
import pytest

from tests.contract.conftest import Run
from tests.contract.schema import validate_report

MAIN = "import sys; from hitpoint.bridge.cli import main; sys.argv[0] = 'hitpoint'; main()"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def one_line(err: str) -> None:
    """Exactly one line `error: ...`, no traceback."""
    lines = [line for line in err.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("error: "), err


def test_everything_at_once(run: Run, film: Path) -> None:
    result = run(
        "score", film, "-o", "a.mid", "--wav", "a.wav", "--mux", "a.mp4", "--report", "a.json", "--plot", "a.png"
    )
    assert (result.code, result.err) == (0, "")
    assert names(Path()) == {"a.mid", "a.wav", "a.mp4", "a.json", "a.png"}
    assert abs(mido.MidiFile("a.mid").length - 8.0) < 0.001
    with wave.open("a.wav") as sound:
        assert sound.getnframes() == 8 * 44100
    report = json.loads(Path("a.json").read_text())
    validate_report(report)
    assert report["bars"][-1]["end_s"] == pytest.approx(8.0, abs=1e-6)
    assert report["clip"]["frames"] == 192 and report["model"]["name"] == "fake"
    assert all(name in result.out for name in names(Path()))


def test_default_name_is_the_clips_in_this_folder(run: Run, film: Path, tmp_path: Path) -> None:
    clip = tmp_path / "My film. v2 (final).MP4"
    shutil.copy(film, clip)
    assert run("score", clip).code == 0
    assert names(Path()) == {"My film. v2 (final).mid"}


def test_wishes_reach_the_file(run: Run, film: Path) -> None:
    result = run("score", film, "--genre", "metal", "--instruments", "drums,bass", "--tempo", "120", "--seed", 9)
    assert result.code == 0, result.err
    file = mido.MidiFile("film.mid")
    assert [track.name for track in file.tracks] == ["Hitpoint", "Drums", "Bass"]
    text = next(message.text for message in file.tracks[0] if message.type == "text")
    about = json.loads(text.removeprefix("hitpoint "))
    assert (about["seed"], about["genre"], about["tempo_bpm"], about["model"]) == ("9", "metal", "120-120", "fake")
    assert len(about["clip0_sha256"]) == 64 and about["clip0_in_out_s"] == "0-8"


def test_takes_differ_and_come_again(run: Run, film: Path) -> None:
    assert run("score", film, "--takes", 3, "-o", "a.mid", "--report", "a.json").code == 0
    assert names(Path()) == {f"a-{take}.{ending}" for take in (1, 2, 3) for ending in ("mid", "json")}
    assert len({Path(f"a-{take}.mid").read_bytes() for take in (1, 2, 3)}) == 3
    first = Path("a-1.mid").read_bytes()
    assert run("score", film, "-o", "b.mid").code == 0
    assert Path("b.mid").read_bytes() == first


def test_in_and_out(run: Run, film: Path) -> None:
    assert run("score", film, "--in", 1.5, "--out", 6.25, "--mux", "a.mp4", "--report", "a.json").code == 0
    assert abs(mido.MidiFile("film.mid").length - 4.75) < 0.001
    report = json.loads(Path("a.json").read_text())
    assert (report["clip"]["in_s"], report["clip"]["out_s"]) == (1.5, 6.25)


def test_cuts_of_the_editor_are_in_film_time(run: Run, film: Path) -> None:
    Path("cuts.json").write_text('{"cuts": [2.5, 5.0], "fades": [7.0]}')
    assert run("score", film, "--cuts", "cuts.json", "--in", 1, "--control", 1, "--report", "a.json").code == 0
    hits = json.loads(Path("a.json").read_text())["hits"]
    seen = {round(hit["time_s"], 2) for hit in hits if hit["kind"] in ("cut", "fade")}
    assert seen and seen <= {1.5, 4.0, 6.0}
    result = run("score", film, "--cuts", "none.edl", "-o", "b.mid")
    assert result.code == 3 and not Path("b.mid").exists()
    one_line(result.err)


@pytest.mark.parametrize("command", ["score", "analyse"])
def test_cuts_of_another_film_are_refused(run: Run, film: Path, command: str) -> None:
    Path("cuts.json").write_text("[3602.5, 3605.0]")
    result = run(command, film, "--cuts", "cuts.json")
    assert result.code == 3 and names(Path()) == {"cuts.json"}
    one_line(result.err)
    assert "cuts.json holds no cut inside the film (0.0-8.0 s), but 2 outside it; export the list" in result.err


def test_cuts_outside_the_part_are_counted(run: Run, film: Path) -> None:
    Path("cuts.json").write_text("[1.0, 2.5, 5.0, 7.5, 12.0]")
    result = run("analyse", film, "--cuts", "cuts.json", "--in", 2, "--out", 7)
    assert result.code == 0 and "2 cuts: 0.50 3.00" in result.out
    assert result.err == "note: 3 of 5 cuts in cuts.json left out: outside 2.0-7.0 s of the film\n"
    one_shot = run("analyse", film, "--cuts", "cuts.json", "--in", 2.5, "--out", 5)
    assert one_shot.code == 0 and "0 cuts" in one_shot.out and "5 of 5 cuts" in one_shot.err


LIST = """TITLE: X
001  A V C 00:00:00:00 00:00:02:00 01:00:10:00 01:00:12:00
002  B V C 00:00:00:00 00:00:01:12 01:00:12:00 01:00:13:12
003  C V2 C 00:00:00:00 00:00:01:00 01:00:12:00 01:00:13:00
004  D V C 00:00:00:00 00:00:02:12 01:00:13:12 01:00:16:00
"""


def test_rate_and_start_of_a_list(run: Run, film: Path) -> None:
    Path("cuts.edl").write_text(LIST)
    result = run("analyse", film, "--cuts", "cuts.edl", "--cuts-start", "01:00:10:00")
    assert result.code == 0 and "2 cuts: 2.00 3.50" in result.out
    assert "note: cuts.edl: events on higher video tracks were passed over" in result.err
    result = run("analyse", film, "--cuts", "cuts.edl", "--cuts-start", "01:00:10:00", "--cuts-fps", 48)
    assert result.code == 0 and "2 cuts: 2.00 3.25" in result.out
    for options in (("--cuts-fps", 25), ("--cuts-start", "01:00:00:00")):
        assert run("analyse", film, *options).code == 2
    result = run("analyse", film, "--cuts", "cuts.edl", "--cuts-start", "one")
    assert result.code == 2
    one_line(result.err)
    Path("bad.edl").write_text(LIST.replace("01:00:13:12\n", "01:00:13:30\n"))
    result = run("score", film, "--cuts", "bad.edl")
    assert result.code == 3 and "bad.edl, line 3, cannot be used" in result.err and "--cuts-fps" in result.err
    one_line(result.err)


def test_an_existing_file_is_kept_before_any_work(run: Run, film: Path) -> None:
    Path("film.mid").write_text("mine")
    result = run("score", film)
    assert result.code == 2 and "--force" in result.err and Path("film.mid").read_text() == "mine"
    one_line(result.err)
    assert run("score", film, "--force").code == 0
    assert mido.MidiFile("film.mid").length > 7


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["--genre", "polka"], "country"),
        (["--instruments", "harp"], "piano"),
        (["--tempo", "fast"], "auto"),
        (["--tempo", "140-90"], "slower"),
        (["--control", "2"], "control"),
        (["--in", "5", "--out", "3"], "out"),
        (["-o", "nowhere/a.mid"], "folder"),
        (["--wav", "a.wav", "--plot", "a.wav"], "same name"),
        (["--mux", "a.txt"], ".mp4"),
        (["-o", "/proc/a.mid"], "/proc"),
    ],
)
def test_a_wrong_request_is_code_2(run: Run, film: Path, args: list[str], word: str) -> None:
    result = run("score", film, *args)
    assert result.code == 2 and word in result.err
    one_line(result.err)
    assert names(Path()) == set()


def test_the_clip_is_never_its_own_output(run: Run, film: Path, tmp_path: Path) -> None:
    clip = shutil.copy(film, tmp_path / "clip.mp4")
    before = clip.read_bytes()
    result = run("score", clip, "--mux", clip, "--force")
    assert result.code == 2 and clip.read_bytes() == before
    one_line(result.err)


def test_click_usage_errors_are_code_2(run: Run, film: Path) -> None:
    assert run("score").code == 2
    assert run("score", film, "--takes", 0).code == 2
    assert run("score", film, "--no-such-option").code == 2
    assert run("nonsense").code == 2


def bad_clip(kind: str, film: Path, folder: Path) -> Path:
    path = folder / f"{kind}.mp4"
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("This is not a film.\n" * 50)
    elif kind == "truncated":
        path.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    elif kind == "audio":
        command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=2", "-c:a", "aac", str(path)]
        subprocess.run(command, check=True, timeout=60)
    elif kind == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "truncated", "audio", "folder"])
def test_a_bad_clip_is_code_3(run: Run, film: Path, tmp_path: Path, kind: str) -> None:
    result = run("score", bad_clip(kind, film, tmp_path), "-o", "a.mid", "--report", "a.json")
    assert result.code == 3 and kind in result.err
    one_line(result.err)
    assert names(Path()) == set()


@pytest.mark.parametrize(
    ("name", "codec", "source"),
    [
        ("static.mp4", [], "color=gray:size=160x90:rate=24:duration=3"),
        ("second.mov", [], "testsrc2=size=160x90:rate=25:duration=1"),
        ("blink.mkv", [], "testsrc2=size=160x90:rate=25:duration=0.2"),
        ("vp8.webm", ["-c:v", "libvpx"], "testsrc2=size=160x90:rate=30:duration=2"),
        ("tall odd.MP4", ["-pix_fmt", "yuv444p"], "testsrc2=size=91x161:rate=23.976:duration=2"),
        ("frame.mp4", ["-frames:v", "1"], "testsrc2=size=160x90:rate=25"),
    ],
)
def test_unusual_films_give_music_or_a_sentence(
    run: Run, tmp_path: Path, name: str, codec: list[str], source: str
) -> None:
    clip = tmp_path / name
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, *codec, str(clip)], check=True, timeout=60)
    result = run(
        "score", clip, "-o", "a.mid", "--wav", "a.wav", "--mux", "a.mp4", "--report", "a.json", "--plot", "a.png"
    )
    if result.code == 0:
        report = json.loads(Path("a.json").read_text())
        validate_report(report)
        assert abs(mido.MidiFile("a.mid").length - report["bars"][-1]["end_s"]) < 0.001
        assert len(names(Path())) == 5
    else:
        assert name == "frame.mp4" and result.code == 3
        one_line(result.err)


def test_what_the_machine_lacks_is_code_4(run: Run, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("score", film, "--wav", "a.wav", "--soundfont", "none.sf2")
    assert result.code == 4 and "none.sf2" in result.err
    one_line(result.err)
    monkeypatch.setitem(sys.modules, "tinysoundfont", None)
    result = run("score", film, "--wav", "a.wav")
    assert result.code == 4 and "pip install --no-deps tinysoundfont" in result.err
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setenv("PATH", "")
    result = run("score", film, "--mux", "a.mp4")
    assert result.code == 4 and "imageio-ffmpeg" in result.err
    assert names(Path()) == set()


def test_a_traceback_only_with_debug(run: Run, tmp_path: Path) -> None:
    result = run("score", tmp_path / "missing.mp4")
    assert "Traceback" not in result.err and result.code == 3
    command = [sys.executable, "-c", MAIN, "score", str(tmp_path / "missing.mp4"), "--debug"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "Traceback" in done.stderr and done.returncode != 0


def _hears_interrupts() -> None:
    """A shell starts what runs in its background deaf to Ctrl+C, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_half_way_leaves_no_half_file(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Ctrl+C or a polite kill while the WAV is written: the names asked for are whole or absent."""
    config = tmp_path / "hitpoint.yaml"
    config.write_text("test_composer: tests.fakes:make_composer\n")
    folder = tmp_path / "out"
    folder.mkdir()
    long = tmp_path / "long.mp4"
    source = "color=gray:size=64x36:rate=5:duration=400"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, str(long)], check=True, timeout=60)
    root = Path(__file__).parents[2]
    environment = {**os.environ, "HITPOINT_CONFIG": str(config), "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", MAIN, "score", str(long), "-o", "a.mid", "--wav", "a.wav"]
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=_hears_interrupts
    )
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline and not list(folder.glob(".a.*.wav")):
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code and "Traceback" not in err
    assert names(folder) == {"a.mid"} and mido.MidiFile(folder / "a.mid").length == pytest.approx(400, abs=0.5)
