"""What analysis costs: `python tests/bench/bench_analysis.py [--short]`.

CPU seconds per second of video at 360 and 1080 lines, cache off, imports done; beside it, on the same film in the same
run, the two full-size Farneback passes that CMT's released code makes (its parameters). Then the peak memory of the
analysis alone on one and on ten minutes of 1080 lines. --short leaves the memory out.

CPU seconds, not wall time: they mean the same on a busy machine, or nearly so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ["HITPOINT_CACHE_DIR"] = ""

FARNEBACK_S = 1.0
REPEATS = 5
TARGETS = {360: 0.05, 1080: 0.2}
MEMORY = """
import os, sys
os.environ["HITPOINT_CACHE_DIR"] = ""
from pathlib import Path
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.types import Clip
rhythm = analyse([Clip(Path(sys.argv[1]))])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(len(rhythm.times_s), int(peak.split()[1]) / 1024)
"""


def scaled(source: Path, lines: int, folder: Path) -> Path:
    """The film at `lines` lines, 16:9, 24 fps, H.264."""
    path = folder / f"{lines}.mp4"
    size = f"scale={lines * 16 // 9}:{lines}:flags=bicubic,fps=24"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-stream_loop", "2", "-i", source, "-an", "-vf", size, "-crf", "21", path],
        check=True,
    )
    return path


def analysis_cost(path: Path) -> float:
    """CPU seconds per second of video: the least of REPEATS runs, the one least disturbed."""
    from hitpoint.model.video.analyse import analyse
    from hitpoint.model.video.types import Clip

    analyse([Clip(path, out_s=1.0)])  # imports
    costs = []
    for _ in range(REPEATS):
        start = time.process_time()
        rhythm = analyse([Clip(path)])
        costs.append((time.process_time() - start) / rhythm.duration_s)
    return min(costs)


def decoding_cost(path: Path) -> float:
    """CPU seconds per second of video to decode alone, which no analysis can do without; the least of REPEATS runs."""
    import av

    costs = []
    for _ in range(REPEATS):
        start, end_s = time.process_time(), 0.0
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                end_s = float(frame.time or 0.0)
        costs.append((time.process_time() - start) / end_s)
    return min(costs)


def farneback_cost(path: Path) -> float:
    """CPU seconds per second of video of two full-size Farneback passes over its beginning, decoding included."""
    import cv2

    start = time.process_time()
    frames = 0
    for _ in range(2):
        film, last, frames = cv2.VideoCapture(str(path)), None, 0
        while frames < FARNEBACK_S * 24:
            shown, frame = film.read()
            if not shown:
                break
            grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
            if last is not None:
                cv2.calcOpticalFlowFarneback(last, grey, None, 0.5, 3, 15, 3, 5, 1.2, 0)  # type: ignore[call-overload]
            last = grey
            frames += 1
        film.release()
    return (time.process_time() - start) / (frames / 24)


def peak_mib(path: Path) -> tuple[int, float]:
    """(frames, peak resident MiB) of a process that only analyses; Linux, whose getrusage counts the parent's too."""
    done = subprocess.run([sys.executable, "-c", MEMORY, path], capture_output=True, text=True, check=True)
    frames, mib = done.stdout.split()
    return int(frames), float(mib)


def main() -> None:
    """Print one row a figure."""
    from tests.footage import footage

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for lines, target in TARGETS.items():
            path = scaled(footage("bikes"), lines, folder)
            ours, theirs = analysis_cost(path), farneback_cost(path)
            verdict = "met" if ours <= target else "MISSED"
            print(
                f"{lines}p: analysis {ours:.4f} CPU-s per video second (target {target}: {verdict}); decoding alone "
                f"{decoding_cost(path):.4f}; two Farneback passes {theirs:.2f}; ratio {theirs / ours:.0f}",
                flush=True,
            )
        if "--short" in sys.argv:
            return
        for minutes in (1, 10):
            looped = folder / f"{minutes}.mp4"
            command = ["ffmpeg", "-v", "error", "-y", "-stream_loop", "-1", "-i", folder / "1080.mp4"]
            subprocess.run([*command, "-t", str(minutes * 60), "-c", "copy", looped], check=True)
            frames, mib = peak_mib(looped)
            print(f"1080p, {minutes} min ({frames} frames): peak {mib:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
