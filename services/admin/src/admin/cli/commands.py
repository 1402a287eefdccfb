"""The commands of `caspers`. Each parses, calls and prints; the work is done elsewhere.

Exit codes: 0 fine, 1 something is not as desired, 2 wrong usage.
"""

from typing import Annotated, Any

import typer
from caspers.clients.warehouse import Warehouse
from caspers.clock import SystemClock
from caspers.errors import CaspersError, NotFound
from caspers.settings import parameters_from

from admin import stages
from admin.cli import checks, show, workspace_process
from admin.cli.home import Home
from admin.cli.options import DEFAULT_HOME, NOT_AS_DESIRED, CatalogOption, HomeOption, JsonOption, exit_codes
from admin.cli.replay import replay
from admin.cli.session import Session, connect
from admin.cli.up import Wish, up
from admin.resources.warehouse import choose
from admin.verify import troubles

STOPPED: dict[str, Any] = {
    "workspace": {"state": "stopped", "url": None},
    "apps": {},
    "pipelines": {},
    "workers": {},
    "tables": {},
    "replay": {"virtual_time": None, "watermark": None, "events_written": None},
}
"""The status object when nothing runs."""

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

cli = typer.Typer(
    help="Casper's Kitchens: a whole data platform at work, on your laptop.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.add_typer(replay, name="replay")


@cli.command("up")
def up_command(  # noqa: PLR0913 - the options of the command are its parameters
    *,
    target: Annotated[str | None, typer.Option(help="What to bring up: " + ", ".join(stages.TARGETS))] = None,
    catalog: CatalogOption = None,
    days: Annotated[int | None, typer.Option(help="Days in the dataset; fewer for a quick look.")] = None,
    speed: Annotated[float | None, typer.Option(help="Virtual seconds per real second.")] = None,
    start_day: Annotated[int | None, typer.Option(help="The day of the dataset to start live at.")] = None,
    schedule_minutes: Annotated[float | None, typer.Option(help="Minutes between replay ticks.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running in the background.")] = False,
    port: Annotated[int | None, typer.Option(help="Port of the local workspace.", min=0, max=65_535)] = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Start the local workspace, provision the demo, replay, and keep running live."""
    given = {
        "days": days,
        "speed_multiplier": speed,
        "start_day": start_day,
        "schedule_minutes": schedule_minutes,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    _refuse_unknown_target(target)
    with exit_codes():
        parameters_from(chosen | ({"catalog": catalog} if catalog else {}))
        up(Home(home.absolute()), Wish(catalog, target, chosen, port, detach), SystemClock())


@cli.command()
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


@cli.command()
def status(
    *, home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None, json: JsonOption = False
) -> None:
    """Every part of the demo: its state and its figures."""
    current = _status(Home(home.absolute()), catalog)
    found = troubles(current)
    if json:
        show.plain(show.as_json(current))
    else:
        _show_status(current, found)
    raise typer.Exit(NOT_AS_DESIRED if found else 0)


def _show_status(current: dict[str, Any], found: list[str]) -> None:
    workspace = current["workspace"]
    show.console.print(f"workspace {workspace['state']} {workspace['url'] or ''}")
    for table in show.status_tables(current):
        show.console.print("")
        show.console.print(table)
    show.console.print("")
    show.console.print(show.live_line(current))
    for trouble in found:
        show.console.print(f"✗ {trouble}", style="red")


def _status(home: Home, catalog: str | None) -> dict[str, Any]:
    """From the admin app; without it, what can be said from outside."""
    connection = workspace_process.running(home)
    if connection is None:
        return STOPPED
    with exit_codes():
        current = connect(home, catalog)
    outside = STOPPED | {"workspace": {"state": "running", "url": connection.url}}
    try:
        return current.admin().get("/status")
    except NotFound:
        return outside
    except CaspersError as error:
        return outside | {
            "apps": {current.names.admin_app: {"state": f"UNAVAILABLE: {error.message}", "url": None}}
        }


@cli.command()
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
        show.console.print(f"{len(rows)} rows", style="dim")


def _warehouse(current: Session) -> Warehouse:
    chosen = choose(current.workspace.warehouses.list(), "caspers")
    if chosen is None or not chosen.id:
        raise NotFound("the workspace has no SQL warehouse", what_now="`caspers up` makes one.")
    return Warehouse(current.workspace, chosen.id)


@cli.command()
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


@cli.command()
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


def _refuse_unknown_target(target: str | None) -> None:
    if target is not None and target not in stages.TARGETS:
        raise typer.BadParameter(f"there is no target {target!r}; there are: {', '.join(stages.TARGETS)}")


@cli.command(context_settings=PASSED_ON)
def test(context: typer.Context) -> None:
    """Run the test suite; arguments go to pytest."""
    raise typer.Exit(checks.test(context.args))


@cli.command()
def bench(names: Annotated[list[str] | None, typer.Argument(help="Benchmarks; none = all.")] = None) -> None:
    """Run benchmarks."""
    raise typer.Exit(checks.bench(names or []))


@cli.command()
def check() -> None:
    """Format, lint, types, imports and house rules: the definition of done."""
    raise typer.Exit(checks.check())
