"""Draw the rooms of a checkout and who imports whom, by Graphviz: `python docs/draw_rooms.py [CHECKOUT] | dot -Tsvg`.

A box is a file or folder at the top of `model/` or `bridge/`; an arrow says that one imports another, and is red where
the two import each other. Imports for type checking alone are left out. Numbers go to standard error.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from pathlib import Path


def imports(path: Path) -> set[str]:
    """The modules of ours that a file imports when it runs, as `hitpoint.model.plan.types`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hitpoint."):
            found |= {f"{node.module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.startswith("hitpoint.")}
    return found


def room(module: str) -> str:
    """`hitpoint.model.plan.types` -> `model/plan`."""
    parts = module.split(".")
    return "/".join(parts[1:3]) if len(parts) > 2 else ""


def arrows(root: Path) -> dict[str, set[str]]:
    """Room -> the rooms that it imports."""
    found: dict[str, set[str]] = defaultdict(set)
    for top in ("model", "bridge"):
        for path in sorted((root / top).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if parts[-1] == "__init__" and len(parts) == 2:
                continue
            mine = "/".join(parts[:2])
            found[mine] |= {its for module in imports(path) if (its := room(module)) and its != mine}
    rooms = set(found)
    return {mine: its & rooms for mine, its in found.items()}


def main() -> None:
    """Print the picture for Graphviz."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    found = arrows(root)
    mutual = {(mine, its) for mine in found for its in found[mine] if mine in found[its]}
    counts = {top: sum(name.startswith(top) for name in found) for top in ("model", "bridge")}
    total = sum(map(len, found.values()))
    print(f"rooms: {counts}, arrows: {total}, mutual pairs: {len(mutual) // 2}", file=sys.stderr)
    print(
        'digraph rooms { rankdir=TB; ranksep=0.6; node [shape=box, style=filled, fontname="sans-serif", fontsize=11];'
    )
    for top, color in (("model", "#e8f0fa"), ("bridge", "#faf0e6")):
        names = " ".join(f'"{name}";' for name in sorted(found) if name.startswith(top))
        print(f'subgraph cluster_{top} {{ label="{top}"; color="#cccccc"; node [fillcolor="{color}"]; {names} }}')
    for mine, others in sorted(found.items()):
        for its in sorted(others):
            color = "#d03030" if (mine, its) in mutual else "#8090a0"
            print(f'"{mine}" -> "{its}" [color="{color}"];')
    print("}")


if __name__ == "__main__":
    main()
