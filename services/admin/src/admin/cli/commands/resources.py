"""`caspers resources` and `caspers verify`: what was made, and whether all is as it should be."""

from typing import Annotated

import typer

from admin.cli import show, show_state, suggestions
from admin.cli.home import Home
from admin.cli.options import (
    DEFAULT_HOME,
    NOT_AS_DESIRED,
    CatalogOption,
    HomeOption,
    JsonOption,
    exit_codes,
)
from admin.cli.session import connect

WRONG = {"drifted", "missing", "failed"}


def register(cli: typer.Typer) -> None:
    cli.command()(resources)
    cli.command()(verify)


def resources(
    *,
    stage: Annotated[
        str | None, typer.Option(help="Only this stage's.", autocompletion=suggestions.stages)
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Ask the platform for each of them.")] = False,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """Everything that was made, with its owner stage, its age and its address.

    With --check the exit code is 1 when one of them is missing, failed, or not as it was made.
    """
    with exit_codes():
        admin = connect(Home(home.absolute()), catalog).admin()
        found = admin.get("/resources", stage=stage, kind=kind, check=check)
    if json:
        show.plain(show.as_json(found))
    else:
        show_state.resources(found)
    raise typer.Exit(NOT_AS_DESIRED if any(each["health"] in WRONG for each in found) else 0)


def verify(
    *,
    gone: Annotated[bool, typer.Option("--gone", help="Look for anything that is left of the demo.")] = False,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """What should be there against what is, asked from the platform; exits with 1 when something is not."""
    with exit_codes():
        found = connect(Home(home.absolute()), catalog).admin().get("/verify", gone=gone)
    if json:
        show.plain(show.as_json(found))
    else:
        show_state.verification(found)
    raise typer.Exit(0 if found["ok"] else NOT_AS_DESIRED)
