"""`caspers test`, `bench` and `check`: the everyday verbs of those who work on the code."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from admin.cli import show
from admin.cli.options import REPOSITORY

SCRIPTS = Path(sys.executable).parent
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

SIDE_BY_SIDE = ("-n", "auto", "--dist", "loadfile")

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("format", ("ruff", "format", "--check", "--quiet", ".")),
    ("lint", ("ruff", "check", "--quiet", ".")),
    ("types", ("basedpyright", "--level", "error")),
    ("imports", ("lint-imports", "--no-logo")),
    ("house", ("pytest", "-q", "tests/house")),
)
"""The definition of done, quickest first."""


def register(cli: typer.Typer) -> None:
    cli.command(context_settings=PASSED_ON)(test)
    cli.command()(bench)
    cli.command()(check)


def test(context: typer.Context) -> None:
    """Run the test suite, side by side on all cores; with arguments, what they ask of pytest."""
    raise typer.Exit(_run([sys.executable, "-m", "pytest", *(context.args or SIDE_BY_SIDE)]))


def bench(names: Annotated[list[str] | None, typer.Argument(help="Benchmarks; none = all.")] = None) -> None:
    """Run benchmarks."""
    raise typer.Exit(_run([sys.executable, "-m", "benchmarks", *(names or [])]))


def check() -> None:
    """Format, lint, types, imports and house rules: the definition of done."""
    failed: list[str] = []
    for name, (program, *arguments) in CHECKS:
        passed = _run([str(SCRIPTS / program), *arguments]) == 0
        show.step(name, None, "done" if passed else "failed")
        if not passed:
            failed.append(name)
    raise typer.Exit(1 if failed else 0)


def _run(command: list[str]) -> int:
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode
