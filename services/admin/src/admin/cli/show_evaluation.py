"""How evaluations look in a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from admin.cli import show

SHOWN_FAULTS = 20


def report(found: Mapping[str, Any]) -> None:
    """Accuracy by branch, what was taken for what, what went wrong, cost and time."""
    show.console.print(_by_branch(found))
    for confusion in found["confusion"]:
        show.console.print("")
        show.console.print(_confusion(confusion))
    wrong = [result for result in found["results"] if not result["right"]]
    show.plain("")
    for result in wrong[:SHOWN_FAULTS]:
        show.step(result["name"], None, "failed", message="; ".join(result["faults"]))
    if len(wrong) > SHOWN_FAULTS:
        show.plain(f"… and {len(wrong) - SHOWN_FAULTS} more; the report has all")
    show.plain(_summary(found))


def comparison(found: Mapping[str, Any]) -> None:
    """Two evaluations side by side, and the cases that changed."""
    sides = show.plain_table("branch", "before", "after")
    for branch, shares in found["by_branch"].items():
        sides.add_row(branch, *map(_percent, shares))
    sides.add_row("all", *map(_percent, found["accuracy"]), style="bold")
    for name, values in found["cost"].items():
        sides.add_row(name.replace("_", " "), *(f"{value:,.10g}" for value in values), style="dim")
    sides.add_row("seconds in all", *(f"{value:,.1f}" for value in found["took_s"]), style="dim")
    show.console.print(sides)
    show.plain("")
    if not found["same_set"]:
        only = len(found["only_one_has"])
        show.plain(f"the sets differ: {found['cases']} cases in both, {only} in one of them only")
    for name in found["worse"]:
        show.step(f"no longer right: {name}", None, "failed")
    for name in found["better"]:
        show.step(f"right now: {name}", None)
    if not found["worse"] and not found["better"]:
        show.plain("no case changed")


def _by_branch(found: Mapping[str, Any]) -> Table:
    branches = show.plain_table("branch", "cases", "right", "accuracy")
    for name, branch in found["by_branch"].items():
        style = "" if branch["right"] == branch["cases"] else "red"
        branches.add_row(
            name, str(branch["cases"]), str(branch["right"]), _percent(branch["accuracy"]), style=style
        )
    branches.add_row(
        "all", str(found["set"]["cases"]), str(found["right"]), _percent(found["accuracy"]), style="bold"
    )
    return branches


def _confusion(confusion: Mapping[str, Any]) -> Table:
    counts: Mapping[str, Mapping[str, int]] = confusion["counts"]
    found = sorted({label for row in counts.values() for label in row})
    rows = show.plain_table(f"{' and '.join(confusion['fields'])}: expected ↓ found →", *found)
    for expected, row in counts.items():
        rows.add_row(expected, *(str(row.get(label, "·")) for label in found))
    return rows


def _summary(found: Mapping[str, Any]) -> str:
    cost = found["cost"]
    models = ", ".join(found["models"]) or "no model"
    return (
        f"{found['right']} of {found['set']['cases']} right with {models} ({', '.join(found['agent_versions'])}); "
        f"{cost['turns']:,} turns, {cost['prompt_tokens']:,} + {cost['completion_tokens']:,} tokens; "
        f"{found['took_s']:.1f} s in all, {cost['median_ms']:,.0f} ms in the middle, {cost['slowest_ms']:,.0f} ms at most"
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
