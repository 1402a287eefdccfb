"""`caspers test`, `bench` and `check`: the everyday verbs of those who work on the code."""

import subprocess
import sys
from pathlib import Path

from admin.cli import show

REPOSITORY = Path(__file__).parents[5]
SCRIPTS = Path(sys.executable).parent

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("format", ("ruff", "format", "--check", "--quiet", ".")),
    ("lint", ("ruff", "check", "--quiet", ".")),
    ("types", ("basedpyright", "--level", "error")),
    ("imports", ("lint-imports", "--no-logo")),
    ("house", ("pytest", "-q", "tests/house")),
)
"""The definition of done, quickest first."""


def test(arguments: list[str]) -> int:
    """Run the test suite, or the part that the arguments (pytest's) choose."""
    return _run([sys.executable, "-m", "pytest", *arguments])


def bench(names: list[str]) -> int:
    """Run the benchmarks named, or all."""
    return _run([sys.executable, "-m", "benchmarks", *names])


def check() -> int:
    """Run every check and say which failed; 0 when all pass."""
    failed: list[str] = []
    for name, (program, *arguments) in CHECKS:
        passed = _run([str(SCRIPTS / program), *arguments]) == 0
        show.step(name, None, "done" if passed else "failed")
        if not passed:
            failed.append(name)
    return 1 if failed else 0


def _run(command: list[str]) -> int:
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode
