"""Markers by place, so that each test is in exactly one of them, and one line on what was not there.

fast: pure Python and small networks, no system packages. live: processes, ports and sound in real time. host: Blender,
REAPER (emulated), Ardour. bench: measures. What is in none of them is slow, or needs ffmpeg.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIVE = (
    "bridge/batch/",
    "bridge/process/",
    "bridge/web/",
    "bridge/commands/",
    "bridge/hosts/test_ardour.py",
    "bridge/hosts/test_link.py",
    "contract/test_benches_start.py",
    "contract/test_doors.py",
)
HOST = ("plugins/",)
BENCH = ("bench/",)
NEEDS_FFMPEG = re.compile(r"\b(ffmpeg|ffprobe|FFMPEG)\b")
SLOW = (
    "gpu/",
    "contract/seams/",
    "model/compose/test_chords.py",
    "model/compose/test_compose.py",
    "model/compose/test_diffusion.py",
    "model/compose/test_form.py",
    "model/compose/test_grammar.py",
    "model/compose/test_rows.py",
    "model/cut/test_sound.py",
    "model/plan/harmony/",
    "model/plan/test_arrangement.py",
    "model/plan/test_build.py",
    "model/plan/test_mood.py",
    "model/plan/test_rework.py",
    "model/plan/test_tempo.py",
    "model/training/",
    "model/video/",
    "bridge/work/",
)
"""Over a few seconds, or films to be looked at."""
SLOW_TESTS = ("test_film_and_network_are_the_same_on_this_machine",)
"""The same, in files whose other tests are quick."""


def marker_of(path: Path) -> str:
    """The marker of a test file, "" for none."""
    place = path.relative_to(HERE).as_posix()
    for marker, places in (("bench", BENCH), ("host", HOST), ("live", LIVE)):
        if place.startswith(places):
            return marker
    if place.startswith(SLOW) or NEEDS_FFMPEG.search(path.read_text(encoding="utf-8")):
        return ""
    return "fast"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marks: dict[Path, str] = {}
    for item in items:
        name = marks.setdefault(item.path, marker_of(item.path))
        needs_film = "film" in getattr(item, "fixturenames", ()) and item.path.is_relative_to(HERE / "contract")
        if name and not needs_film and item.name not in SLOW_TESTS:
            item.add_marker(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = [str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []) if report.longrepr]
    absent = sum("../shared" in reason for reason in reasons)
    if absent:
        terminalreporter.write_line(f"{absent} tests were left out: ../shared is not beside this checkout")
    if shutil.which("ffmpeg") is None:
        terminalreporter.write_line("ffmpeg is not installed: tests that make films were left out")
