"""The registry: every resource the control plane made, so that teardown misses nothing.

An entry is written as an intent before its resource is created and completed right after, so a crash in
between leaves nothing untracked. The demo's registry is a table in its own catalog; what has to be made
before that table exists (the warehouse, the catalog, the table itself) waits in memory and is written as
soon as the table can take it. Until then these few are found again by their names.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any, LiteralString, Protocol

from caspers.clients.warehouse import Warehouse
from caspers.names import Names, quoted

from admin.declarations import REGISTRY_COLUMNS, REGISTRY_KEY, Entry

_STRUCT: LiteralString = ", ".join([column + ": STRING" for column in REGISTRY_COLUMNS])


class Registry(Protocol):
    """Where entries are kept; every call is durable when it returns."""

    def entries(self) -> dict[str, Entry]:
        """All entries by key."""
        ...

    def record(self, *entries: Entry) -> None:
        """Write entries, replacing those with the same key."""
        ...

    def forget(self, *keys: str) -> None:
        """Remove entries; unknown keys are fine."""
        ...


class FileRegistry:
    """A registry in one JSON file: the command line's memory of the admin app it deployed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()

    def entries(self) -> dict[str, Entry]:
        if not self._path.exists():
            return {}
        return {row["key"]: entry_from(row) for row in json.loads(self._path.read_text())}

    def record(self, *entries: Entry) -> None:
        with self._lock:
            self._write(self.entries() | {entry.key: entry for entry in entries})

    def forget(self, *keys: str) -> None:
        with self._lock:
            self._write({key: entry for key, entry in self.entries().items() if key not in keys})

    def _write(self, entries: Mapping[str, Entry]) -> None:
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps([asdict(entry) for entry in entries.values()], indent=1))
        beside.replace(self._path)


class TableRegistry:
    """The registry in `{catalog}._internal_state.resources`; writers that come together share one statement."""

    def __init__(self, names: Names, warehouse: Callable[[], Warehouse], exists: Callable[[], bool]) -> None:
        self._table: LiteralString = quoted(names.resources_table)
        self._warehouse = warehouse
        self._exists = exists
        self._open = False
        self._pending: dict[str, Entry | None] = {}
        self._state = Lock()
        self._writing = Lock()

    def entries(self) -> dict[str, Entry]:
        with self._writing:
            self._open = self._exists()
            kept = self._read() if self._open else {}
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
            if REGISTRY_KEY in changes:
                own = changes[REGISTRY_KEY]
                self._open = own is not None and own.state == "ready"
        with self._writing:
            self._flush()

    def _flush(self) -> None:
        """Write what waits, once the table is there; whoever waited for the lock finds it written already."""
        with self._state:
            if not self._open or not self._pending:
                return
            batch, self._pending = self._pending, {}
        rows = json.dumps([row_of(key, entry) for key, entry in batch.items()])
        try:
            self._warehouse().execute(_merge_into(self._table), {"rows": rows})
        except Exception:
            with self._state:
                self._pending = batch | self._pending
            raise

    def _read(self) -> dict[str, Entry]:
        rows = self._warehouse().query(_all_of(self._table)).to_pylist()
        decoded = (
            row | {name: json.loads(row[name]) for name in ("needs", "spec", "outputs")} for row in rows
        )
        return {row["key"]: entry_from(row) for row in decoded}


def _all_of(table: LiteralString) -> LiteralString:
    return "SELECT " + ", ".join(REGISTRY_COLUMNS) + " FROM " + table  # noqa: S608  a checked and quoted identifier


def _merge_into(table: LiteralString) -> LiteralString:
    """Replace or remove rows by key; `:rows` is a JSON array, so one statement takes any number of them."""
    rows = "SELECT inline(from_json(:rows, 'ARRAY<STRUCT<" + _STRUCT + ">>'))"
    return (
        "MERGE INTO " + table + " AS kept USING (" + rows + ") AS new ON kept.key = new.key "
        "WHEN MATCHED AND new.state = 'gone' THEN DELETE "
        "WHEN MATCHED THEN UPDATE SET kind = new.kind, name = new.name, stage = new.stage, id = new.id, "
        "state = new.state, needs = new.needs, spec = new.spec, outputs = new.outputs "
        "WHEN NOT MATCHED AND new.state <> 'gone' THEN "
        "INSERT (key, kind, name, stage, id, state, needs, spec, outputs) "
        "VALUES (new.key, new.kind, new.name, new.stage, new.id, new.state, new.needs, new.spec, new.outputs)"
    )


def row_of(key: str, entry: Entry | None) -> dict[str, str]:
    """An entry as a row of the table; None is a row that says it is gone."""
    if entry is None:
        return {"key": key, "state": "gone"}
    row = asdict(entry)
    return row | {name: json.dumps(row[name]) for name in ("needs", "spec", "outputs")}


def entry_from(row: Mapping[str, Any]) -> Entry:
    """An entry from a row whose JSON columns are decoded."""
    fields: dict[str, Any] = {**row, "needs": tuple(row["needs"])}
    return Entry(**fields)
