"""table_changes('catalog.schema.table', start [, end]): the change data feed of a table, as a file that the engine reads.

What a commit did never changes, so a feed that was written once serves again, and goes when nobody asked for an hour.
"""

import os
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local_workspace.api.sql.failures import SqlFailure
from local_workspace.api.sql.syntax.lexer import quoted_name, rows_of, tokens
from local_workspace.api.unity_catalog.securables import Table
from local_workspace.clock import Clock
from local_workspace.engines import change_feed, delta, delta_changes
from local_workspace.engines.delta_changes import LogGap, UnreadableTable

CHANGE_FEED = "delta.enableChangeDataFeed"
SINCE = "delta.changeDataFeedSinceVersion"
"""The property of ours that says when CHANGE_FEED was set; missing where the table was created with it."""

KEPT_FOR = timedelta(hours=1)


class ChangeFeeds:
    """Writes feeds below a directory of its own."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()

    def subquery(self, table: Table, bounds: list[str]) -> str:
        """A subquery of the changes between two versions or moments (SQL literals), both included.

        Raises:
            SqlFailure: the feed was off then, the range is none, or files of that time are gone.
        """
        if table.location is None:
            raise SqlFailure(
                "EXPECT_TABLE_NOT_VIEW", f"{table.full_name} is a view; table_changes is for tables."
            )
        newest = delta.version(table.location)
        start = _version(table.location, bounds[0], newest, first=True)
        end = _version(table.location, bounds[1], newest, first=False) if len(bounds) > 1 else newest
        if not 0 <= start <= end <= newest:
            raise SqlFailure(
                "DELTA_INVALID_CDC_RANGE",
                f"CDC range from start {start} to end {end} was invalid: {table.full_name} is at version {newest}, "
                "and the end cannot be before the start.",
            )
        _require_recorded(table, start, end)
        return f"({rows_of(f'parquet.{quoted_name(str(self._written(table, start, end)))}')})"

    def _written(self, table: Table, start: int, end: int) -> Path:
        assert table.location is not None
        target = self._directory / f"{table.location.name}-{start}-{end}.parquet"
        with self._lock:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._clean()
            if not target.exists():
                self._write(table, start, end, target)
            now = self._clock.now().timestamp()
            os.utime(target, (now, now))
        return target

    def _write(self, table: Table, start: int, end: int, target: Path) -> None:
        assert table.location is not None
        try:
            entries = [delta_changes.read_commit(table.location, number) for number in range(start, end + 1)]
            schema = delta_changes.snapshot(table.location).schema
            change_feed.write_feed(table.location, entries, schema, target)
        except LogGap as error:
            raise SqlFailure(
                "DELTA_CHANGE_DATA_FILE_NOT_FOUND",
                f"The changes of {table.full_name} between versions {start} and {end} are no longer there. {error}",
            ) from error
        except UnreadableTable as error:
            raise SqlFailure(
                "DELTA_UNSUPPORTED_TABLE", f"{table.full_name} cannot be read. {error}"
            ) from error

    def _clean(self) -> None:
        oldest = (self._clock.now() - KEPT_FOR).timestamp()
        for file in self._directory.iterdir():
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < oldest:
                    file.unlink()


def enabled_since(before: dict[str, str], after: dict[str, str], version: int) -> dict[str, str]:
    """The properties after a change at this version, with the note of when the feed was turned on."""
    was_on, is_on = _is_on(before), _is_on(after)
    if is_on and not was_on:
        return after | {SINCE: str(version)}
    return after if is_on else {name: value for name, value in after.items() if name != SINCE}


def _is_on(properties: dict[str, str]) -> bool:
    return properties.get(CHANGE_FEED, "false").lower() == "true"


def _require_recorded(table: Table, start: int, end: int) -> None:
    since = int(table.properties.get(SINCE, "0")) if _is_on(table.properties) else None
    if since is None or start < since:
        raise SqlFailure(
            "DELTA_MISSING_CHANGE_DATA",
            f"Error getting change data for range [{start} , {end}] as change data was not recorded for version"
            f" [{start}] of {table.full_name}. "
            + (
                f"It is recorded from version {since} on."
                if since is not None
                else f"Turn it on with ALTER TABLE … SET TBLPROPERTIES ('{CHANGE_FEED}' = 'true')."
            ),
        )


def _version(location: Path, bound: str, newest: int, *, first: bool) -> int:
    """The version that a bound means: a number, or the first commit from, or the last until, a moment."""
    found = tokens(bound)
    text = found[0].value if len(found) == 1 else bound
    if text.isdecimal():
        return int(text)
    moment = _moment(text)
    commits = [(number, at) for number in range(newest + 1) if (at := _committed_at(location, number))]
    if first:
        return min((number for number, at in commits if at >= moment), default=newest + 1)
    return max((number for number, at in commits if at <= moment), default=-1)


def _committed_at(location: Path, number: int) -> datetime | None:
    """When a version was committed; None where the log of that time is gone."""
    try:
        return datetime.fromtimestamp(delta_changes.read_commit(location, number).timestamp_ms / 1000, UTC)
    except LogGap:
        return None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SqlFailure(
            "INVALID_PARAMETER_VALUE",
            f"{text!r} is neither a version nor a moment such as '2026-01-31 12:00:00'.",
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
