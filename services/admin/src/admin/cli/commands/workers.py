"""`caspers workers …`: what each worker is told, what it does, and new orders for it."""

import json as json_format
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Annotated, Any
from urllib.parse import quote

import typer
from caspers.clock import Clock, SystemClock
from caspers.errors import Unavailable

from admin.cli import show, show_state
from admin.cli.app_client import AppClient
from admin.cli.home import Home
from admin.cli.options import (
    DEFAULT_HOME,
    CatalogOption,
    HomeOption,
    JsonOption,
    WaitOption,
    exit_codes,
)
from admin.cli.session import connect

commands = typer.Typer(help="Watch and steer the workers; alone, the list.", invoke_without_command=True)

PATIENCE_S = 60.0
"""A worker brings the step in hand to an end first."""

POLL_S = 0.2

NameArgument = Annotated[str, typer.Argument(help="A worker, as `caspers workers` names it.")]


def register(cli: typer.Typer) -> None:
    cli.add_typer(commands, name="workers")


@commands.callback()
def workers(
    context: typer.Context,
    *,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """Every worker: what it is told, what it does, when it was last heard of."""
    if context.invoked_subcommand is not None:
        return
    with exit_codes():
        found = _admin(home, catalog).get("/workers")
    if json:
        show.plain(show.as_json(found))
    else:
        show_state.workers(found)


@commands.command()
def pause(
    *,
    name: NameArgument,
    wait: WaitOption = True,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
) -> None:
    """Let a worker finish its step and stop; it stays stopped until it is resumed."""
    with exit_codes():
        _order(_admin(home, catalog), name, {"desired": "stopped"}, wait=wait)


@commands.command()
def resume(
    *,
    name: NameArgument,
    wait: WaitOption = True,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
) -> None:
    """Let a worker go on."""
    with exit_codes():
        _order(_admin(home, catalog), name, {"desired": "running"}, wait=wait)


@commands.command()
def tick(*, name: NameArgument, home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None) -> None:
    """Let a worker take its next step now instead of when it is due."""
    with exit_codes():
        _admin(home, catalog).post(f"/workers/{quote(name, safe='')}/tick")
    show.step(f"{name} was told to take a step", None)


@commands.command("set")
def set_parameters(
    *,
    name: NameArgument,
    values: Annotated[list[str], typer.Argument(help="NAME=VALUE; a value may be JSON.")],
    wait: WaitOption = True,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
) -> None:
    """Change some of a worker's parameters; the next run of its stage puts the demo's own back."""
    changes = dict(_named(text) for text in values)
    with exit_codes():
        _order(_admin(home, catalog), name, {"parameters": changes}, wait=wait)


def _order(admin: AppClient, name: str, orders: Mapping[str, Any], *, wait: bool) -> None:
    told = admin.patch(f"/workers/{quote(name, safe='')}", orders)
    if wait:
        told = _when_heard(admin, name, told["generation"], SystemClock())
    show.step(f"{name} is told to be {told['desired']}, and is {told['observed']}", None)


def _when_heard(admin: AppClient, name: str, generation: int, clock: Clock) -> Mapping[str, Any]:
    """The worker once it follows its orders. Raises `Unavailable` when it does not in time."""
    deadline, pause = clock.monotonic() + PATIENCE_S, Event()
    while True:
        worker = admin.get(f"/workers/{quote(name, safe='')}")
        stopped = worker["observed"] == "stopped"
        if worker["observed_generation"] >= generation and stopped == (worker["desired"] == "stopped"):
            return worker
        if clock.monotonic() > deadline:
            raise Unavailable(
                f"worker {name} should be {worker['desired']} and is {worker['observed']}",
                what_now="The order stands; `caspers workers` shows when it was last heard of.",
            )
        pause.wait(POLL_S)


def _named(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE")
    try:
        return name.strip(), json_format.loads(value)
    except ValueError:
        return name.strip(), value


def _admin(home: Path, catalog: str | None) -> AppClient:
    return connect(Home(home.absolute()), catalog).admin()
