"""The benches are no part of the usual run; that each still finds what it calls, or says how it is run, is."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = Path(__file__).parents[1] / "bench"


@pytest.mark.parametrize("name", sorted(path.name for path in BENCHES.glob("bench_live_*.py")))
def test_a_bench_says_how_it_is_run(name):
    done = subprocess.run([sys.executable, str(BENCHES / name), "--help"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "usage" in done.stdout, done.stderr[-1000:]


OTHERS = sorted(path for path in BENCHES.glob("bench_*.py") if not path.name.startswith("bench_live_"))


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_a_bench_finds_what_it_imports(path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHES))
    spec = importlib.util.spec_from_file_location(f"begun_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    assert path.name in module.__doc__, "its docstring says how it is run"
