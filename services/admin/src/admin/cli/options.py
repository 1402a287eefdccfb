"""The options that several commands share, and how errors become exit codes."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from caspers.errors import CaspersError
from caspers.settings import InvalidParameters, Parameters, parameters_from

from admin.cli import show

NOT_AS_DESIRED = 1
WRONG_USAGE = 2

HomeOption = Annotated[Path, typer.Option("--home", help="Where all local state lives.")]
CatalogOption = Annotated[
    str | None, typer.Option("--catalog", help="The demo's catalog; else the one used last.")
]


def _parameters(incomplete: str) -> list[str]:
    """Names of parameters, ready for their value, while one is typed."""
    names = (f"{name}=" for name in Parameters.model_fields if name != "catalog")
    return [name for name in names if name.startswith(incomplete)]


ParametersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-p",
        metavar="NAME=VALUE",
        help="Any parameter of the demo; may be repeated.",
        autocompletion=_parameters,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
WaitOption = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Follow it to its end, or name it and return.")
]
PlanOption = Annotated[bool, typer.Option("--plan", help="Show what would be done, and do nothing.")]
LimitOption = Annotated[int, typer.Option("--limit", help="How many, newest first.", min=1)]

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


def named_values(texts: list[str] | None) -> dict[str, Any]:
    """Parameters given as NAME=VALUE, each of its own type. Raises `InvalidParameters` for names and values refused."""
    values: dict[str, str] = {}
    for text in texts or []:
        name, separator, value = text.partition("=")
        if not separator:
            raise InvalidParameters(f"{text!r} is not NAME=VALUE", what_now="Write it as -p start_day=3.")
        values[name.strip().lower()] = value
    if "catalog" in values:
        raise InvalidParameters("the catalog is no parameter here", what_now="Use --catalog.")
    return parameters_from(values).model_dump(include=set(values))
