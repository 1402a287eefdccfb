"""The project's own source as data, for the tests that look after its shape."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "caspers": ROOT / "shared/src/caspers",
    "local_workspace": ROOT / "local-workspace/src/local_workspace",
    "replayer": ROOT / "services/replayer/src/replayer",
    "refund_manager": ROOT / "services/refund-manager/src/refund_manager",
    "complaint_console": ROOT / "services/complaint-console/src/complaint_console",
    "admin": ROOT / "services/admin/src/admin",
}


@dataclass(frozen=True)
class Module:
    """One Python file: where it is, its text and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The path from the root of the checkout."""
        return str(self.path.relative_to(ROOT))

    @property
    def lines(self) -> int:
        """Lines of text."""
        return self.text.count("\n")

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """All functions and methods, nested ones included."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def imports(self) -> set[str]:
        """The top-level names of all imported packages."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                found.add(node.module.split(".")[0])
        return found


@cache
def modules(*folders: Path) -> tuple[Module, ...]:
    """Every Python file below `folders` (all of our packages by default)."""
    found: list[Module] = []
    for folder in folders or tuple(PACKAGES.values()):
        for path in sorted(folder.rglob("*.py")):
            text = path.read_text()
            found.append(Module(path, text, ast.parse(text)))
    return tuple(found)


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring and without functions defined in it (routes in a router)."""
    end = function.end_lineno or function.lineno
    total = end - function.lineno + 1
    first = function.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    for node in ast.walk(function):
        if node is not function and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            total -= (node.end_lineno or node.lineno) - node.lineno + 1
    return total
