"""REAPER, emulated: notes against the MIDI file, script time a defer cycle, action to tracks, lines of Lua.

    python tests/bench/bench_reaper.py [--film examples/film.mp4] [--work FOLDER]

Needs lua5.4 and PyPI's `rpp`. The bridge is the real one, with the shipped checkpoint, started by the script itself.
The baseline of the time from action to tracks is `hitpoint score` on the same film in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))

from hitpoint.bridge.hosts.reaper import rows as file_rows  # noqa: E402
from tests.plugins.reaper import reaper_emulated as emulated  # noqa: E402
from tests.plugins.reaper.reaper_emulated import PLUGIN, Reaper  # noqa: E402
from tests.plugins.reaper.rpp_project import RppProject, largest_error_s, midi_notes  # noqa: E402

MAIN = "from hitpoint.bridge.cli import main; main()"
FIRST_S = 7.25
PORT = 47931

OWN_TEMPO = """
emu.current.state.tempo = {
  {time = 0.0, bpm = 87.0, num = 4, den = 4}, {time = 9.7, bpm = 141.5, num = 0, den = 0},
  {time = 13.1, bpm = 66.0, num = 3, den = 4}, {time = 30.0, bpm = 100.0, num = 4, den = 4},
}
emu.ext["Hitpoint/tempo_map"] = "keep"
"""


def seconds_of(film: Path) -> float:
    """The film's length, as ffprobe tells it."""
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(film)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)


def settings(work: Path, name: str) -> dict[str, str]:
    """An environment with a configuration, a state and a cache of its own."""
    config = work / f"{name}.yaml"
    values = {"port": PORT, "midi_port": "none", "synth": False, "state_dir": str(work / name), "roots": ["/"]}
    config.write_text(json.dumps(values))
    return {**os.environ, "HITPOINT_CONFIG": str(config), "XDG_CACHE_HOME": str(work / f"{name}-cache")}


def print_cycles(name: str, reaper: Reaper) -> None:
    """Time a cycle: the first loads the scripts, the next reads the project, the last writes it, the others wait.

    The script's own: without the emulated functions of REAPER's, whose time says nothing of the real ones'.
    """
    own_s, cycles_s = (list(reaper.lua(f"return emu.{key}")) for key in ("own_s", "cycle_s"))
    for what, values in (("script's own", own_s), ("with the emulation", cycles_s)):
        load, read, *waiting, write = (1e3 * value for value in values)
        waiting.sort()
        p99 = waiting[int(0.99 * (len(waiting) - 1))]
        print(
            f"  {name}: cycle, ms, {what}: load {load:.2f}, read {read:.2f}, {len(waiting)} waiting: p50 "
            f"{statistics.median(waiting):.3f}, p99 {p99:.3f}, max {waiting[-1]:.3f}; write {write:.2f}"
        )


def score(work: Path, name: str, film: Path, length_s: float, scene: str, warm: bool) -> tuple[RppProject, Path, float]:
    """One action from its start to its tracks: the project, the MIDI file, and the seconds it took.

    warm: the bridge is up already, as after the first action of a day.
    """
    environment = settings(work, name)
    reaper = Reaper(work / f"{name}-resources")
    folder = reaper.folder / "Hitpoint"
    folder.mkdir(parents=True)
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(MAIN)}"
    file_rows.write(folder / "bridge.txt", "bridge", [("command", command)])
    started: list[subprocess.Popen[bytes]] = []

    def start_wanted() -> None:
        for wanted in reaper.lua("local all = emu.exec emu.exec = {} return all"):
            log = (work / f"{name}.log").open("wb")
            started.append(
                subprocess.Popen([*shlex.split(wanted), "--no-screen"], env=environment, stdout=log, stderr=log)
            )

    try:
        reaper.lua(scene)
        reaper.add_video(film, FIRST_S, length_s, f"{{file_s = {length_s}}}")
        if warm:
            serve = [sys.executable, "-c", MAIN, "serve", "--no-screen", "--reaper-folder", str(folder)]
            started.append(subprocess.Popen(serve, env=environment, stderr=subprocess.DEVNULL))
            while not (folder / "heartbeat.txt").exists():
                time.sleep(0.05)
            time.sleep(5.0)
        begun = time.monotonic()
        reaper.start(emulated.SCORE_ITEMS)
        reaper.finish(start_wanted, limit_s=300.0)
        took_s = time.monotonic() - begun
        assert reaper.messages == [] and reaper.lua("return emu.crashes") == [], reaper.messages
        print_cycles(name, reaper)
        midi = max((work / name).rglob("*.mid"), key=lambda path: path.stat().st_mtime_ns)
        project = RppProject(reaper.lua("return emu.rpp()"))
        reaper.lua(f"emu.current.state.selection = {{ {FIRST_S + 1}, {FIRST_S + 9} }}")
        for action in (emulated.REGENERATE, emulated.NEXT_TAKE):
            reaper.lua("emu.cycle_s, emu.own_s = {}, {}")
            reaper.act(action)
            print_cycles(action.removeprefix("Hitpoint_").removesuffix(".lua"), reaper)
        return project, midi, took_s
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(20)
        reaper.close()


def compare(project: RppProject, midi: Path) -> None:
    """Every note of the MIDI file against the project's."""
    wanted = midi_notes(midi, FIRST_S)
    count, worst_s = 0, 0.0
    for name, notes in wanted.items():
        found = project.track(name).items[0].takes[0].notes
        worst_s = max(worst_s, largest_error_s(found, notes))
        count += len(found)
    fastest_bpm = max(bpm for _, bpm in project.tempo)
    tick_s = 60 / fastest_bpm / 480
    total = sum(map(len, wanted.values()))
    print(f"  notes: {count} of {total}; largest error {1e3 * worst_s:.4f} ms = {worst_s / tick_s:.3f} MIDI ticks")


def empty_cycle_ms(work: Path) -> float:
    """The baseline of a cycle: a script that only defers itself."""
    script = work / "empty.lua"
    script.write_text("local n = 0\nlocal function f() n = n + 1 if n < 300 then reaper.defer(f) end end\nf()\n")
    reaper = Reaper(work / "empty-resources", work)
    try:
        reaper.start("empty.lua")
        while reaper.step(50):
            pass
        return 1e3 * statistics.median(reaper.lua("return emu.cycle_s"))
    finally:
        reaper.close()


def children_cpu_s() -> float:
    """CPU seconds of all ended children and theirs: what a busy machine does not blur."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def lines_of_lua() -> tuple[int, int]:
    """(lines of code, all lines) of the plugin's scripts, the acceptance script left out."""
    texts = [p.read_text().splitlines() for p in sorted(PLUGIN.rglob("*.lua")) if p.name != "acceptance.lua"]
    lines = [line.strip() for text in texts for line in text]
    return sum(bool(line) and not line.startswith("--") for line in lines), len(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--film", type=Path, default=REPO / "examples" / "film.mp4")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--only", choices=("cold", "warm", "kept-tempo"))
    arguments = parser.parse_args()
    work = arguments.work or Path(tempfile.mkdtemp(prefix="bench-reaper-"))
    work.mkdir(parents=True, exist_ok=True)
    film, length_s = arguments.film.absolute(), seconds_of(arguments.film)
    print(f"film: {film.name}, {length_s:.2f} s; REAPER is emulated, the bridge and the checkpoint are real")
    begun = time.monotonic()
    baseline = [sys.executable, "-c", MAIN, "score", str(film), "-o", str(work / "baseline.mid"), "--force"]
    subprocess.run(baseline, check=True, env=settings(work, "cli"), stdout=subprocess.DEVNULL, timeout=300)
    cli_s = time.monotonic() - begun
    print(f"baseline: `hitpoint score` on the same film: {cli_s:.1f} s, {children_cpu_s():.1f} CPU seconds")
    for name, scene, warm in (("cold", "", False), ("warm", "", True), ("kept-tempo", OWN_TEMPO, True)):
        if arguments.only not in (None, name):
            continue
        before_s = children_cpu_s()
        project, midi, took_s = score(work, name, film, length_s, scene, warm)
        ratio, for_30_s = took_s / cli_s, 30 * took_s / length_s
        print(f"  action to tracks: {took_s:.1f} s = {ratio:.2f} x baseline, {for_30_s:.1f} s for 30 s of film")
        print(f"  CPU seconds of bridge, composer and REAPER, their start included: {children_cpu_s() - before_s:.1f}")
        compare(project, midi)
    print(f"baseline of a cycle (a script that only defers): {empty_cycle_ms(work):.4f} ms")
    code, every = lines_of_lua()
    print(f"Lua: {code} lines of code, {every} with comments and blank lines")


if __name__ == "__main__":
    main()
