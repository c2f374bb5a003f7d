"""Every bench that needs no training music runs once, in its short form, and prints its figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SHORT = {
    "bench_batch.py": ("--films", "2", "--seconds", "6"),
    "bench_control.py": ("--seeds", "1"),
    "bench_cut.py": ("--quick",),
    "bench_expression.py": ("--pieces", "1"),
    "bench_films.py": ("--quick",),
    "bench_harmony.py": ("--seconds", "12", "--genres", "pop"),
    "bench_heard.py": ("--quick",),
    "bench_live_input.py": ("--seconds", "30"),
    "bench_meter.py": ("--films", "1"),
    "bench_mood.py": ("--parts", "words,films,cost"),
    "bench_repitch.py": ("--pieces", "1"),
    "bench_score.py": ("--minutes", "0.2"),
    "bench_steering.py": ("--streams", "1", "8", "--bars", "2"),
}
"""What makes a bench short where that is not its usual form."""
NEED_MUSIC = {
    "bench_ablation.py",
    "bench_associate.py",
    "bench_chords.py",
    "bench_diffusion.py",
    "bench_genre.py",
    "bench_library.py",
    "bench_nats.py",
    "bench_round_trip.py",
    "bench_tell.py",
    "bench_training.py",
}
"""These take a folder of training music: see their docstrings."""


@pytest.mark.parametrize("bench", sorted({path.name for path in HERE.glob("bench_*.py")} - NEED_MUSIC))
def test_bench_prints_its_figures(bench: str) -> None:
    command = [sys.executable, str(HERE / bench), *SHORT.get(bench, ())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert any(character.isdigit() for character in done.stdout)
