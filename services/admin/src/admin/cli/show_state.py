"""How stages, parameters, resources, workers, roles and activity look in a terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

from admin.cli import show

Shown = Mapping[str, Any]

BAD = {"failed", "missing", "drifted", "refused"}


def stages(found: Iterable[Shown]) -> None:
    """Whether each stage is there and well, and, apart from that, how its last run ended."""
    rows = show.plain_table("stage", "is", "health", "resources", "last run", "needs")
    for stage in found:
        rows.add_row(
            stage["name"],
            stage["presence"],
            stage["health"] if stage["presence"] != "absent" else "",
            f"{stage['registered']} of {stage['declared']}",
            _last(stage["last_run"], stage["progress"]),
            ", ".join(stage["needs"]),
            style=_style(stage["health"]),
        )
    show.console.print(rows)
    for stage in found:
        for trouble in stage["troubles"]:
            show.console.print(f"✗ {stage['name']}: {trouble}", style="red", markup=False, soft_wrap=True)


def _last(run: Shown | None, progress: Shown | None) -> str:
    if progress is not None:
        return f"{progress['done']} of {progress['total']}: {', '.join(progress['doing']) or 'waiting'}"
    if run is None:
        return ""
    return f"{run['action']} {run['state']} {show.minute(run['ended'])}"


def parameters(found: Iterable[Shown]) -> None:
    """The parameters with what they mean."""
    rows = show.plain_table("parameter", "is", "default", "meaning", "a change touches")
    for each in found:
        touched = "; ".join(each["affects"])
        changed = "bold" if each["current"] != each["default"] else ""
        rows.add_row(
            each["name"],
            _value(each["current"]),
            _value(each["default"]),
            each["meaning"],
            touched,
            style=changed,
        )
    show.console.print(rows)


def resources(found: Iterable[Shown]) -> None:
    """What was made."""
    rows = show.plain_table("stage", "kind", "name", "recorded", "since", "health", "where")
    for each in sorted(found, key=lambda resource: (resource["stage"], resource["kind"], resource["name"])):
        health = each["health"] if each["health"] != "unknown" else ""
        rows.add_row(
            *(each["stage"], each["kind"], each["name"], each["recorded"], show.minute(each["created_at"])),
            f"{health}: {each['message']}" if each["message"] else health,
            each["url"],
            style=_style(each["health"]),
        )
    show.console.print(rows if rows.row_count else "nothing is registered")


def verification(found: Shown) -> None:
    """Every finding, what is wrong last, where people look, and what to do about it once."""
    for each in sorted(found["findings"], key=lambda finding: not finding["ok"]):
        where = f"{each['stage']}, " if each["stage"] else ""
        show.step(f"{where}{each['what']}: {each['said']}", None, "done" if each["ok"] else "failed")
    wrong = [each for each in found["findings"] if not each["ok"]]
    for what_now in dict.fromkeys(each["what_now"] for each in wrong if each["what_now"]):
        show.plain(what_now)
    show.plain(
        f"{len(wrong)} of {len(found['findings'])} are not as they should be" if wrong else "all is well"
    )


def workers(found: Iterable[Shown]) -> None:
    """What each worker is told, and what it does."""
    rows = show.plain_table("worker", "told", "is", "since", "heard", "figures")
    for worker in found:
        age = worker["heartbeat_age_s"]
        rows.add_row(
            worker["name"],
            worker["desired"],
            worker["observed"],
            show.clock_time(worker["since"]),
            "never" if age is None else f"{age:.0f} s ago",
            worker["last_error"] or show.figures(worker["progress"]),
            style=_style(worker["observed"]),
        )
    show.console.print(rows if rows.row_count else "no workers yet")


def roles(found: Iterable[Shown], me: Shown) -> None:
    """Who may do what, and what the one who asks may."""
    rows = show.plain_table("who", "role")
    for each in found:
        rows.add_row(each["principal"], each["role"])
    if rows.row_count:
        show.console.print(rows)
    show.plain(f"you are {me['who']}: {me['role']}")


def activity(found: Iterable[Shown]) -> None:
    """Who did what."""
    rows = show.plain_table("when", "who", "role", "did", "to", "outcome")
    for each in found:
        rows.add_row(
            show.minute(each["at"]),
            *(each["who"], each["role"], each["action"], each["object"], each["outcome"]),
            style=_style(each["outcome"]),
        )
    show.console.print(rows if rows.row_count else "nothing was done yet")


def _style(word: str) -> str:
    return "red" if word in BAD else ""


def _value(value: Any) -> str:
    return "–" if value in {None, ""} else str(value)
