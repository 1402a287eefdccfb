"""How things look in a terminal."""

import json
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
SHOWN = {"done", "failed", "cancelled"}
"""What is worth a line: not the many steps that found everything as it should be."""
COLOURS = {"done": "green", "failed": "red", "skipped": "yellow", "cancelled": "yellow"}

console = Console(highlight=False)
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
            if run["state"] != "running":
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
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(
            *(Text("NULL", style="dim") if row[name] is None else str(row[name]) for name in columns)
        )
    return table


def status_tables(status: Mapping[str, Any]) -> list[Table]:
    """The status object for people."""
    apps = Table("app or pipeline", "state", "where", box=None, header_style="bold", pad_edge=False)
    for name, app in status["apps"].items():
        apps.add_row(name, app["state"], app["url"] or "")
    for name, pipeline in status["pipelines"].items():
        last = pipeline["last_update"]
        apps.add_row(name, pipeline["state"], f"last update {last['state']}" if last else "no update yet")
    workers = Table("worker", "told", "is", "heard", "figures", box=None, header_style="bold", pad_edge=False)
    for name, worker in status["workers"].items():
        age = worker["heartbeat_age_s"]
        heard = "never" if age is None else f"{age:.0f} s ago"
        workers.add_row(name, worker["desired"], worker["observed"], heard, figures(worker["progress"]))
    tables = Table("table", "rows", "version", box=None, header_style="bold", pad_edge=False)
    for name, table in status["tables"].items():
        tables.add_row(name, _number(table["rows"]), _number(table["version"]))
    return [table for table in (apps, workers, tables) if table.row_count]


def figures(progress: Mapping[str, Any]) -> str:
    """The plain values of a worker's progress on one line."""
    plain = {name: value for name, value in progress.items() if isinstance(value, str | int | float)}
    return ", ".join(f"{name} {_number(value)}" for name, value in plain.items())


def live_line(status: Mapping[str, Any]) -> str:
    """The whole demo in a line."""
    replay, tables = status["replay"], status["tables"]
    rows = {name.partition(".")[2]: table["rows"] for name, table in tables.items()}
    parts = [
        f"virtual time {replay['virtual_time'] or '–'}",
        f"written {_number(replay['events_written'])}",
        f"bronze {_number(rows.get('lakeflow.all_events'))}",
        f"orders in gold {_number(rows.get('lakeflow.gold_order_header'))}",
    ]
    return "  ".join(parts)


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
    return f"{value:,}" if isinstance(value, int) else str(value)
