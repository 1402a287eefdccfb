"""Which files can hold rows of the touched groups: decided from the ranges in the Delta log, without reading a row."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from local_workspace.pipeline_runs.delta_table import DataFile

UNITS = ("year", "month", "day", "hour", "minute", "second")
LOWEST = (1, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Touched:
    """The values of one key among the touched groups.

    Attributes:
        column: the files' column that the key grows with.
        unit: what the column is cut down to; None when the key is the column itself.
        values: of the key, nulls among them.
    """

    column: str
    unit: str | None
    values: Iterable[Any]


def affected(files: Sequence[DataFile], touched: Iterable[Touched]) -> list[DataFile]:
    """The files that may hold rows of touched groups; a file of which too little is known stays in."""
    remaining = list(files)
    for key in touched:
        may_hold = _test(key)
        remaining = [file for file in remaining if may_hold(file)]
    return remaining


def _test(key: Touched) -> Callable[[DataFile], bool]:
    values = list(key.values)
    ordered = sorted(value for value in values if value is not None)
    has_null = len(ordered) < len(values)

    def may_hold(file: DataFile) -> bool:
        if has_null and file.nulls.get(key.column, 1):
            return True
        if file.rows and file.nulls.get(key.column) == file.rows:
            return False
        if key.column not in file.least or key.column not in file.most:
            return True
        least, most = cut_down(file.least[key.column], key.unit), cut_down(file.most[key.column], key.unit)
        at = bisect_left(ordered, least)
        return at < len(ordered) and ordered[at] <= most

    return may_hold


def cut_down(value: Any, unit: str | None) -> Any:
    """A moment cut down to a unit, as date_trunc does; to a day without a time for a date column, as to_date does."""
    if unit is None or not isinstance(value, date):
        return value
    if unit == "date":
        return value.date() if isinstance(value, datetime) else value
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001  compared with other dates only
    kept = UNITS.index(unit) + 1
    year, month, day, hour, minute, second = (*moment.timetuple()[:kept], *LOWEST[kept:])
    return moment.replace(year, month, day, hour, minute, second, 0)
