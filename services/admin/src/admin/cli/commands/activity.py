"""`caspers activity`: who did what."""

from typing import Annotated

import typer

from admin.cli import show, show_state
from admin.cli.home import Home
from admin.cli.options import (
    DEFAULT_HOME,
    CatalogOption,
    HomeOption,
    JsonOption,
    LimitOption,
    exit_codes,
)
from admin.cli.session import connect


def register(cli: typer.Typer) -> None:
    cli.command()(activity)


def activity(
    *,
    who: Annotated[str | None, typer.Option(help="Only what this person did.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this: run.start, worker.pause, …")] = None,
    limit: LimitOption = 20,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """Who did what, newest first; what was refused as well."""
    with exit_codes():
        admin = connect(Home(home.absolute()), catalog).admin()
        found = list(admin.newest("/activity", limit, who=who, action=action))
    if json:
        show.plain(show.as_json(found))
    else:
        show_state.activity(found)
