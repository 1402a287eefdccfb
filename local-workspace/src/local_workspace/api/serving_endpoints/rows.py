"""Serving endpoints, as the workspace remembers them."""

import json
from dataclasses import dataclass
from typing import Any

from local_workspace.state import State

SCHEMA = """
CREATE TABLE IF NOT EXISTS serving_endpoints (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    creator TEXT,                   -- NULL where the workspace itself provides the endpoint
    created_at INTEGER NOT NULL,    -- Unix milliseconds
    updated_at INTEGER NOT NULL,    -- Unix milliseconds
    version INTEGER NOT NULL,       -- of the configuration, counted from 1
    entity TEXT NOT NULL,           -- JSON: what is served, with the keys of its provider
    labels TEXT NOT NULL            -- JSON: description and tags
);
"""


@dataclass(frozen=True)
class Endpoint:
    """A serving endpoint with the one entity it serves.

    Attributes:
        id: what permissions are given on.
        creator: its owner; None for those that the workspace itself provides.
        entity: the served entity as it was sent, keys included: it leaves the workspace by `entities.shown` only.
        labels: description and tags.
    """

    id: str
    name: str
    creator: str | None
    created_at: int
    updated_at: int
    version: int
    entity: dict[str, Any]
    labels: dict[str, Any]


class EndpointRows:
    """Reads and writes of the table."""

    def __init__(self, state: State) -> None:
        self._state = state
        state.define(SCHEMA)

    def insert(self, endpoint: Endpoint) -> bool:
        """Keep a new endpoint; False if its name is taken."""
        values = (
            endpoint.id, endpoint.name, endpoint.creator, endpoint.created_at, endpoint.updated_at,
            endpoint.version, json.dumps(endpoint.entity), json.dumps(endpoint.labels),
        )  # fmt: skip
        with self._state.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO serving_endpoints VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
                values,
            )
            return cursor.rowcount == 1

    def reconfigure(self, endpoint: Endpoint) -> None:
        """Keep what an endpoint serves from now on."""
        values = (endpoint.updated_at, endpoint.version, json.dumps(endpoint.entity), endpoint.id)
        with self._state.transaction() as connection:
            connection.execute(
                "UPDATE serving_endpoints SET updated_at = ?, version = ?, entity = ? WHERE id = ?", values
            )

    def find(self, name: str) -> Endpoint | None:
        """The endpoint of that name."""
        row = self._state.one("SELECT * FROM serving_endpoints WHERE name = :name", name=name)
        return _endpoint(row) if row else None

    def with_id(self, endpoint_id: str) -> Endpoint | None:
        """The endpoint of that id."""
        row = self._state.one("SELECT * FROM serving_endpoints WHERE id = :id", id=endpoint_id)
        return _endpoint(row) if row else None

    def all(self) -> list[Endpoint]:
        """All endpoints, by name."""
        return [_endpoint(row) for row in self._state.all("SELECT * FROM serving_endpoints ORDER BY name")]

    def delete(self, endpoint_id: str) -> None:
        """Forget an endpoint."""
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM serving_endpoints WHERE id = ?", (endpoint_id,))


def _endpoint(row: Any) -> Endpoint:
    return Endpoint(
        id=row["id"],
        name=row["name"],
        creator=row["creator"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
        entity=json.loads(row["entity"]),
        labels=json.loads(row["labels"]),
    )
