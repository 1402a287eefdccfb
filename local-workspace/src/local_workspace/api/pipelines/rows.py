"""Pipelines, their updates and their event logs, as the workspace remembers them."""

import json
from dataclasses import dataclass, field
from typing import Any

from local_workspace.state import State

SCHEMA = """
CREATE TABLE IF NOT EXISTS pipelines (
    pipeline_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    creator TEXT NOT NULL,
    spec TEXT NOT NULL,             -- JSON, as it was given
    modified_at INTEGER NOT NULL,   -- Unix milliseconds
    wanted INTEGER NOT NULL         -- 1: a continuous pipeline that is to run
);
CREATE TABLE IF NOT EXISTS pipeline_updates (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    update_id TEXT NOT NULL UNIQUE,
    pipeline_id TEXT NOT NULL REFERENCES pipelines(pipeline_id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    cause TEXT NOT NULL,
    created_at INTEGER NOT NULL,    -- Unix milliseconds
    request TEXT NOT NULL           -- JSON of what start_update was asked
);
CREATE INDEX IF NOT EXISTS updates_of_pipeline ON pipeline_updates (pipeline_id, number);
CREATE TABLE IF NOT EXISTS pipeline_events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    pipeline_id TEXT NOT NULL REFERENCES pipelines(pipeline_id) ON DELETE CASCADE,
    level TEXT NOT NULL,
    at TEXT NOT NULL,               -- ISO 8601, UTC
    body TEXT NOT NULL              -- JSON of the event
);
CREATE INDEX IF NOT EXISTS events_of_pipeline ON pipeline_events (pipeline_id, number);
"""

EVENTS_KEPT = 5_000
"""Events of a pipeline that are kept; older ones go."""

FINAL = ("COMPLETED", "FAILED", "CANCELED")
UPDATES_LISTED = 25
COPIES = "synced_table"
"""The setting of a pipeline that keeps a synced table up to date and runs no code of anybody's."""


@dataclass(frozen=True)
class Pipeline:
    """A pipeline as it is wanted; `spec` is what its creator gave."""

    pipeline_id: str
    name: str
    creator: str
    spec: dict[str, Any]
    modified_at: int
    wanted: bool = False

    @property
    def continuous(self) -> bool:
        """True when it runs until it is stopped."""
        return bool(self.spec.get("continuous"))

    @property
    def copies(self) -> bool:
        """True when it belongs to a synced table."""
        return COPIES in self.spec


@dataclass(frozen=True)
class UpdateRow:
    """One run of a pipeline; `request` has the selections and flags of start_update."""

    update_id: str
    pipeline_id: str
    state: str
    cause: str
    created_at: int
    request: dict[str, Any] = field(default_factory=dict)


class PipelineRows:
    """Reads and writes of the three tables."""

    def __init__(self, state: State) -> None:
        self._state = state
        state.define(SCHEMA)

    def save(self, pipeline: Pipeline) -> None:
        """Insert a pipeline or replace it."""
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO pipelines VALUES (:id, :name, :creator, :spec, :modified_at, :wanted)"
                " ON CONFLICT (pipeline_id) DO UPDATE SET name = :name, spec = :spec,"
                " modified_at = :modified_at, wanted = :wanted",
                {
                    "id": pipeline.pipeline_id,
                    "name": pipeline.name,
                    "creator": pipeline.creator,
                    "spec": json.dumps(pipeline.spec),
                    "modified_at": pipeline.modified_at,
                    "wanted": pipeline.wanted,
                },
            )

    def find(self, pipeline_id: str) -> Pipeline | None:
        """The pipeline of that id."""
        row = self._state.one("SELECT * FROM pipelines WHERE pipeline_id = :id", id=pipeline_id)
        return _pipeline(row) if row else None

    def all(self) -> list[Pipeline]:
        """All pipelines, by name."""
        return [_pipeline(row) for row in self._state.all("SELECT * FROM pipelines ORDER BY name")]

    def set_wanted(self, pipeline_id: str, *, wanted: bool) -> None:
        """Say whether a continuous pipeline is to run."""
        with self._state.transaction() as connection:
            connection.execute("UPDATE pipelines SET wanted = ? WHERE pipeline_id = ?", (wanted, pipeline_id))

    def delete(self, pipeline_id: str) -> None:
        """Forget a pipeline with its updates and events."""
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM pipelines WHERE pipeline_id = ?", (pipeline_id,))

    def add_update(self, update: UpdateRow) -> None:
        """Enter an update."""
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO pipeline_updates (update_id, pipeline_id, state, cause, created_at, request)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    update.update_id,
                    update.pipeline_id,
                    update.state,
                    update.cause,
                    update.created_at,
                    json.dumps(update.request),
                ),
            )

    def set_state(self, update_id: str, state: str) -> None:
        """Move an update on."""
        with self._state.transaction() as connection:
            connection.execute(
                "UPDATE pipeline_updates SET state = ? WHERE update_id = ?", (state, update_id)
            )

    def update(self, pipeline_id: str, update_id: str) -> UpdateRow | None:
        """One update of a pipeline."""
        row = self._state.one(
            "SELECT * FROM pipeline_updates WHERE update_id = :update AND pipeline_id = :pipeline",
            update=update_id,
            pipeline=pipeline_id,
        )
        return _update(row) if row else None

    def updates(self, pipeline_id: str) -> list[UpdateRow]:
        """The updates of a pipeline, newest first."""
        rows = self._state.all(
            "SELECT * FROM pipeline_updates WHERE pipeline_id = :id ORDER BY number DESC", id=pipeline_id
        )
        return [_update(row) for row in rows]

    def unfinished(self) -> list[UpdateRow]:
        """Updates that some earlier life of the workspace left without an end."""
        rows = self._state.all(
            "SELECT * FROM pipeline_updates WHERE state NOT IN ('COMPLETED', 'FAILED', 'CANCELED') ORDER BY number"
        )
        return [_update(row) for row in rows]

    def add_event(self, pipeline_id: str, event: dict[str, Any]) -> None:
        """Append to the event log; the oldest beyond EVENTS_KEPT go."""
        with self._state.transaction() as connection:
            number = connection.execute(
                "INSERT INTO pipeline_events (pipeline_id, level, at, body) VALUES (?, ?, ?, ?)",
                (pipeline_id, event["level"], event["timestamp"], json.dumps(event)),
            ).lastrowid
            connection.execute(
                "DELETE FROM pipeline_events WHERE pipeline_id = ? AND number <= ?",
                (pipeline_id, (number or 0) - EVENTS_KEPT),
            )

    def events(self, pipeline_id: str) -> list[dict[str, Any]]:
        """The event log, oldest first."""
        rows = self._state.all(
            "SELECT number, body FROM pipeline_events WHERE pipeline_id = :id ORDER BY number", id=pipeline_id
        )
        return [
            json.loads(row["body"]) | {"sequence": {"control_plane_seq_no": row["number"]}} for row in rows
        ]


def _pipeline(row: Any) -> Pipeline:
    return Pipeline(
        row["pipeline_id"],
        row["name"],
        row["creator"],
        json.loads(row["spec"]),
        row["modified_at"],
        bool(row["wanted"]),
    )


def _update(row: Any) -> UpdateRow:
    return UpdateRow(
        row["update_id"],
        row["pipeline_id"],
        row["state"],
        row["cause"],
        row["created_at"],
        json.loads(row["request"]),
    )
