"""The script that a card is measured with runs through on a processor, in its shortest form."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hitpoint.model.network import network
from tests.gpu.measure import PIECE_BYTES, main, pieces_of

ROOT = Path(__file__).parents[2]


def test_the_script_runs_through_without_a_card(tmp_path: Path, shard_folder: Path) -> None:
    command = ["sh", str(ROOT / "tests/gpu/run.sh"), "--device", "cpu", "--tiny", "--shards", str(shard_folder)]
    environment = {**os.environ, "OUT": str(tmp_path / "out"), "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads((tmp_path / "out" / "figures.json").read_text())
    assert figures["parity, hidden vectors, relative"] < 1e-5 and figures["parity, bars alike"] == "1 of 1"
    for name in ("rows/s on the device alone, 8", "tokens/s composed, 1", "a bar again, ms", "training, wide, rows/s"):
        assert figures[name] > 0
    assert figures["training, wide, share of the peak"] > 0 and figures["trained"]
    assert (tmp_path / "out" / "wide.safetensors.0").stat().st_size <= 16 << 20
    assert (tmp_path / "out" / "log.jsonl").is_file() and (tmp_path / "out" / "card.json").is_file()
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) <= 8


def test_no_work_begins_when_the_minutes_are_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["measure", "--device", "cpu", "--tiny", "--minutes", "0.7", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.setitem(network.CONFIGS, "wide", network.DEFAULT)  # put back as it was afterwards
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert list(json.loads((tmp_path / "figures.json").read_text())) == ["card"]


def test_pieces_make_a_whole_again() -> None:
    data = bytes(range(256)) * (PIECE_BYTES // 256 + 7)
    pieces = pieces_of(data)
    assert len(pieces) == 2 and max(map(len, pieces)) <= 16 << 20 and b"".join(pieces) == data
