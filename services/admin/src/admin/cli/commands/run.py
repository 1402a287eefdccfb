"""`caspers plan`, `run`, `repair` and `cancel`: bring a target or some stages about."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from caspers.errors import NotFound

from admin.cli import show, show_runs, suggestions
from admin.cli.app_client import AppClient
from admin.cli.following import see_through, until_over
from admin.cli.home import Home
from admin.cli.options import (
    DEFAULT_HOME,
    CatalogOption,
    HomeOption,
    JsonOption,
    ParametersOption,
    PlanOption,
    WaitOption,
    exit_codes,
    named_values,
)
from admin.cli.session import Session, connect
from admin.cli.suggestions import stage_names
from admin.stages.targets import TARGETS

WhatArgument = Annotated[
    list[str], typer.Argument(help="A target, or stages.", autocompletion=suggestions.targets_and_stages)
]
RunArgument = Annotated[str | None, typer.Argument(help="The id of a run.", autocompletion=suggestions.runs)]
AfreshOption = Annotated[
    bool, typer.Option("--afresh", help="Start from the defaults, not from the last successful run.")
]
REPAIRABLE = ("failed", "cancelled", "interrupted")
LOOKED_AT = 50
"""How many runs back the one to repair or to cancel is looked for."""


def register(cli: typer.Typer) -> None:
    cli.command()(plan)
    cli.command()(run)
    cli.command()(repair)
    cli.command()(cancel)


def plan(
    *,
    what: WhatArgument,
    parameter: ParametersOption = None,
    afresh: AfreshOption = False,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """What a run would create, change and keep, and what people would notice of it."""
    with exit_codes():
        body = _body(what, parameter, afresh=afresh)
        current = connect(Home(home.absolute()), catalog)
        _show_plan(current.admin(), _as_before(body, current, Home(home.absolute())), as_json=json)


def run(  # noqa: PLR0913  the options of the command are its parameters
    *,
    what: WhatArgument,
    parameter: ParametersOption = None,
    afresh: AfreshOption = False,
    only_plan: PlanOption = False,
    wait: WaitOption = True,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """Run a target or some stages with all they need; what is as wanted stays untouched.

    Parameters that are not given are those of the last successful run.
    """
    with exit_codes():
        body = _body(what, parameter, afresh=afresh)
        current = connect(Home(home.absolute()), catalog)
        admin, body = current.admin(), _as_before(body, current, Home(home.absolute()))
        if only_plan:
            _show_plan(admin, body, as_json=json)
        else:
            see_through(admin, admin.post("/runs", body), wait=wait, as_json=json)


def repair(
    *,
    run_id: RunArgument = None,
    parameter: ParametersOption = None,
    wait: WaitOption = True,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """Do again what failed in a run and what depends on it; without an id, in the newest run that did not succeed."""
    with exit_codes():
        parameters = named_values(parameter)
        admin = _admin(home, catalog)
        chosen = run_id or _to_repair(admin)
        see_through(
            admin, admin.post(f"/runs/{chosen}/repair", {"parameters": parameters}), wait=wait, as_json=json
        )


def cancel(
    *,
    run_id: RunArgument = None,
    wait: WaitOption = True,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """Stop a run, or the one that goes on: what is under way ends, and nothing more begins."""
    with exit_codes():
        admin = _admin(home, catalog)
        chosen = run_id or _under_way(admin)
        if chosen is None:
            show.plain("null" if json else "no run goes on")
            return
        cancelled = admin.post(f"/runs/{chosen}/cancel")
        outcome: Mapping[str, Any] = until_over(admin, chosen) if wait else cancelled
    show.plain(show.as_json(outcome) if json else f"{outcome['action']} {outcome['state']}")


def wish(what: list[str]) -> dict[str, Any]:
    """The part of a request that says what is meant: a target, or stages; nothing for everything.

    Raises:
        typer.BadParameter: there is no such target or stage.
    """
    if len(what) == 1 and what[0] in TARGETS:
        return {"target": what[0]}
    known = stage_names()
    if unknown := [name for name in what if name not in known]:
        raise typer.BadParameter(
            f"there is no target or stage {unknown[0]!r}; targets: {', '.join(TARGETS)}; stages: {', '.join(known)}"
        )
    return {"stages": what} if what else {}


def _body(what: list[str], parameter: list[str] | None, *, afresh: bool) -> dict[str, Any]:
    return {
        **wish(what),
        "action": "provision",
        "parameters": named_values(parameter),
        "on_top_of": "defaults" if afresh else "last_run",
    }


def _as_before(body: dict[str, Any], current: Session, home: Home) -> dict[str, Any]:
    """With the parameters of the last `caspers up` where the admin knows no run: a teardown took them along."""
    demo = home.demos().get(current.names.catalog)
    known = current.admin().newest("/runs", 1, action="provision", state="succeeded")
    if demo is None or body["on_top_of"] == "defaults" or next(known, None) is not None:
        return body
    return body | {"parameters": demo.values | body["parameters"]}


def _show_plan(admin: AppClient, body: Mapping[str, Any], *, as_json: bool) -> None:
    found = admin.post("/plans", body)
    if as_json:
        show.plain(show.as_json(found))
    else:
        show_runs.plan(found)


def _admin(home: Path, catalog: str | None) -> AppClient:
    return connect(Home(home.absolute()), catalog).admin()


def _to_repair(admin: AppClient) -> str:
    for each in admin.newest("/runs", LOOKED_AT):
        if each["state"] in REPAIRABLE:
            return each["run_id"]
    raise NotFound("there is no run to repair", what_now="`caspers runs` lists them.")


def _under_way(admin: AppClient) -> str | None:
    found = (each["run_id"] for each in admin.newest("/runs", LOOKED_AT) if each["state"] in show.UNDER_WAY)
    return next(found, None)
