"""`hitpoint score` as a user runs it: peak memory on 1 and 10 minutes of 1080p, and where the time goes.

Run: python tests/bench/bench_score.py [--minutes 1 10]. The films are drawn by ffmpeg, some shots of
1920x1080 at 24 frames a second that repeat. Memory is the largest resident set of the process; it is flat if the last
row's ratio to the first stays near 1. Beside it stands the same interpreter with torch, cv2 and matplotlib imported.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SHOTS = ("testsrc2", "smptehdbars", "testsrc", "pal100bars", "rgbtestsrc")


def draw(folder: Path, minutes: float) -> Path:
    """A film of `minutes`, made of one minute of shots that is repeated, or cut, without encoding it again."""
    minute = folder / "minute.mp4"
    if not minute.exists():
        inputs: list[str] = []
        for index in range(12):
            source = f"{SHOTS[index % len(SHOTS)]}=size=1920x1080:rate=24"
            inputs += ["-f", "lavfi", "-t", "5", "-i", source]
        joined = "".join(f"[{index}:v]setsar=1,format=yuv420p[v{index}];" for index in range(12))
        joined += "".join(f"[v{index}]" for index in range(12)) + "concat=n=12:v=1[v]"
        encode = ["-map", "[v]", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "28", str(minute)]
        command = ["ffmpeg", "-v", "error", "-y", *inputs, "-filter_complex", joined, *encode]
        subprocess.run(command, check=True, timeout=1800)
    film = folder / f"{minutes:g}min.mp4"
    repeats = max(0, math.ceil(minutes) - 1)  # below 0 ffmpeg repeats for ever
    loop = ["-stream_loop", str(repeats), "-i", str(minute), "-t", str(minutes * 60), "-c", "copy", str(film)]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *loop], check=True, timeout=600)
    return film


def peak_mib(command: list[str], environment: dict[str, str]) -> float:
    """The largest resident set, MiB, of a command that must succeed."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(errors.decode())
    return usage.ru_maxrss / 1024


def main() -> None:
    """Print a row a film, and how memory grew."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 10])
    asked = parser.parse_args()
    hitpoint = shutil.which("hitpoint") or str(Path(sys.executable).with_name("hitpoint"))
    peaks = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "HITPOINT_CONFIG": str(folder / "none")}
        imports = "import torch, cv2, av, matplotlib.figure"
        print(f"imports alone\t{peak_mib([sys.executable, '-c', imports], environment):.0f} MiB", flush=True)
        for minutes in asked.minutes:
            film, report = draw(folder, minutes), folder / f"{minutes:g}.json"
            outputs = ["-o", str(report.with_suffix(".mid")), "--wav", str(report.with_suffix(".wav"))]
            command = [hitpoint, "score", str(film), *outputs, "--report", str(report)]
            peaks.append(peak_mib(command, environment))
            timing = json.loads(report.read_text())["timing"]
            facts = " ".join(f"{key} {value}" for key, value in timing.items())
            print(f"{minutes:g} min\t{peaks[-1]:.0f} MiB (target <= 1229)\t{facts}", flush=True)
    print(f"memory of the longest / the shortest: {peaks[-1] / peaks[0]:.2f}")


if __name__ == "__main__":
    main()
