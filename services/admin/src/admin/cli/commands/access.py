"""`caspers token`: a token for scripts, the platform's own."""

import typer

from admin.cli import show
from admin.cli.app_client import ADMIN_API
from admin.cli.home import Home
from admin.cli.options import DEFAULT_HOME, CatalogOption, HomeOption, JsonOption, exit_codes
from admin.cli.session import connect


def register(cli: typer.Typer) -> None:
    cli.command()(token)


def token(
    *, home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None, json: JsonOption = False
) -> None:
    """A token for scripts, to send as `Authorization: Bearer …`; with --json the addresses as well."""
    with exit_codes():
        current = connect(Home(home.absolute()), catalog)
        if not json:
            show.plain(current.connection.token)
            return
        url = current.address_of(current.names.admin_app)
        show.plain(
            show.as_json(
                {
                    "token": current.connection.token,
                    "workspace": current.connection.url,
                    "api": f"{url}{ADMIN_API}",
                }
            )
        )
