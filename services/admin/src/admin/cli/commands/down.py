"""`caspers down`."""

from typing import Annotated

import typer
from caspers.errors import NotFound

from admin.cli import show, workspace_process
from admin.cli.home import Home
from admin.cli.options import DEFAULT_HOME, HomeOption, exit_codes


def register(cli: typer.Typer) -> None:
    cli.command()(down)


def down(
    *,
    purge: Annotated[bool, typer.Option("--purge", help="Also delete the local workspace's data.")] = False,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Stop everything cleanly."""
    ours = Home(home.absolute())
    with exit_codes():
        connection = workspace_process.running(ours)
        if connection is None:
            show.console.print(f"nothing runs on {ours.path}")
        else:
            with show.console.status("stopping"):
                outcome = workspace_process.stop(connection)
            show.step(f"local workspace {outcome}", None)
        if purge:
            _purge(ours)


def _purge(home: Home) -> None:
    try:
        home.purge()
    except NotFound:
        show.console.print("no data to delete")
    else:
        show.step(f"deleted {home.path}", None)
