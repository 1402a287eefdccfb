"""`caspers run` and `caspers teardown`: runs of the admin, followed to their end."""

from typing import Annotated, Any

import typer

from admin.cli import show
from admin.cli.home import Home
from admin.cli.options import (
    DEFAULT_HOME,
    NOT_AS_DESIRED,
    CatalogOption,
    HomeOption,
    ParametersOption,
    exit_codes,
    named_values,
)
from admin.cli.session import Session, connect
from admin.stages.targets import TARGETS


def register(cli: typer.Typer) -> None:
    cli.command()(run)
    cli.command()(teardown)


def run(
    *,
    what: Annotated[list[str], typer.Argument(help="A target, or stages.")],
    parameter: ParametersOption = None,
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Start from the defaults, not from the last successful run.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
) -> None:
    """Run a target or some stages; what is as wanted stays untouched.

    Parameters that are not given are those of the last successful run.
    """
    wish = {"target": what[0]} if what[0] in TARGETS else {"stages": what}
    with exit_codes():
        body = {
            **wish,
            "parameters": named_values(parameter),
            "on_top_of": "defaults" if afresh else "last_run",
        }
        _follow(connect(Home(home.absolute()), catalog), "/runs", body)


def teardown(home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None) -> None:
    """Remove everything that the demo made; the workspace and the admin app stay."""
    with exit_codes():
        _follow(connect(Home(home.absolute()), catalog), "/teardown", {})


def _follow(current: Session, path: str, body: dict[str, Any]) -> None:
    admin = current.admin()
    started = admin.post(path, body)
    if before := started["parameters_of"]:
        show.console.print(
            f"with the parameters of the run of {show.minute(before['started'])} ({before['run_id']})"
        )
    outcome = show.follow(lambda: admin.get(f"/runs/{started['run_id']}"))
    if outcome["state"] != "succeeded":
        show.errors.print(f"{outcome['state']}: {outcome['error']}", style="red", markup=False)
        raise typer.Exit(NOT_AS_DESIRED)
    show.step(f"{outcome['action']} {outcome['state']}", outcome["took_s"])
