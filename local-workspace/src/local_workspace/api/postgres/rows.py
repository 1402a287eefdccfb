"""Lakebase resources and operations as the workspace remembers them; what they hold is in Postgres."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from local_workspace.state import State

SCHEMA = """
CREATE TABLE IF NOT EXISTS lakebase_resources (
    name TEXT PRIMARY KEY,      -- projects/P, projects/P/branches/B, …/endpoints/E, …/databases/D, …/roles/R
    collection TEXT NOT NULL,   -- projects, branches, endpoints, databases, roles
    parent TEXT NOT NULL,       -- the name of the resource it belongs to; empty for projects
    uid TEXT NOT NULL,
    owner TEXT NOT NULL,        -- the principal that created the project
    status TEXT NOT NULL,       -- JSON of the platform's `status`
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT             -- soft deletion, projects only
);
CREATE TABLE IF NOT EXISTS lakebase_operations (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class Resource:
    """A project, branch, endpoint, database or role."""

    name: str
    uid: str
    owner: str
    status: dict[str, Any]
    created_at: str
    updated_at: str
    deleted_at: str | None = None

    @property
    def id(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2]

    @property
    def collection(self) -> str:
        """projects, branches, endpoints, databases or roles."""
        return self.name.split("/")[-2]

    @property
    def parent(self) -> str:
        """The name of the resource it belongs to; empty for a project."""
        return "/".join(self.name.split("/")[:-2])

    @property
    def project_id(self) -> str:
        """The project it belongs to."""
        return self.name.split("/")[1]

    def deleted(self, at: datetime | None) -> "Resource":
        """The same, marked as deleted at this moment, or not deleted (None)."""
        return replace(self, deleted_at=rfc3339(at) if at else None)


def rfc3339(moment: datetime) -> str:
    """A moment as the API writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class LakebaseRows:
    """The tables of resources and operations."""

    def __init__(self, state: State) -> None:
        self._state = state
        state.define(SCHEMA)

    def find(self, name: str) -> Resource | None:
        row = self._state.one("SELECT * FROM lakebase_resources WHERE name = :name", name=name)
        return _resource(row) if row else None

    def children(self, parent: str, collection: str) -> list[Resource]:
        rows = self._state.all(
            "SELECT * FROM lakebase_resources WHERE parent = :parent AND collection = :collection ORDER BY name",
            parent=parent,
            collection=collection,
        )
        return [_resource(row) for row in rows]

    def put(self, *resources: Resource) -> None:
        """Write resources, all or none."""
        with self._state.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO lakebase_resources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(it.name, it.collection, it.parent, it.uid, it.owner, json.dumps(it.status)),
                        *(it.created_at, it.updated_at, it.deleted_at),
                    )
                    for it in resources
                ],
            )

    def remove(self, name: str) -> None:
        """Remove a resource and all that belongs to it."""
        with self._state.transaction() as connection:
            connection.execute(
                "DELETE FROM lakebase_resources WHERE name = ? OR name GLOB ? || '/*'", (name, name)
            )

    def record_operation(self, operation: dict[str, Any]) -> None:
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO lakebase_operations VALUES (?, ?)", (operation["name"], json.dumps(operation))
            )

    def operation(self, name: str) -> dict[str, Any] | None:
        row = self._state.one("SELECT body FROM lakebase_operations WHERE name = :name", name=name)
        return json.loads(row["body"]) if row else None


def _resource(row: Any) -> Resource:
    return Resource(
        name=row["name"],
        uid=row["uid"],
        owner=row["owner"],
        status=json.loads(row["status"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted_at=row["deleted_at"],
    )
