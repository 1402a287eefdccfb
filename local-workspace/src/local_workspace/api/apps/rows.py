"""Apps and their deployments as the workspace remembers them."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from local_workspace.state import State

SCHEMA = """
CREATE TABLE IF NOT EXISTS apps (
    name TEXT PRIMARY KEY,
    port INTEGER NOT NULL,      -- of the app's URL
    body TEXT NOT NULL          -- JSON of App
);
CREATE TABLE IF NOT EXISTS app_deployments (
    deployment_id TEXT PRIMARY KEY,
    app TEXT NOT NULL REFERENCES apps(name) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    body TEXT NOT NULL          -- JSON of Deployment
);
"""

Compute = Literal["ACTIVE", "STOPPED", "DELETING"]
DeploymentState = Literal["IN_PROGRESS", "SUCCEEDED", "FAILED", "CANCELLED"]


@dataclass(frozen=True)
class App:
    """An app as it is wanted.

    Attributes:
        port: the loopback port of its URL; stays the same as long as nobody else takes it.
        client_id: its service principal's application id.
        resources: what is attached to it, as the wire has it.
        settings: further fields that are kept and answered, and have no effect here.
        updated: whether its settings were changed since it was created.
        deployment: the id of the deployment that runs, or is to run once compute is active.
    """

    name: str
    id: str
    port: int
    creator: str
    client_id: str
    compute: Compute
    created_at: str
    updated_at: str
    description: str = ""
    resources: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    source_code_path: str | None = None
    deployment: str | None = None
    updated: bool = False


@dataclass(frozen=True)
class Deployment:
    """One version of an app's source with what it is started with."""

    deployment_id: str
    app: str
    creator: str
    source_code_path: str
    mode: str
    command: list[str]
    environment: list[dict[str, str]]
    state: DeploymentState
    message: str
    created_at: str
    updated_at: str


def rfc3339(moment: datetime) -> str:
    """A moment as the API writes it."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


class AppRows:
    """The tables of apps and deployments."""

    def __init__(self, state: State) -> None:
        self._state = state
        state.define(SCHEMA)

    def all(self) -> list[App]:
        return [
            App(**json.loads(row["body"])) for row in self._state.all("SELECT body FROM apps ORDER BY name")
        ]

    def find(self, name: str) -> App | None:
        row = self._state.one("SELECT body FROM apps WHERE name = :name", name=name)
        return App(**json.loads(row["body"])) if row else None

    def put(self, app: App) -> App:
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO apps VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET port = excluded.port, body = excluded.body",
                (app.name, app.port, json.dumps(vars(app))),
            )
        return app

    def remove(self, name: str) -> None:
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM apps WHERE name = ?", (name,))

    def deployments(self, app: str) -> list[Deployment]:
        """Newest first."""
        rows = self._state.all(
            "SELECT body FROM app_deployments WHERE app = :app ORDER BY created_at DESC, rowid DESC", app=app
        )
        return [Deployment(**json.loads(row["body"])) for row in rows]

    def find_deployment(self, app: str, deployment_id: str) -> Deployment | None:
        row = self._state.one(
            "SELECT body FROM app_deployments WHERE app = :app AND deployment_id = :deployment_id",
            app=app,
            deployment_id=deployment_id,
        )
        return Deployment(**json.loads(row["body"])) if row else None

    def put_deployment(self, deployment: Deployment) -> Deployment:
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO app_deployments VALUES (?, ?, ?, ?)",
                (
                    deployment.deployment_id,
                    deployment.app,
                    deployment.created_at,
                    json.dumps(vars(deployment)),
                ),
            )
        return deployment

    def remove_deployment(self, deployment_id: str) -> None:
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM app_deployments WHERE deployment_id = ?", (deployment_id,))
