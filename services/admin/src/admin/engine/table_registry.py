"""The demo's registry: a table in its own catalog.

What has to be made before that table exists (the warehouse, the catalog, the table itself) waits in memory and is written
as soon as the table can take it. Until then these few are found again by their names.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Lock
from typing import LiteralString

from caspers.clients.platform_errors import PLATFORM_ERRORS, from_platform
from caspers.clients.warehouse import Warehouse
from caspers.names import Names, quoted
from databricks.sdk import WorkspaceClient
from databricks.sdk import errors as platform

from admin.declarations import REGISTRY_COLUMNS, REGISTRY_KEY, Entry
from admin.engine.registry import entry_from, plain

AS_JSON = ("needs", "spec", "outputs")

_STRUCT: LiteralString = ", ".join([column + ": STRING" for column in REGISTRY_COLUMNS])


class TableRegistry:
    """The registry in `{catalog}._internal_state.resources`; writers that come together share one statement."""

    def __init__(
        self, names: Names, warehouse: Callable[[], Warehouse], columns: Callable[[], Collection[str]]
    ) -> None:
        self._table: LiteralString = quoted(names.resources_table)
        self._warehouse = warehouse
        self._look = columns
        self._columns: tuple[LiteralString, ...] = ()
        """Those of our columns that the table has; none while it does not exist."""
        self._pending: dict[str, Entry | None] = {}
        self._state = Lock()
        self._writing = Lock()

    def entries(self) -> dict[str, Entry]:
        with self._writing:
            self._columns = self._present()
            kept = self._read() if self._columns else {}
        with self._state:
            together = kept | self._pending
        return {key: entry for key, entry in together.items() if entry is not None}

    def record(self, *entries: Entry) -> None:
        self._change({entry.key: entry for entry in entries})

    def forget(self, *keys: str) -> None:
        self._change(dict.fromkeys(keys))

    def _change(self, changes: Mapping[str, Entry | None]) -> None:
        with self._state:
            self._pending.update(changes)
        with self._writing:
            if REGISTRY_KEY in changes:
                own = changes[REGISTRY_KEY]
                self._columns = self._present() if own is not None and own.state == "ready" else ()
            self._flush()

    def _present(self) -> tuple[LiteralString, ...]:
        there = set(self._look())
        return tuple(column for column in REGISTRY_COLUMNS if column in there)

    def _flush(self) -> None:
        """Write what waits, once the table is there; whoever waited for the lock finds it written already."""
        with self._state:
            if not self._columns or not self._pending:
                return
            batch, self._pending = self._pending, {}
        rows = json.dumps([row_of(key, entry) for key, entry in batch.items()])
        try:
            self._warehouse().execute(_merge_into(self._table, self._columns), {"rows": rows})
        except Exception:
            with self._state:
                self._pending = batch | self._pending
            if self._look():
                raise
            self._columns = ()  # somebody deleted it; what waits is written when it is made again

    def _read(self) -> dict[str, Entry]:
        rows = self._warehouse().query(_all_of(self._table, self._columns)).to_pylist()
        decoded = (row | {name: json.loads(row[name]) for name in AS_JSON} for row in rows)
        return {row["key"]: entry_from(row) for row in decoded}


def registry_columns(workspace: WorkspaceClient, names: Names) -> list[str]:
    """The columns that the registry's table has; none while it does not exist."""
    try:
        table = workspace.tables.get(names.resources_table)
    except PLATFORM_ERRORS as error:
        if isinstance(error, platform.NotFound):
            return []
        raise from_platform("looking for the registry", error) from error
    return [column.name for column in table.columns or [] if column.name]


def _all_of(table: LiteralString, columns: Sequence[LiteralString]) -> LiteralString:
    return "SELECT " + ", ".join(columns) + " FROM " + table  # noqa: S608  a checked and quoted identifier


def _merge_into(table: LiteralString, columns: Sequence[LiteralString]) -> LiteralString:
    """Replace or remove rows by key; `:rows` is a JSON array, so one statement takes any number of them.

    A table that an older version made lacks columns until the stage with the registry has run; it is written without.
    """
    changes: LiteralString = ", ".join([column + " = new." + column for column in columns if column != "key"])
    values: LiteralString = ", ".join(["new." + column for column in columns])
    rows = "SELECT inline(from_json(:rows, 'ARRAY<STRUCT<" + _STRUCT + ">>'))"
    listed: LiteralString = ", ".join(columns)
    return (
        "MERGE INTO " + table + " AS kept USING (" + rows + ") AS new ON kept.key = new.key "  # noqa: S608  only our own column names and a quoted table
        "WHEN MATCHED AND new.state = 'gone' THEN DELETE "
        "WHEN MATCHED THEN UPDATE SET " + changes + " "
        "WHEN NOT MATCHED AND new.state <> 'gone' THEN INSERT (" + listed + ") VALUES (" + values + ")"
    )


def row_of(key: str, entry: Entry | None) -> dict[str, str | None]:
    """An entry as a row of the table; None is a row that says it is gone."""
    if entry is None:
        return {"key": key, "state": "gone"}
    row = plain(entry)
    return row | {name: json.dumps(row[name]) for name in AS_JSON}
