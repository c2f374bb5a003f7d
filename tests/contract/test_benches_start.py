"""The benches of the bridge are no part of the usual run; that each still starts is."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = Path(__file__).parents[1] / "bench"


@pytest.mark.parametrize("name", sorted(path.name for path in BENCHES.glob("bench_live_*.py")))
def test_a_bench_says_how_it_is_run(name):
    done = subprocess.run([sys.executable, str(BENCHES / name), "--help"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "usage" in done.stdout, done.stderr[-1000:]
