"""`caspers stages` and `caspers parameters`: what can be run, and with what."""

from typing import Annotated

import typer

from admin.cli import show, show_state, suggestions
from admin.cli.home import Home
from admin.cli.options import DEFAULT_HOME, CatalogOption, HomeOption, JsonOption, exit_codes
from admin.cli.session import connect


def register(cli: typer.Typer) -> None:
    cli.command()(stages)
    cli.command()(parameters)


def stages(
    *,
    name: Annotated[str | None, typer.Argument(help="One stage.", autocompletion=suggestions.stages)] = None,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """Every stage: whether it is there and well, and how its last run ended."""
    with exit_codes():
        admin = connect(Home(home.absolute()), catalog).admin()
        found = admin.get(f"/stages/{name}" if name else "/stages")
    if json:
        show.plain(show.as_json(found))
    else:
        show_state.stages([found] if name else found)


def parameters(
    *, home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None, json: JsonOption = False
) -> None:
    """Every parameter: its meaning, its default, its value in the last run, and what a change touches."""
    with exit_codes():
        found = connect(Home(home.absolute()), catalog).admin().get("/parameters")
    if json:
        show.plain(show.as_json(found))
    else:
        show_state.parameters(found)
