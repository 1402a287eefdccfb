"""`caspers sql`."""

from typing import Annotated

import typer
from caspers.clients.warehouse import Warehouse
from caspers.errors import NotFound

from admin.cli import show
from admin.cli.home import Home
from admin.cli.options import DEFAULT_HOME, HomeOption, JsonOption, exit_codes
from admin.cli.session import Session, connect
from admin.resources.warehouse import choose


def register(cli: typer.Typer) -> None:
    cli.command()(sql)


def sql(
    *,
    statement: Annotated[str, typer.Argument(help="One SQL statement.")],
    home: HomeOption = DEFAULT_HOME,
    json: JsonOption = False,
) -> None:
    """Run any SQL through the warehouse; the result as a table or as JSON rows."""
    with exit_codes():
        result = _warehouse(connect(Home(home.absolute()), None)).query_text(statement)
    rows = result.to_pylist()
    if json:
        show.plain(show.as_json(rows))
    else:
        show.console.print(show.rows_as_table(result.column_names, rows))
        show.console.print("1 row" if len(rows) == 1 else f"{len(rows)} rows", style="dim")


def _warehouse(current: Session) -> Warehouse:
    chosen = choose(current.workspace.warehouses.list(), "caspers")
    if chosen is None or not chosen.id:
        raise NotFound("the workspace has no SQL warehouse", what_now="`caspers up` makes one.")
    return Warehouse(current.workspace, chosen.id)
