"""The same input gives the same output, from one version to the next: golden.json holds what it was.

Most of the way is plain arithmetic and the same everywhere: a plan for a picture that is made up of a few sines, its
performance, every kind of file of a score. The film's decoder, its analysis and the network round as their processor
and libraries do, so their digest stands in golden.json once for each kind of machine.
`python tests/contract/test_golden.py` writes all this anew, which a change of the music or of a file asks for.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hitpoint.model import job
from hitpoint.model.music.codec import to_json
from hitpoint.model.music.score import Controller
from hitpoint.model.output.base import Writing, targets_of, write_outputs
from hitpoint.model.plan.types import Wishes
from hitpoint.model.take import Prepared, Take
from hitpoint.model.video.types import Clip

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("golden.json")
FILM = ROOT / "examples" / "film.mp4"
EVERYWHERE = "everywhere"
FILES = ("midi", "rpp", "otio", "edl", "report")
DECIMALS = 4
"""Times and levels are compared to so many: sines and logarithms differ in their last bits from machine to machine."""


def kind() -> str:
    """What the bits of decoding, analysis and network depend on."""
    import av
    import cv2
    import numpy as np
    import torch

    versions = {"torch": torch, "numpy": np, "opencv": cv2, "av": av}
    named = [f"{name} {module.__version__.partition('+')[0]}" for name, module in versions.items()]
    return ", ".join([f"{platform.system()} {platform.machine()}", processor(), *named])


def processor() -> str:
    """Maker, family and model, and a digest of what it can do; what else the system says where it has no cpuinfo."""
    listed = Path("/proc/cpuinfo")
    if not listed.exists():
        return platform.processor() or "unknown processor"
    rows = [line.partition(":") for line in listed.read_text(encoding="utf-8").split("\n\n")[0].splitlines()]
    facts = {name.strip(): value.strip() for name, _, value in rows}
    flags = " ".join(sorted(facts.get("flags", facts.get("Features", "")).split()))
    named = [facts.get(name, "-") for name in ("vendor_id", "cpu family", "model")]
    return "/".join([*named, hashlib.sha256(flags.encode()).hexdigest()[:8]])


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def rounded(raw: bytes) -> bytes:
    """JSON whose numbers have DECIMALS decimals."""
    value = json.loads(raw, parse_float=lambda text: round(float(text), DECIMALS) + 0.0)
    return json.dumps(value, sort_keys=True).encode()


def planned() -> Prepared:
    """A plan for a picture that nobody had to look at."""
    from hitpoint.model.plan.build import build_plan
    from tests.fakes import fake_rhythm

    wishes = Wishes(genre="rock", seed=3)
    rhythm = fake_rhythm(24.3, Path("film.mp4"))
    return Prepared((Clip(Path("film.mp4")),), wishes, rhythm, build_plan(rhythm, wishes), 0.5, 0.01)


def played(prepared: Prepared) -> Take:
    """The plan as the stand-in composes it, performed; nothing in it names a version or a moment."""
    from tests.fakes import FakeComposer

    take = job.compose(prepared, FakeComposer())
    return replace(take, score=replace(take.score, about={"model": "fake"}), generation_s=1.0)


def files_of(take: Take, prepared: Prepared, folder: Path) -> dict[str, str]:
    """Digests of the files of `take`, by format; where the film lies is left out."""
    bars = [replace(bar, controllers=(Controller(0.0, 4, 11, 90 + bar.index % 9),)) for bar in take.score.bars]
    take = replace(take, score=replace(take.score, bars=tuple(bars)))
    targets = targets_of(FILES, folder / "film.mid")
    write_outputs(take, prepared, targets, Writing(force=True))
    contents = {name: path.read_bytes() for name, path in targets.items()}
    film = Path("film.mp4").absolute()
    for name in ("rpp", "otio"):
        for there in (json.dumps(str(film))[1:-1], str(film), film.as_uri()):
            contents[name] = contents[name].replace(there.encode(), b"film.mp4")
    contents["otio"], contents["report"] = rounded(contents["otio"]), rounded(contents["report"])
    return {name: digest(raw) for name, raw in contents.items()}


def everywhere() -> dict[str, str]:
    """Digests of what no machine may change, by part."""
    from tests.fakes import fake_prepared

    prepared = planned()
    parts: dict[str, Any] = {"plan": prepared.plan, "performance": played(prepared).score.bars}
    plain = fake_prepared(genre="rock")
    with tempfile.TemporaryDirectory(prefix="hitpoint-") as folder:
        files = files_of(played(plain), plain, Path(folder))
    return {**{name: digest(rounded(to_json(part))) for name, part in parts.items()}, **files}


def film_and_network() -> str:
    """Of everything that sounds, and of the tempo, for a film that is decoded and a network that composes."""
    from hitpoint.model.compose.base import COMPOSERS, ComposerOptions

    prepared = job.prepare([Clip(FILM, 0.0, 6.0)], Wishes(genre="rock", seed=3))
    take = job.compose(prepared, COMPOSERS.load("cmt").create(ComposerOptions(device="cpu")))
    return digest(to_json([take.score.bars, {"points": take.score.tempo_map.points}]))


def golden() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return read


def test_plan_performance_and_files_are_the_same_everywhere() -> None:
    assert everywhere() == golden()[EVERYWHERE]


def test_film_and_network_are_the_same_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HITPOINT_CACHE_DIR", "")
    first = film_and_network()
    assert first == film_and_network()
    known = golden()
    if kind() not in known:
        pytest.skip(f"golden.json has no entry for {kind()}; `python {Path(__file__).name}` adds it")
    assert first == known[kind()]


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ["HITPOINT_CACHE_DIR"] = ""
    others = golden() if GOLDEN.exists() else {}
    written = {**others, EVERYWHERE: everywhere(), kind(): film_and_network()}
    GOLDEN.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
