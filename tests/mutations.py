"""Faults that the tests must notice: `python tests/mutations.py [NAME ...]` puts each into a copy, and runs its tests.

Prints a line a fault: red where a test fails, as it should, GREEN where none does; the exit code counts the green ones.
Each fault is one replaced text in one file; a text that is no longer there is an error of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPIED = ("model", "bridge", "plugins", "tests", "examples", "docs", "pyproject.toml", "README.md")


@dataclass(frozen=True)
class Mutation:
    """In `file`, `right` becomes `wrong`; `tests` (paths) must then fail."""

    file: str
    right: str
    wrong: str
    tests: str


MUTATIONS = {
    "an older edition's bar is taken in": Mutation(
        "bridge/play/lookahead.py", "if edition >= self.edition:", "if True:", "tests/bridge/play/test_scheduler.py"
    ),
    "hits on neighbouring ticks": Mutation(
        "model/plan/hits/placing.py",
        "not beats.isdisjoint((each.place - 1, each.place, each.place + 1))",
        "not beats.isdisjoint((each.place,))",
        "tests/model/plan/test_small_promises.py",
    ),
    "no arc of energy": Mutation(
        "model/plan/density/energy.py",
        "+ planned_arc * (arc(bars) - 0.65)",
        "+ 0.0 * bars",
        "tests/model/plan/test_small_promises.py",
    ),
    "the rank of saliency is ignored": Mutation(
        "model/plan/hits/strengths.py",
        "(rank + each.moment.saliency) / 2",
        "each.moment.saliency",
        "tests/model/plan/test_small_promises.py",
    ),
    "a step in tempo costs nothing": Mutation(
        "model/plan/tempo/fit.py",
        "STEP_COST, DEVIATION_COST = 0.1, 0.02",
        "STEP_COST, DEVIATION_COST = 0.0, 0.02",
        "tests/model/plan/test_small_promises.py",
    ),
    "the next hit is counted from the wrong side": Mutation(
        "model/network/conditions.py",
        'np.searchsorted(hits, number, side="right")',
        'np.searchsorted(hits, number, side="left")',
        "tests/model/network/test_conditions.py",
    ),
    "a jump must be twice as far to be a seek": Mutation(
        "bridge/clock/playhead.py", "SEEK_S = 0.3", "SEEK_S = 0.6", "tests/bridge/clock"
    ),
    "a repeated frame is a picture of its own": Mutation(
        "model/video/detectors/shot_signs.py",
        "REPEAT_PEAK = 0.25, 5.0",
        "REPEAT_PEAK = -1.0, 5.0",
        "tests/model/video/detectors/test_shot_steps.py",
    ),
}


def main() -> int:
    """Run the mutations named on the command line, or all."""
    names = sys.argv[1:] or list(MUTATIONS)
    green = 0
    with tempfile.TemporaryDirectory(prefix="hitpoint-") as folder:
        copy = Path(folder) / "repository"
        copy.mkdir()
        for each in COPIED:
            if (ROOT / each).is_dir():
                shutil.copytree(ROOT / each, copy / each, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / each, copy / each)
        site = Path(folder) / "site" / "hitpoint"
        site.mkdir(parents=True)
        for each in ("model", "bridge", "examples", "plugins"):
            (site / each).symlink_to(copy / each)
        for name in names:
            is_red = tried(copy, site.parent, MUTATIONS[name])
            green += not is_red
            print(f"{'red  ' if is_red else 'GREEN'}  {name}", flush=True)
    return green


def tried(copy: Path, site: Path, mutation: Mutation) -> bool:
    """Whether the mutation's tests fail in the copy that has it."""
    path = copy / mutation.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutation.right) != 1:
        sys.exit(f"error: {mutation.right!r} stands {text.count(mutation.right)} times in {mutation.file}, not once")
    path.write_text(text.replace(mutation.right, mutation.wrong), encoding="utf-8")
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", mutation.tests]
        environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
        return done.returncode == 1
    finally:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
