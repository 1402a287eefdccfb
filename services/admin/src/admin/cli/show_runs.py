"""How plans, runs and their logs look in a terminal."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console

from admin.cli import show

QUIET = {"keep", "leave"}
"""What a plan says of resources to which nothing happens; they are counted, not listed."""

STYLES = {"delete": "red", "replace": "yellow", "update": "yellow", "stop": "yellow", "create": "green"}


def plan(found: Mapping[str, Any], console: Console = show.console) -> None:
    """What would be done to each resource, why, and what people would notice."""
    if found["along"]:
        why = "what is needed" if found["action"] == "provision" else "what needs it"
        console.print(f"{', '.join(found['asked'])}, and {why}: {', '.join(found['along'])}")
    rows = show.plain_table("does", "stage", "resource", "because", "people notice")
    for each in found["actions"]:
        if each["verb"] not in QUIET:
            told = (each["stage"], f"{each['kind']} {each['name']}", each["reason"], each["consequence"])
            rows.add_row(each["verb"], *told, style=STYLES.get(each["verb"], ""))
    if rows.row_count:
        console.print(rows)
    verbs = Counter(each["verb"] for each in found["actions"])
    console.print(", ".join(f"{verb} {count}" for verb, count in verbs.items()) or "nothing to do")


def listing(runs: Iterable[Mapping[str, Any]]) -> None:
    """Runs, newest first."""
    rows = show.plain_table("run", "began", "what", "state", "took", "by", "did")
    for each in runs:
        rows.add_row(
            each["run_id"],
            show.minute(each["started"]),
            _what(each),
            each["state"],
            _seconds(each["took_s"]),
            each["by"],
            each["error"] or show.counts(each["counts"]),
            style="red" if each["state"] == "failed" else "",
        )
    show.console.print(rows if rows.row_count else "no runs yet")


def detail(run: Mapping[str, Any]) -> None:
    """One run: its parameters, its steps, and what decided how long it took."""
    again = f", attempt {run['attempt']} (repairs {run['repairs']})" if run["repairs"] else ""
    show.plain(f"{run['run_id']}  {_what(run)} {run['state']}{again}")
    show.plain(f"began {show.minute(run['started'])} by {run['by']}, took {_seconds(run['took_s'])}")
    show.plain(" ".join(f"{name}={value}" for name, value in run["parameters"].items()))
    critical = set(run["critical_path"])
    rows = show.plain_table("", "stage", "resource", "state", "took", "said")
    for each in run["steps"]:
        said = each["message"] if each["state"] == "failed" or not each["verb"] else each["verb"]
        style = show.COLOURS.get(each["state"], "dim") if each["state"] != "done" else ""
        mark = "*" if each["key"] in critical else ""
        rows.add_row(
            mark, each["stage"], each["key"], each["state"], _seconds(each["took_s"]), said, style=style
        )
    show.console.print(rows)
    if critical:
        show.console.print("* these decided how long it took", style="dim")
    if run["error"]:
        show.console.print(f"✗ {run['error']}", style="red", markup=False, soft_wrap=True)
        show.console.print(run["what_now"], markup=False, soft_wrap=True)


def comparison(found: Mapping[str, Any]) -> None:
    """Two runs: the parameters, stages and steps in which they differ."""
    listing((found["one"], found["other"]))
    rows = show.plain_table("what differs", "one", "other")
    for part in ("parameters", "stages", "steps"):
        for each in found[part]:
            rows.add_row(each["what"], _plain(each["one"]), _plain(each["other"]))
    show.console.print(rows if rows.row_count else "no difference")


def log_line(line: Mapping[str, Any]) -> None:
    """A line of a run's log."""
    style = {"error": "red", "warning": "yellow"}.get(line["level"], "")
    about = line["key"] or line["stage"]
    show.console.print(
        f"{show.clock_time(line['at'])}  {about}: {line['text']}", style=style, markup=False, soft_wrap=True
    )


def _what(run: Mapping[str, Any]) -> str:
    return f"{run['action']} {run['target'] or ', '.join(run['stages']) or 'everything'}"


def _seconds(took_s: float | None) -> str:
    return "" if took_s is None else f"{took_s:.1f} s"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return show.figures(value)
    return "–" if value is None else str(value)
