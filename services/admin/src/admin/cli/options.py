"""The options that several commands share, and how errors become exit codes."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from caspers.errors import CaspersError
from caspers.settings import InvalidParameters

from admin.cli import show

NOT_AS_DESIRED = 1
WRONG_USAGE = 2

HomeOption = Annotated[Path, typer.Option("--home", help="Where all local state lives.")]
CatalogOption = Annotated[
    str | None, typer.Option("--catalog", help="The demo's catalog; else the one used last.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]

REPOSITORY = Path(__file__).parents[5]
DEFAULT_HOME = REPOSITORY / ".caspers"


@contextmanager
def exit_codes() -> Generator[None]:
    """Say what went wrong in a sentence and end with 1, or with 2 when a parameter makes no sense."""
    try:
        yield
    except CaspersError as error:
        show.errors.print(error.message, style="red", markup=False)
        if error.what_now:
            show.errors.print(error.what_now, markup=False)
        code = WRONG_USAGE if isinstance(error, InvalidParameters) else NOT_AS_DESIRED
        raise typer.Exit(code) from error
