"""`caspers stop` and `caspers teardown`: make parts of the demo pause, or go."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from admin.cli import show, show_runs, suggestions
from admin.cli.commands.run import wish
from admin.cli.following import see_through
from admin.cli.home import Home
from admin.cli.options import (
    DEFAULT_HOME,
    NOT_AS_DESIRED,
    CatalogOption,
    HomeOption,
    JsonOption,
    PlanOption,
    WaitOption,
    exit_codes,
)
from admin.cli.session import connect

WhatArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="A target, or stages; nothing for everything.", autocompletion=suggestions.targets_and_stages
    ),
]


def register(cli: typer.Typer) -> None:
    cli.command()(stop)
    cli.command()(teardown)


def stop(
    *,
    what: WhatArgument = None,
    only_plan: PlanOption = False,
    wait: WaitOption = True,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """Stop workers, pipelines and apps without deleting anything; `caspers run` lets them go on."""
    with exit_codes():
        body = {**wish(what or []), "action": "stop"}
        admin = connect(Home(home.absolute()), catalog).admin()
        if only_plan:
            _show(admin.post("/plans", body), as_json=json)
        else:
            see_through(admin, admin.post("/runs", body), wait=wait, as_json=json)


def teardown(
    *,
    what: WhatArgument = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
    only_plan: PlanOption = False,
    wait: WaitOption = True,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """Remove what the demo made, dependents first; the workspace and the admin app stay.

    Shows what would be deleted and asks for a word before anything goes. Safe to repeat and to interrupt.
    """
    with exit_codes():
        body = {**wish(what or []), "action": "teardown"}
        admin = connect(Home(home.absolute()), catalog).admin()
        plan = admin.post("/plans", body)
        if only_plan:
            _show(plan, as_json=json)
            return
        agreed = {"confirm": plan["confirm"]} if yes else _agreement(plan)
        see_through(admin, admin.post("/runs", body | agreed), wait=wait, as_json=json)


def _agreement(plan: Mapping[str, Any]) -> dict[str, str]:
    """What somebody confirms by typing the word: this plan and no other. Exits with 1 for any other word."""
    show_runs.plan(plan, show.errors)
    try:
        typed = typer.prompt(f"Type {plan['confirm']} to delete this", err=True)
    except typer.Abort:
        typed = ""
    if typed != plan["confirm"]:
        show.errors.print("\nnothing was deleted; scripts confirm with --yes")
        raise typer.Exit(NOT_AS_DESIRED)
    return {"confirm": typed, "digest": plan["digest"]}


def _show(plan: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        show.plain(show.as_json(plan))
    else:
        show_runs.plan(plan)
