"""`caspers run` and `caspers teardown`: runs of the admin, followed to their end."""

from typing import Annotated, Any

import typer

from admin import stages
from admin.cli import show
from admin.cli.home import Home
from admin.cli.options import DEFAULT_HOME, NOT_AS_DESIRED, CatalogOption, HomeOption, exit_codes
from admin.cli.session import Session, connect


def register(cli: typer.Typer) -> None:
    cli.command()(run)
    cli.command()(teardown)


def run(
    what: Annotated[list[str], typer.Argument(help="A target, or stages.")],
    parameter: Annotated[list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE")] = None,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
) -> None:
    """Run a target or some stages; what is as wanted stays untouched."""
    parameters = dict(_named_value(text) for text in parameter or [])
    wish = {"target": what[0]} if what[0] in stages.TARGETS else {"stages": what}
    with exit_codes():
        _follow(connect(Home(home.absolute()), catalog), "/runs", {**wish, "parameters": parameters})


def teardown(home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None) -> None:
    """Remove everything that the demo made; the workspace and the admin app stay."""
    with exit_codes():
        _follow(connect(Home(home.absolute()), catalog), "/teardown", {})


def _follow(current: Session, path: str, body: dict[str, Any]) -> None:
    admin = current.admin()
    started = admin.post(path, body)
    outcome = show.follow(lambda: admin.get(f"/runs/{started['run_id']}"))
    if outcome["state"] != "succeeded":
        show.errors.print(f"{outcome['state']}: {outcome['error']}", style="red", markup=False)
        raise typer.Exit(NOT_AS_DESIRED)
    show.step(f"{outcome['action']} {outcome['state']}", outcome["took_s"])


def _named_value(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE")
    return name, value
