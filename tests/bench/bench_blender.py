"""Figures of the Blender extension: what it costs while playing, how long a click takes, where markers fall, its size.

`python tests/bench/bench_blender.py [costs] [stall] [frames] [click] [rates] [size]`, all by default. Each cost stands
beside a baseline of the same run: the same playback without the extension, an empty handler, the exact cut frames.
"""

from __future__ import annotations

import io
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tokenize
from pathlib import Path

import mido

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "plugins" / "blender"))

import conftest as kit  # noqa: E402
from fake_bridge import FakeBridge  # noqa: E402

COSTS = """
import json, sys, time
sys.path.insert(0, {here!r})
import host
from host import bpy
host.load()
from blender import session
scene = host.scene()
scene.sequence_editor_create()
for index in range(500):
    host.movie(f"s{{index}}", 1 + index % 2, 1 + 5 * index, length=5)
host.connected()
def empty(scene, *_):
    pass
def cost(function):
    rows = []
    for frame in range(2000):
        begin = time.thread_time()
        function(scene)
        rows.append(1e3 * (time.thread_time() - begin))
    rows.sort()
    return rows[len(rows) // 2], rows[int(0.99 * len(rows))]
found = {{"empty": cost(empty), "idle": cost(session.on_frame)}}
bpy.context.window_manager.hitpoint_live = True
found["live"] = cost(session.on_frame)
found["timer"] = cost(lambda scene: session.drain())
host.result(**found)
"""


def costs() -> None:
    """The playhead handler and the timer: processor time per call, ms, in a project of 500 strips."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        kit.make_film(folder / "film.mp4")
        bridge = FakeBridge(folder)
        script = folder / "costs.py"
        script.write_text(COSTS.format(here=str(kit.HERE)))
        for host in kit.HOSTS:
            if not kit.HOSTS[host].exists():
                continue
            done = subprocess.run(
                [*kit.command(host), str(script), str(folder), str(bridge.port)],
                capture_output=True,
                text=True,
                timeout=300,
            )
            row = json.loads([line for line in done.stdout.splitlines() if line.startswith("RESULT")][-1][7:])
            empty = row["empty"][0]
            for name, (median, p99) in row.items():
                ratio = median / empty
                print(f"bpy {host}  {name:6} p50 {median:.4f} ms  p99 {p99:.4f} ms  ({ratio:.0f}x an empty handler)")
        bridge.close()


STALL = """
import sys, time
sys.path.insert(0, {here!r})
import host
from host import bpy
host.load()
from blender import session
scene = host.scene()
scene.sequence_editor_create()
host.connected()
worst = {{}}
def timed(what, function, **values):
    begin = time.thread_time()
    answer = function(**values)
    worst[what] = max(worst.get(what, 0.0), 1e3 * (time.thread_time() - begin))
    return answer
def work(count, click, **values):
    timed(f"{{count}}, click", click, **values)
    end = time.monotonic() + 60
    while time.monotonic() < end and (session.client.job.running or session.client.finished):
        timed(f"{{count}}, timer", session.drain)
        time.sleep(0.01)
for first, count in ((0, 4), (4, 400)):
    for index in range(first, count):
        strip = host.movie(f"s{{index}}", 1 + index % 2, 1 + 24 * index, first=index % 90, length=24)
        if index % 4 == 0:
            strip.keyframe_insert("blend_alpha", frame=1 + 24 * index)
    scene.frame_end = 24 * count
    work(f"{{count}} strips", bpy.ops.hitpoint.score, in_range=True)
    work(f"{{count}} strips", bpy.ops.hitpoint.take, index=1)
    work(f"{{count}} strips", bpy.ops.hitpoint.rescore)
scene.hitpoint.stems = True
work("400 strips by instrument", bpy.ops.hitpoint.score, in_range=True)
own = scene.sequence_editor_create()
own = own.strips if hasattr(own, "strips") else own.sequences
path = session.client.job.takes[0].wav
timed("Blender's own new_sound", own.new_sound, name="own", filepath=path, channel=9, frame_start=1)
host.result(**worst)
"""


def stall() -> None:
    """The longest that Blender waits for the extension, processor time, ms: a click, and a call of its timer.

    Beside it what Blender takes for its own strip of the same sound.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        kit.make_film(folder / "film.mp4")
        script = folder / "stall.py"
        script.write_text(STALL.format(here=str(kit.HERE)))
        for host in ("4.5", "5.0"):
            bridge = FakeBridge(folder)
            bridge.stems = ("bass", "drums", "guitar", "piano", "strings")
            row = kit.run_script(host, str(script), folder, bridge.port)
            bridge.close()
            print(f"bpy {host}: " + "; ".join(f"{name} {value:.1f} ms" for name, value in row.items()))


def frames() -> None:
    """Frames shown in 8 s of playback with and without the extension, turn about; and what its panels cost."""
    from window import Window

    shown: dict[str, list[float]] = {"without": [], "with": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        kit.make_film(folder / "film.mp4")
        bridge = FakeBridge(folder)
        for way in ("without", "with") * 3:
            (folder / "go").unlink(missing_ok=True)
            with Window(folder, bridge.port, 60, way, script="script_bench.py", size=(1000, 700)) as window:
                time.sleep(1)
                window.click("tab")
                time.sleep(1)
                (folder / "go").touch()
                window.wait(lambda told: told["state"] == "done", 60)
            row = json.loads((folder / "bench.json").read_text())
            shown[way].append(row["frames"] / row["seconds"])
            if way == "with":
                _print_costs("panel draw", row["draws"], row["frames"])
                _print_costs("frame handler", row["handler"], row["frames"])
        bridge.close()
    without, with_ = (statistics.median(shown[way]) for way in ("without", "with"))
    print(f"frames a second: {without:.2f} without, {with_:.2f} with, ratio {with_ / without:.3f}; runs {shown}")


def _print_costs(name: str, seconds: list[float], count: int) -> None:
    each = statistics.median(seconds) * 1e3 if seconds else 0.0
    total = 1e3 * sum(seconds) / max(1, count)
    print(f"{name}: {len(seconds)} calls, median {each:.3f} ms, {total:.3f} ms of processor per frame shown ({count})")


def click() -> None:
    """Click to strip in place for 30 s of the example film cut in nine, with the real bridge; errors of the markers."""
    from test_real_bridge import FILM, Serve, free_port

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copy(FILM, folder / "film.mp4")
        serve = Serve(folder, free_port())
        try:
            for host in ("4.5", "5.0", "5.0", "5.0"):
                found = kit.run_script(host, "script_real.py", folder, serve.port, "click")
                marked = {frame for frame, name in found["after"]["markers"] if "cut" in name}
                errors = [min((abs(frame - cut) for frame in marked), default=999) for cut in found["cuts"]]
                print(
                    f"bpy {host}: click to strip {found['seconds']:.2f} s for {found['length_s']:.1f} s of picture; "
                    f"marker errors of {len(errors)} cuts in frames: {errors}; error {found['error'] or 'none'}"
                )
        finally:
            serve.kill()


STARTS = "0,1,86400,1000000"


def rates() -> None:
    """Errors in frames over rates and starts of the timeline: markers, both ends of the music, the clips that the
    bridge is told; with the real bridge, from one start at each rate, also how far from a cut that the plan hits its
    note falls, ms: 20 at most, or 40 where no tempo comes nearer."""
    from test_real_bridge import Serve, free_port

    print("rate         frames/s    start  markers      hit  music   clips")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, rate in (("film", "24"), ("film30", "30")):
            kit.make_film(folder / f"{name}.mp4", 450 / int(rate), rate)
        fake = FakeBridge(folder)
        try:
            found = kit.run_script("5.0", "script_frames.py", folder, fake.port, STARTS, "every", timeout_s=600)
        finally:
            fake.close()
        _print_rates(found["rows"], notes=False)
        serve = Serve(folder, free_port())
        try:
            found = kit.run_script("5.0", "script_frames.py", folder, serve.port, STARTS, "turns", timeout_s=1500)
        finally:
            serve.kill()
        print("with the real bridge")
        _print_rates(found["rows"], notes=True)


def _print_rates(rows: list[dict], notes: bool) -> None:
    for row in rows:
        fps, base = map(float, row["rate"].split("/"))
        far = (
            f"  notes {_from_cuts(Path(row['midi']), row['hits_s'])} (a frame {1e3 * base / fps:.1f})"
            if notes and row["done"]
            else ""
        )
        errors = f"{row['markers']:8} {row['hit']:4} of 3 {row['music']:6} {row['told']:7.4f}"
        print(f"{row['rate']:11} {fps / base:9.3f} {row['start']:8} {errors}{far} {row['error']}")


def _from_cuts(midi: Path, cuts_s: list[float]) -> str:
    """From each cut to the note that is nearest to it."""
    now, notes = 0.0, []
    for message in mido.MidiFile(midi):
        now += message.time
        notes += [now] if message.type == "note_on" and message.velocity else []
    return " ".join(f"{1e3 * min((note - cut for note in notes), key=abs):+.1f}" for cut in cuts_s)


def size() -> None:
    """Lines of the extension: all, and of code (no blank lines, comments or docstrings)."""
    total = code = 0
    for path in sorted((ROOT / "plugins" / "blender").glob("*.py")):
        source = path.read_text()
        lines = code_lines(source)
        print(f"{path.name:14} {source.count(chr(10)):5} lines {lines:5} of code")
        total, code = total + source.count("\n"), code + lines
    print(f"{'all':14} {total:5} lines {code:5} of code")


def code_lines(source: str) -> int:
    """Lines that hold a token other than comments and docstrings."""
    kept: set[int] = set()
    fresh = True
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (
            tokenize.NEWLINE,
            tokenize.NL,
            tokenize.INDENT,
            tokenize.DEDENT,
            tokenize.COMMENT,
            tokenize.ENDMARKER,
        ):
            fresh = fresh or token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
            continue
        if not (fresh and token.type == tokenize.STRING):
            kept.update(range(token.start[0], token.end[0] + 1))
        fresh = False
    return len(kept)


if __name__ == "__main__":
    for part in sys.argv[1:] or ["costs", "stall", "frames", "click", "rates", "size"]:
        print(f"--- {part}")
        globals()[part]()
