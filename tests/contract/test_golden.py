"""The same film, options and seed give the same notes, from one version to the next: golden.json says which.

Arithmetic differs from processor to processor and from torch to torch, so each kind has a line of its own; on a kind
without one the test says so. `python tests/contract/test_golden.py` writes this machine's line, which a change of the
music asks for.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from pathlib import Path

import pytest

GOLDEN = Path(__file__).with_name("golden.json")
FILM = Path(__file__).parents[2] / "examples" / "film.mp4"


def kind() -> str:
    """What the bits of the arithmetic depend on."""
    import torch

    version = torch.__version__.partition("+")[0]
    processor = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
    return f"{platform.system()} {processor}, torch {version}"


def digest() -> str:
    """Of everything that sounds, and of the tempo, not of what the file says about itself."""
    from hitpoint.model import job
    from hitpoint.model.compose.base import COMPOSERS, ComposerOptions
    from hitpoint.model.music.codec import to_json
    from hitpoint.model.plan.types import Wishes
    from hitpoint.model.video.types import Clip

    prepared = job.prepare([Clip(FILM, 0.0, 12.0)], Wishes(genre="rock", seed=3))
    take = job.compose(prepared, COMPOSERS.load("cmt").create(ComposerOptions(device="cpu")))
    return hashlib.sha256(to_json([take.score.bars, take.score.tempo_map])).hexdigest()


def test_the_same_seed_gives_the_same_music(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HITPOINT_CACHE_DIR", "")
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    first = digest()
    assert first == digest()
    if kind() not in golden:
        pytest.skip(f"golden.json has no line for {kind()}: run `python {Path(__file__).name}` to add it")
    assert first == golden[kind()]


if __name__ == "__main__":
    os.environ["HITPOINT_CACHE_DIR"] = ""
    known = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    GOLDEN.write_text(json.dumps({**known, kind(): digest()}, indent=1) + "\n", encoding="utf-8")
