"""How large the code's pieces are, and how many are typed and documented: `python tests/code_figures.py [CHECKOUT]`.

Counts every function, method and module of `model/`, `bridge/` and `plugins/`, in lines with their docstrings. Typed:
every argument but self and the result have a type. Documented: public ones (no underscore) that have a docstring.
"""

from __future__ import annotations

import ast
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path

TOPS = ("model", "bridge", "plugins")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Counted:
    functions: list[int] = field(default_factory=list)
    modules: list[int] = field(default_factory=list)
    typed: int = 0
    public: int = 0
    documented: int = 0


def count(root: Path) -> Counted:
    found = Counted()
    for path in sorted(path for top in TOPS for path in (root / top).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.modules.append(len(text.splitlines()))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, Function):
                found.functions.append((node.end_lineno or node.lineno) - node.lineno + 1)
                found.typed += is_typed(node)
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                found.public += 1
                found.documented += ast.get_docstring(node) is not None
    return found


def is_typed(node: Function) -> bool:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    own = [each for each in arguments if each.arg not in ("self", "cls")]
    return node.returns is not None and all(each.annotation is not None for each in own)


def main() -> None:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    found = count(root)
    ninth = statistics.quantiles(found.functions, n=10)[-1]
    print(
        f"{len(found.functions)} functions: median {statistics.median(found.functions):g}, p90 {ninth:g}, "
        f"longest {max(found.functions)} lines; typed {found.typed / len(found.functions):.1%}"
    )
    print(
        f"{len(found.modules)} modules: median {statistics.median(found.modules):g}, longest {max(found.modules)} lines"
    )
    print(f"{found.public} public functions and classes: documented {found.documented / found.public:.1%}")


if __name__ == "__main__":
    main()
