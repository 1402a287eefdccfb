"""`caspers status`."""

from typing import Any

import typer

from admin.cli import show, workspace_process
from admin.cli.home import Home
from admin.cli.options import DEFAULT_HOME, NOT_AS_DESIRED, CatalogOption, HomeOption, JsonOption
from admin.cli.session import status_of
from admin.overview.verify import troubles

STOPPED: dict[str, Any] = {
    "workspace": {"state": "stopped", "url": None},
    "apps": {},
    "pipelines": {},
    "workers": {},
    "tables": {},
    "replay": {"virtual_time": None, "watermark": None, "events_written": None},
    "refunds": None,
    "complaints": None,
}
"""The status object when nothing runs."""


def register(cli: typer.Typer) -> None:
    cli.command()(status)


def status(
    *, home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None, json: JsonOption = False
) -> None:
    """Every part of the demo: its state and its figures."""
    ours = Home(home.absolute())
    current, details = STOPPED, {}
    if workspace_process.running(ours) is not None:
        current, details = status_of(ours, catalog, STOPPED)
    found = troubles(current)
    if json:
        show.plain(show.as_json(current))
    else:
        _show(current, details, found)
    raise typer.Exit(NOT_AS_DESIRED if found else 0)


def _show(current: dict[str, Any], details: dict[str, Any], found: list[str]) -> None:
    workspace = current["workspace"]
    show.plain(f"workspace {workspace['state']} {workspace['url'] or ''}")
    for table in show.status_tables(current, details):
        show.console.print("")
        show.console.print(table)
    show.plain("\n" + show.live_line(current) if current["workers"] else "")
    for trouble in found:
        show.console.print(f"✗ {trouble}", style="red", soft_wrap=True)
