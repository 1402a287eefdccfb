"""`caspers runs`: the history of runs, one of them with its log, or two compared."""

from collections.abc import Iterator
from threading import Event
from typing import Annotated, Any

import typer

from admin.cli import show, show_runs, suggestions
from admin.cli.app_client import LONGEST_PAGE, AppClient
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

POLL_S = 0.3

ActionOption = Annotated[str | None, typer.Option(help="Only these: provision, stop or teardown.")]
StateOption = Annotated[str | None, typer.Option(help="Only those in this state: failed, cancelled, …")]
ByOption = Annotated[str | None, typer.Option(help="Only this person's.")]


def register(cli: typer.Typer) -> None:
    cli.command()(runs)


def runs(  # noqa: PLR0913  the options of the command are its parameters
    *,
    which: Annotated[
        list[str] | None,
        typer.Argument(
            help="The id of a run; with --log a stage may follow; with --compare two ids.",
            metavar="[RUN] [STAGE|RUN]",
            autocompletion=suggestions.runs,
        ),
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="What it said, line by line.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with the log until the run is over.")
    ] = False,
    compare: Annotated[bool, typer.Option("--compare", help="In what two runs differ.")] = False,
    action: ActionOption = None,
    state: StateOption = None,
    by: ByOption = None,
    limit: LimitOption = 20,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """The runs, newest first; one run with its steps or its log; or two runs compared."""
    ids = which or []
    _check(ids, log=log, follow=follow, compare=compare)
    with exit_codes():
        admin = connect(Home(home.absolute()), catalog).admin()
        if compare:
            found = admin.get("/runs/compare", one=ids[0], other=ids[1])
            _say(found, show_runs.comparison, as_json=json)
        elif log:
            _log(admin, ids[0], ids[1] if len(ids) > 1 else None, follow=follow, as_json=json)
        elif ids:
            _say(admin.get(f"/runs/{ids[0]}"), show_runs.detail, as_json=json)
        else:
            found = list(admin.newest("/runs", limit, action=action, state=state, by=by))
            _say(found, show_runs.listing, as_json=json)


def _check(ids: list[str], *, log: bool, follow: bool, compare: bool) -> None:
    if compare and (len(ids) != 2 or log):
        raise typer.BadParameter("--compare takes the ids of two runs")
    if log and not 1 <= len(ids) <= 2:
        raise typer.BadParameter("--log takes the id of a run, and perhaps a stage")
    if follow and not log:
        raise typer.BadParameter("--follow goes with --log")
    if not (log or compare) and len(ids) > 1:
        raise typer.BadParameter("one run at a time, or two with --compare")


def _log(admin: AppClient, run_id: str, stage: str | None, *, follow: bool, as_json: bool) -> None:
    for line in _lines(admin, run_id, stage, follow=follow):
        if as_json:
            show.plain(show.as_json(line))
        else:
            show_runs.log_line(line)


def _lines(admin: AppClient, run_id: str, stage: str | None, *, follow: bool) -> Iterator[dict[str, Any]]:
    """The lines that are there, oldest first, then those that come."""
    after, pause = 0, Event()
    while True:
        # Asked before the lines are read: what is over by then has said all.
        over = not follow or admin.get(f"/runs/{run_id}")["state"] not in show.UNDER_WAY
        page = admin.get(f"/runs/{run_id}/log", stage=stage, after=after, limit=LONGEST_PAGE)
        yield from page["entries"]
        after = page["next"]
        if page["more"]:
            continue
        if over:
            return
        pause.wait(POLL_S)


def _say(found: Any, for_people: Any, *, as_json: bool) -> None:
    if as_json:
        show.plain(show.as_json(found))
    else:
        for_people(found)
