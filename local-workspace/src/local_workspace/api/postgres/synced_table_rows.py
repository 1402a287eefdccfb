"""Synced tables as the workspace remembers them; their rows, and how far they have come, are in Postgres."""

import json
from dataclasses import dataclass
from typing import Any

from local_workspace.state import State

SCHEMA = """
CREATE TABLE IF NOT EXISTS lakebase_synced_tables (
    full_name TEXT PRIMARY KEY, -- catalog.schema.table of the entry in Unity Catalog
    uid TEXT NOT NULL,
    table_id TEXT NOT NULL,     -- of that entry, so that another one of the same name is told apart
    pipeline_id TEXT NOT NULL UNIQUE,
    creator TEXT NOT NULL,
    branch TEXT NOT NULL,
    postgres_database TEXT NOT NULL,
    spec TEXT NOT NULL,         -- JSON, as it was given
    created_at TEXT NOT NULL,
    filled INTEGER NOT NULL     -- 1: its rows have been in Postgres once
);
"""


@dataclass(frozen=True)
class SyncedTable:
    """A table of Unity Catalog that is copied to Postgres; `spec` is what its creator gave."""

    full_name: str
    uid: str
    table_id: str
    pipeline_id: str
    creator: str
    branch: str
    postgres_database: str
    spec: dict[str, Any]
    created_at: str
    filled: bool = False

    @property
    def project_id(self) -> str:
        """The Lakebase project it is copied into."""
        return self.branch.split("/")[1]

    @property
    def policy(self) -> str:
        """SNAPSHOT, TRIGGERED or CONTINUOUS."""
        return self.spec["scheduling_policy"]

    @property
    def source(self) -> str:
        """The full name of the table whose rows it has."""
        return self.spec["source_table_full_name"]


class SyncedTableRows:
    """Reads and writes of the table of synced tables."""

    def __init__(self, state: State) -> None:
        self._state = state
        state.define(SCHEMA)

    def add(self, table: SyncedTable) -> None:
        """Remember a new one."""
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO lakebase_synced_tables VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(table.full_name, table.uid, table.table_id, table.pipeline_id, table.creator),
                    *(table.branch, table.postgres_database, json.dumps(table.spec), table.created_at),
                    table.filled,
                ),
            )

    def find(self, full_name: str) -> SyncedTable | None:
        """The synced table of that name."""
        row = self._state.one("SELECT * FROM lakebase_synced_tables WHERE full_name = :name", name=full_name)
        return _synced_table(row) if row else None

    def of_pipeline(self, pipeline_id: str) -> SyncedTable | None:
        """The synced table that a pipeline keeps up to date."""
        row = self._state.one("SELECT * FROM lakebase_synced_tables WHERE pipeline_id = :id", id=pipeline_id)
        return _synced_table(row) if row else None

    def all(self) -> list[SyncedTable]:
        """All of them, by name."""
        found = self._state.all("SELECT * FROM lakebase_synced_tables ORDER BY full_name")
        return [_synced_table(row) for row in found]

    def note_filled(self, uid: str) -> None:
        """Remember that its rows are there."""
        with self._state.transaction() as connection:
            connection.execute("UPDATE lakebase_synced_tables SET filled = 1 WHERE uid = ?", (uid,))

    def remove(self, uid: str) -> None:
        """Forget one."""
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM lakebase_synced_tables WHERE uid = ?", (uid,))


def _synced_table(row: Any) -> SyncedTable:
    fields: dict[str, Any] = dict(row)
    fields |= {"spec": json.loads(row["spec"]), "filled": bool(row["filled"])}
    return SyncedTable(**fields)
