"""Runs from the command line's side: ask for one, watch it to its end, and say how it ended."""

from collections.abc import Mapping
from typing import Any

import typer

from admin.cli import show
from admin.cli.app_client import AppClient
from admin.cli.options import NOT_AS_DESIRED

LONGEST_WAIT_S = 55
"""How long the admin holds a request that waits for a run's end."""


def see_through(admin: AppClient, started: Mapping[str, Any], *, wait: bool, as_json: bool) -> None:
    """Follow a run that has begun, or only name it. Exits with 1 if it does not succeed."""
    if not wait:
        show.plain(show.as_json(started) if as_json else started["run_id"])
        return
    try:
        outcome = (until_over if as_json else follow_run)(admin, started["run_id"])
    except KeyboardInterrupt:
        show.errors.print(
            f"\nthe run goes on: `caspers runs {started['run_id']}` shows it, `caspers cancel` ends it"
        )
        raise typer.Exit(NOT_AS_DESIRED) from None
    if as_json:
        show.plain(show.as_json(outcome))
    else:
        say_outcome(outcome)
    raise typer.Exit(0 if outcome["state"] == "succeeded" else NOT_AS_DESIRED)


def say_outcome(outcome: Mapping[str, Any]) -> None:
    """How a run ended; after a failure why, and what to do."""
    if outcome["state"] == "succeeded":
        show.step(f"{outcome['action']} succeeded", outcome["took_s"], detail=show.counts(outcome["counts"]))
        return
    why = f": {outcome['error']}" if outcome["error"] else ""
    show.errors.print(f"{outcome['action']} {outcome['state']}{why}", style="red", markup=False)
    show.errors.print(
        outcome["what_now"] or f"`caspers repair {outcome['run_id']}` does the rest.", markup=False
    )


def until_over(admin: AppClient, run_id: str) -> Mapping[str, Any]:
    """The run when nothing of it goes on any more."""
    while True:
        run = admin.get(f"/runs/{run_id}", wait=LONGEST_WAIT_S)
        if run["state"] not in show.UNDER_WAY:
            return run


def follow_run(admin: AppClient, run_id: str) -> Mapping[str, Any]:
    """The run at its end; until then its steps are shown as they finish."""
    return show.follow(lambda: admin.get(f"/runs/{run_id}"))
