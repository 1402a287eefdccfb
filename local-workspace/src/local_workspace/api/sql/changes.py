"""INSERT, UPDATE, DELETE, MERGE and TRUNCATE: one Delta commit each, one writer at a time per table."""

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from local_workspace.api.sql import answers
from local_workspace.api.sql.call import Call
from local_workspace.api.sql.expansion import Expander, delta, table_not_found
from local_workspace.api.sql.failures import SqlFailure
from local_workspace.api.sql.syntax.commands import Change, Insert, Truncate
from local_workspace.api.sql.syntax.lexer import quoted_name
from local_workspace.api.sql.syntax.reader import Name
from local_workspace.api.sql.syntax.references import references
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.api.unity_catalog.securables import Column, Table
from local_workspace.engines import delta as delta_tables
from local_workspace.engines.delta import Commit
from local_workspace.engines.spark import Spark
from local_workspace.engines.spark_connect import EngineError, Write

ATTEMPTS = 8
"""How often a change is tried again when another process has changed the table meanwhile."""

CONFLICT = re.compile(
    r"conflict|concurrent|already exists.*_delta_log|version \d+ already exists", re.IGNORECASE
)
OWNED_BY_PIPELINES = {"MATERIALIZED_VIEW", "STREAMING_TABLE"}


class TableLocks:
    """One lock for each table's directory."""

    def __init__(self) -> None:
        self._locks: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def of(self, table: Table) -> threading.Lock:
        """The lock that a writer of the table holds."""
        assert table.location is not None
        with self._guard:
            return self._locks[table.location]


class RowChanges:
    """Carries out changes of rows."""

    def __init__(self, catalog: UnityCatalog, expander: Expander, spark: Spark, locks: TableLocks) -> None:
        self._catalog = catalog
        self._expander = expander
        self._spark = spark
        self._locks = locks

    def insert(self, call: Call, statement: Insert) -> Iterator[bytes]:
        """Add rows, or put them in the place of all rows or of those that match a condition."""
        table = self.writable(call, statement.target)
        query = _arranged(self._expander.expanded(statement.source, call.scope), table, statement.columns)
        options = {}
        if statement.replace_where is not None:
            options["replaceWhere"] = self._expander.expression(statement.replace_where, call.scope)
        mode = "OVERWRITE" if statement.overwrite or options else "APPEND"
        write = Write(query, str(table.location), mode, options=options)
        commit = self._committed(table, lambda: self._spark.write(write, call.operation))
        inserted = commit.metrics.get("numOutputRows", 0) if commit else 0
        return answers.counts(num_affected_rows=inserted, num_inserted_rows=inserted)

    def change(self, call: Call, statement: Change) -> Iterator[bytes]:
        """Change, delete or merge rows."""
        table = self.writable(call, _target(statement.text))
        text = self._expander.expanded(statement.text, call.scope, target=table)
        commit = self._committed(table, lambda: self._run(text, call.operation))
        metrics = commit.metrics if commit else {}
        if statement.kind == "MERGE":
            updated, deleted, inserted = (
                metrics.get(f"numTargetRows{what}", 0) for what in ("Updated", "Deleted", "Inserted")
            )
            return answers.counts(
                num_affected_rows=updated + deleted + inserted,
                num_updated_rows=updated,
                num_deleted_rows=deleted,
                num_inserted_rows=inserted,
            )
        counted = "numUpdatedRows" if statement.kind == "UPDATE" else "numDeletedRows"
        return answers.counts(num_affected_rows=metrics.get(counted, 0))

    def truncate(self, call: Call, statement: Truncate) -> Iterator[bytes]:
        """Delete all rows."""
        table = self.writable(call, statement.target)
        text = f"DELETE FROM {delta(table)}"  # noqa: S608  a quoted directory, nothing of the client's
        self._committed(table, lambda: self._run(text, call.operation))
        return answers.nothing()

    def writable(self, call: Call, name: Name) -> Table:
        """A table whose rows the caller may change."""
        full_name = call.scope.place.full(name)
        table = self._catalog.find_table(full_name)
        if table is None:
            raise table_not_found(full_name)
        self._catalog.require(call.caller, "MODIFY", "table", table.full_name)
        if table.table_type in OWNED_BY_PIPELINES:
            raise SqlFailure(
                "PIPELINE_OWNS_TABLE",
                f"{table.full_name} is a {table.table_type.lower().replace('_', ' ')}: only its pipeline"
                f" {table.pipeline_id or ''} writes it. Change the pipeline, or write to a table of your own.",
            )
        if table.location is None:
            raise SqlFailure(
                "EXPECT_TABLE_NOT_VIEW", f"{table.full_name} is a view; rows are changed in tables."
            )
        return table

    def _run(self, text: str, operation: str) -> None:
        for _ in self._spark.query(text, operation):
            pass

    def _committed(self, table: Table, change: Callable[[], None]) -> Commit | None:
        """Make a change with the table to ourselves; its commit, or None when nothing had to change."""
        assert table.location is not None
        with self._locks.of(table):
            before = delta_tables.version(table.location)
            self._tried(table, change)
            after = delta_tables.version(table.location)
            commit = delta_tables.read_commit(table.location, after) if after > before else None
            delta_tables.keep_up(table.location, before, after)
            return commit

    def _tried(self, table: Table, change: Callable[[], None]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return change()
            except EngineError as error:
                if not CONFLICT.search(error.message):
                    raise
                if attempt == ATTEMPTS:
                    raise SqlFailure(
                        "DELTA_CONCURRENT_WRITE",
                        f"{table.full_name} was changed by others {ATTEMPTS} times while this statement ran: {error.message}",
                    ) from error
        return None


def _target(text: str) -> Name:
    return min(references(text).tables, key=lambda table: table.start).parts


def _arranged(source: str, table: Table, given: tuple[str, ...] | None) -> str:
    """The source's rows with the table's columns by name, each of the table's type; columns not given are null."""
    by_name = {column.name.lower(): column for column in table.columns}
    names = [name.lower() for name in given] if given is not None else list(by_name)
    for name in names:
        if name not in by_name or names.count(name) > 1:
            raise SqlFailure(
                "UNRESOLVED_COLUMN", f"{table.full_name} has no column {name!r}, or it is given twice."
            )
    places = {name: f"_{index}" for index, name in enumerate(names)}
    items = [_item(column, places.get(key)) for key, column in by_name.items()]
    head, named = ", ".join(items), ", ".join(places.values())
    return f"SELECT {head} FROM (\n{source}\n) AS _source ({named})"  # noqa: S608  quoted names around the source


def _item(column: Column, place: str | None) -> str:
    name = quoted_name(column.name)
    if place is not None and "<" in column.type_text:
        return f"{place} AS {name}"
    return f"CAST({place or 'NULL'} AS {column.type_text}) AS {name}"
