"""How things look in a terminal."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from threading import Event
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

POLL_S = 0.1
MARKS = {"done": "✓", "unchanged": "·", "failed": "✗", "skipped": "-", "cancelled": "-"}
UNDER_WAY = {"running", "cancelling"}
"""The states of a run of which something still goes on."""

SHOWN = {"done", "failed", "cancelled"}
"""What is worth a line: not the many steps that found everything as it should be."""
COLOURS = {"done": "green", "failed": "red", "skipped": "yellow", "cancelled": "yellow"}

WIDE = 240
"""Columns where the output goes to a file or a program: nothing is cut off."""

LINES = (("refunds", "refund line", "recommendations"), ("complaints", "complaint line", "responses"))
"""The lines in the status object: their names there, their titles, and what their agents' answers are called."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
errors = Console(stderr=True, highlight=False)


def plain(text: str) -> None:
    """Text as it is, for programs and for copying: no wrapping, no colours."""
    console.print(text, markup=False, soft_wrap=True)


def step(
    title: str, took_s: float | None, state: str = "done", *, detail: str = "", message: str = ""
) -> None:
    """One finished step on a line of its own."""
    line = Text(f"{MARKS.get(state, ' ')} {title}", style=COLOURS.get(state, "dim"))
    if detail:
        line.append(f"  {detail}", style="dim")
    if took_s is not None:
        line.append(f"  {took_s:.1f} s", style="dim")
    if message and state == "failed":
        line.append(f"\n    {message}", style="red")
    console.print(line, soft_wrap=True)


def follow(read: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Show a run step by step until it is over, and return it."""
    shown: set[str] = set()
    pause = Event()
    with console.status("starting") as spinner:
        while True:
            run = read()
            new = [each for each in run["steps"] if each["state"] in SHOWN and each["key"] not in shown]
            shown.update(each["key"] for each in new)
            for each in new:
                step(each["key"], each["took_s"], each["state"], detail=each["name"], message=each["message"])
            if run["state"] not in UNDER_WAY:
                break
            spinner.update(_under_way(run["steps"]))
            pause.wait(POLL_S)
    if skipped := sum(each["state"] == "skipped" for each in run["steps"]):
        step(f"{skipped} further steps depend on these and were skipped", None, "skipped")
    return run


def _under_way(steps: Sequence[Mapping[str, Any]]) -> str:
    running = [each for each in steps if each["state"] == "running"]
    return "; ".join(f"{each['key']}: {each['message'] or 'looking'}" for each in running[:2]) or "waiting"


def rows_as_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Table:
    """Query results for people."""
    table = plain_table(*columns)
    for row in rows:
        table.add_row(
            *(Text("NULL", style="dim") if row[name] is None else str(row[name]) for name in columns)
        )
    return table


def status_tables(status: Mapping[str, Any], details: Mapping[str, Any]) -> list[Table]:
    """The status object for people; `details` are the workers' own reports, which say more."""
    parts = plain_table("app or pipeline", "state", "where")
    for name, app in status["apps"].items():
        parts.add_row(name, app["state"], app["url"] or "")
    for name, pipeline in status["pipelines"].items():
        last = pipeline["last_update"]
        since = (
            f"last update {last['state']}, begun {clock_time(last['creation_time'])}"
            if last
            else "no update yet"
        )
        parts.add_row(name, pipeline["state"], since)
    workers = plain_table("worker", "told", "is", "since", "heard", "figures")
    for name, worker in status["workers"].items():
        age, detail = worker["heartbeat_age_s"], details.get(name, {})
        heard = "never" if age is None else f"{age:.0f} s ago"
        said = detail.get("last_error") or figures(worker["progress"])
        since = clock_time(detail.get("since"))
        workers.add_row(name, worker["desired"], worker["observed"], since, heard, said)
    tables = plain_table("table", "rows", "version")
    for name, table in status["tables"].items():
        tables.add_row(name, _number(table["rows"]), _number(table["version"]))
    lines = (_line(title, status[name], answers) for name, title, answers in LINES)
    return [table for table in (parts, workers, *lines, tables) if table.row_count]


def _line(title: str, line: Mapping[str, Any] | None, answers_are: str) -> Table:
    table = plain_table(title, "figures")
    if line is None:
        return table
    synced = line["synced"]
    table.add_row(answers_are, counts(line[answers_are]))
    if synced is not None:
        behind = synced["versions_behind"]
        late = "" if behind is None else f", {_number(behind)} behind"
        copied = f"{synced['state']}, version {_number(synced['version'])}{late}"
        table.add_row("copy in Lakebase", f"{copied}, last change {clock_time(synced['at'])}")
    table.add_row("cases", counts(line["cases"]))
    return table


def counts(found: Mapping[str, int] | None) -> str:
    """Counts by their names on one line."""
    if found is None:
        return "–"
    return ", ".join(f"{name} {_number(value)}" for name, value in found.items()) or "none yet"


def plain_table(*columns: str) -> Table:
    """A table whose cells are folded where the terminal is narrow, never cut off."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def figures(progress: Mapping[str, Any]) -> str:
    """The plain values of a worker's progress on one line."""
    plain = {name: value for name, value in progress.items() if isinstance(value, str | int | float)}
    return ", ".join(f"{name} {_number(value)}" for name, value in plain.items())


def live_line(status: Mapping[str, Any]) -> str:
    """The whole demo in a line."""
    replay, tables = status["replay"], status["tables"]
    rows = {name.partition(".")[2]: table["rows"] for name, table in tables.items()}
    lag_s = status["workers"].get("replay", {}).get("progress", {}).get("lag_s")
    parts = [
        f"virtual time {minute(replay['virtual_time'])}",
        f"written {_number(replay['events_written'])}",
        f"bronze {_number(rows.get('lakeflow.all_events'))}",
        f"orders in gold {_number(rows.get('lakeflow.gold_order_header'))}",
        f"replay lag {_number(lag_s)} s",
    ]
    for name, _title, answers in LINES:
        if line := status[name]:
            cases: Mapping[str, int] = line["cases"] or {}
            parts.append(f"{answers} {_number(sum((line[answers] or {}).values()))}")
            parts.append(f"to decide {_number(sum(cases.values()) - cases.get('decided', 0))}")
    return "  ".join(parts)


def minute(moment: str | None) -> str:
    """A moment to the second, without the zone, which is always UTC."""
    return "–" if moment is None else moment[:19].replace("T", " ")


def clock_time(moment: str | None) -> str:
    return "–" if moment is None else moment[11:19]


def as_json(value: Any) -> str:
    """JSON with dates as ISO text and decimals as numbers."""
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
