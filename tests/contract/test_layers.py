"""Who may import whom: the rooms of docs/architecture.md, and what each process must not load."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MODEL = (
    "errors", "files registry", "music", "video", "mood", "plan", "network", "data", "associate", "compose", "perform",
    "take", "output", "cut", "job", "training",
)  # fmt: skip
"""From the bottom up: a room imports those before it. Rooms in one string stand side by side."""
BRIDGE = (
    "errors", "osc", "config", "clock", "ipc", "midi", "play", "live", "session", "state", "work", "batch", "hosts",
    "process", "web", "commands", "cli",
)  # fmt: skip
MOST_ROOMS = 17
"""At the top of each; folders that hold no code (weights, sounds) are cupboards."""


def modules(top: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / top).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(("hitpoint", *parts)).removesuffix(".__init__"), path


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """(module, whether only for types) of every import of ours in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hitpoint"):
            for name in node.names:
                yield f"{node.module}.{name.name}", id(node) in typing_only
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.startswith("hitpoint"):
                    yield name.name, id(node) in typing_only


def room(module: str, top: str) -> str:
    return module.removeprefix(f"hitpoint.{top}").lstrip(".").partition(".")[0]


@pytest.mark.parametrize(("top", "layers"), [("model", MODEL), ("bridge", BRIDGE)])
def test_rooms_import_only_what_lies_below_them(top: str, layers: tuple[str, ...]) -> None:
    level = {name: height for height, names in enumerate(layers) for name in names.split()}
    wrong = []
    for module, path in modules(top):
        mine = room(module, top)
        if not mine:
            continue
        assert mine in level, f"{mine} has no place in the layers of {top}: give it one here and in the docs"
        for other, _ in imported(path):
            if other.startswith(f"hitpoint.{top}.") and (its := room(other, top)) != mine and level[its] >= level[mine]:
                wrong.append(f"{module} -> {other}")
    assert not wrong


def test_no_module_imports_itself_in_a_circle() -> None:
    known = {module for top in ("model", "bridge") for module, _ in modules(top)}
    edges: dict[str, set[str]] = defaultdict(set)
    for top in ("model", "bridge"):
        for module, path in modules(top):
            for other, typing_only in imported(path):
                target = other if other in known else other.rpartition(".")[0]
                if target in known and target != module and not typing_only:
                    edges[module].add(target)
    list(TopologicalSorter(edges).static_order())  # raises CycleError, which names the circle


def test_the_model_knows_nothing_of_the_bridge_and_plugins_nothing_of_either() -> None:
    for module, path in modules("model"):
        assert not [other for other, _ in imported(path) if other.startswith("hitpoint.bridge")], module
    for path in (ROOT / "plugins").rglob("*.py"):
        assert not list(imported(path)), path


def test_few_rooms_stand_side_by_side() -> None:
    for top in ("model", "bridge"):
        rooms = {name.split(".")[2] for name, _ in modules(top) if name.count(".") > 1}
        assert len(rooms) <= MOST_ROOMS, sorted(rooms)


def loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_bridge_without_its_composer_process_loads_neither_torch_nor_cv2() -> None:
    bridge = [m for m, _ in modules("bridge") if m not in ("hitpoint.bridge.hosts.link", "hitpoint.bridge.midi.synth")]
    heavy = loaded("\n".join(f"import {module}" for module in bridge)) & {"torch", "cv2", "av", "matplotlib", "scipy"}
    assert not heavy


def test_every_package_is_installed() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for top in ("model", "bridge"):
        for path in (ROOT / top).rglob("__init__.py"):
            name = ".".join(("hitpoint", *path.parent.relative_to(ROOT).parts))
            assert f'"{name}"' in text, f"{name} is missing from the packages of pyproject.toml"
