"""`caspers roles …`: who may do what."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

import typer

from admin.cli import show, show_state
from admin.cli.home import Home
from admin.cli.options import DEFAULT_HOME, CatalogOption, HomeOption, JsonOption, exit_codes
from admin.cli.session import connect

commands = typer.Typer(help="Who may do what; alone, the list.", invoke_without_command=True)

WhoArgument = Annotated[str, typer.Argument(help="A user's name, or a service principal's application id.")]


class Role(StrEnum):
    """What somebody may do: read; also run, stop and steer; also tear down and give roles."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    OWNER = "owner"


def register(cli: typer.Typer) -> None:
    cli.add_typer(commands, name="roles")


@commands.callback()
def roles(
    context: typer.Context,
    *,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """Who may do what; whoever is not named is a viewer."""
    if context.invoked_subcommand is not None:
        return
    with exit_codes():
        admin = connect(Home(home.absolute()), catalog).admin()
        found, me = admin.get("/roles"), admin.get("/me")
    if json:
        show.plain(show.as_json(found))
    else:
        show_state.roles(found, me)


@commands.command()
def grant(
    *,
    who: WhoArgument,
    role: Annotated[Role, typer.Argument(help="viewer, operator or owner.")],
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
) -> None:
    """Give somebody a role instead of the one they had."""
    with exit_codes():
        connect(Home(home.absolute()), catalog).admin().put(
            f"/roles/{quote(who, safe='')}", {"role": role.value}
        )
        show.step(f"{who} is {role.value}", None)


@commands.command()
def revoke(*, who: WhoArgument, home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None) -> None:
    """Take somebody's role away; a viewer they stay."""
    with exit_codes():
        connect(Home(home.absolute()), catalog).admin().delete(f"/roles/{quote(who, safe='')}")
        show.step(f"{who} has no role of their own any more", None)
