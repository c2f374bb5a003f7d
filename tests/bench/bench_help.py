"""How long `hitpoint --help` takes, next to a bare Python. Run: python tests/bench/bench_help.py."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path


def median_s(command: list[str], runs: int = 11) -> float:
    """Median wall-clock seconds of `runs` runs, after one that warms the file cache."""
    seconds = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


def main() -> None:
    """Print both medians and their ratio."""
    hitpoint = shutil.which("hitpoint") or str(Path(sys.executable).with_name("hitpoint"))
    bare = median_s([sys.executable, "-c", "pass"])
    ours = median_s([hitpoint, "--help"])
    print(f"hitpoint --help {ours:.3f} s (target < 0.5), bare python {bare:.3f} s, ratio {ours / bare:.1f}")


if __name__ == "__main__":
    main()
