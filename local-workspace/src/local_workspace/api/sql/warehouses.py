"""SQL warehouses: names and sizes for one engine, started by the first statement, stopped on request or when idle."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from local_workspace import ids
from local_workspace.api.permissions.rules import EVERYONE, Permissions
from local_workspace.clock import Clock
from local_workspace.errors import InvalidParameterValue, ResourceAlreadyExists, ResourceDoesNotExist
from local_workspace.identity import Principal
from local_workspace.state import State

OBJECT_TYPE = "warehouses"
DEFAULT_NAME = "Serverless Starter Warehouse"
DEFAULT_AUTO_STOP_MINS = 120
SIZES = (
    "2X-Small",
    "X-Small",
    "Small",
    "Medium",
    "Large",
    "X-Large",
    "2X-Large",
    "3X-Large",
    "4X-Large",
    "5X-Large",
)

SCHEMA = """
CREATE TABLE IF NOT EXISTS warehouses (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    creator TEXT NOT NULL,
    running INTEGER NOT NULL,
    settings TEXT NOT NULL          -- JSON of the fields that clients may set
);
"""

SETTABLE = {
    "auto_stop_mins",
    "channel",
    "cluster_size",
    "enable_photon",
    "enable_serverless_compute",
    "max_num_clusters",
    "min_num_clusters",
    "spot_instance_policy",
    "tags",
    "warehouse_type",
}
DEFAULTS: dict[str, Any] = {
    "auto_stop_mins": DEFAULT_AUTO_STOP_MINS,
    "cluster_size": "2X-Small",
    "enable_photon": True,
    "enable_serverless_compute": True,
    "max_num_clusters": 1,
    "min_num_clusters": 1,
    "warehouse_type": "PRO",
}


@dataclass(frozen=True)
class Warehouse:
    """A warehouse as it was last changed."""

    id: str
    name: str
    creator: str
    running: bool
    settings: dict[str, Any]

    def described(self) -> dict[str, Any]:
        """The warehouse as it goes over the wire."""
        return self.settings | {
            "id": self.id,
            "name": self.name,
            "creator_name": self.creator,
            "state": "RUNNING" if self.running else "STOPPED",
            "num_clusters": int(self.running),
            "odbc_params": {
                "hostname": "127.0.0.1",
                "path": f"/sql/1.0/warehouses/{self.id}",
                "protocol": "https",
            },
            "health": {"status": "HEALTHY"},
        }


class Warehouses:
    """All warehouses. Those who may use one start it; those who manage it stop, change and delete it."""

    def __init__(self, state: State, permissions: Permissions, clock: Clock) -> None:
        self._state = state
        self._permissions = permissions
        self._clock = clock
        self._used_at: dict[str, float] = {}
        state.define(SCHEMA)
        permissions.enforce(OBJECT_TYPE, lambda warehouse_id: self.get(warehouse_id).creator)

    def ensure_default(self, owner: Principal) -> None:
        """Make the warehouse that every workspace has and everyone may use."""
        if not self.list():
            made = self.create(owner, DEFAULT_NAME, {})
            everyone = ("group_name", EVERYONE, "CAN_USE")
            self._permissions.change(owner, OBJECT_TYPE, made.id, [everyone], replace=True)

    def list(self) -> list[Warehouse]:
        """All warehouses, oldest first."""
        return [self._current(row) for row in self._state.all("SELECT * FROM warehouses ORDER BY rowid")]

    def visible(self, caller: Principal) -> Sequence[Warehouse]:
        """Those that the caller may see, oldest first."""
        return [it for it in self.list() if self._permissions.may(caller, OBJECT_TYPE, it.id, "CAN_VIEW")]

    def allowed(self, caller: Principal, warehouse_id: str, level: str) -> Warehouse:
        """The warehouse, for a caller who has this level on it.

        Raises:
            ResourceDoesNotExist, PermissionDenied: there is none of that id, or it is not for the caller.
        """
        warehouse = self.get(warehouse_id)
        self._permissions.require(caller, OBJECT_TYPE, warehouse_id, level)
        return warehouse

    def get(self, warehouse_id: str) -> Warehouse:
        """Raises ResourceDoesNotExist when there is none of that id."""
        row = self._state.one("SELECT * FROM warehouses WHERE id = :id", id=warehouse_id)
        if row is None:
            raise ResourceDoesNotExist(f"SQL warehouse {warehouse_id} does not exist.")
        return self._current(row)

    def create(self, caller: Principal, name: str, settings: dict[str, Any]) -> Warehouse:
        """A new warehouse, running.

        Raises:
            ResourceAlreadyExists: the name is taken.
            InvalidParameterValue: a setting is out of range.
        """
        warehouse = Warehouse(
            ids.new_hex(), name, caller.name, running=True, settings=DEFAULTS | _valid(settings)
        )
        self._refuse_taken(warehouse)
        self._used_at[warehouse.id] = self._clock.monotonic()
        return self._save(warehouse)

    def edit(
        self, caller: Principal, warehouse_id: str, name: str | None, settings: dict[str, Any]
    ) -> Warehouse:
        """Change what is given."""
        warehouse = self.allowed(caller, warehouse_id, "CAN_MANAGE")
        changed = replace(
            warehouse, name=name or warehouse.name, settings=warehouse.settings | _valid(settings)
        )
        self._refuse_taken(changed)
        return self._save(changed)

    def use(self, caller: Principal, warehouse_id: str) -> Warehouse:
        """Note that a statement came; a stopped warehouse starts."""
        warehouse = self.allowed(caller, warehouse_id, "CAN_USE")
        self._used_at[warehouse_id] = self._clock.monotonic()
        return warehouse if warehouse.running else self._save(replace(warehouse, running=True))

    def stop(self, caller: Principal, warehouse_id: str) -> None:
        """Stop it until the next statement or start."""
        self._save(replace(self.allowed(caller, warehouse_id, "CAN_MANAGE"), running=False))

    def delete(self, caller: Principal, warehouse_id: str) -> None:
        """Forget it."""
        self.allowed(caller, warehouse_id, "CAN_MANAGE")
        self._permissions.forget(OBJECT_TYPE, warehouse_id)
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM warehouses WHERE id = ?", (warehouse_id,))

    def _current(self, row: Any) -> Warehouse:
        """The stored warehouse, stopped if it has been idle for longer than its auto-stop time."""
        warehouse = Warehouse(
            row["id"], row["name"], row["creator"], bool(row["running"]), json.loads(row["settings"])
        )
        limit_s = warehouse.settings["auto_stop_mins"] * 60
        used_at = self._used_at.setdefault(warehouse.id, self._clock.monotonic())
        idle = limit_s and self._clock.monotonic() - used_at > limit_s
        return replace(warehouse, running=False) if idle else warehouse

    def _refuse_taken(self, warehouse: Warehouse) -> None:
        taken = self._state.one("SELECT id FROM warehouses WHERE name = :name", name=warehouse.name)
        if taken is not None and taken["id"] != warehouse.id:
            raise ResourceAlreadyExists(
                f"A SQL warehouse named {warehouse.name!r} exists already; choose another name."
            )

    def _save(self, warehouse: Warehouse) -> Warehouse:
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO warehouses VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                " name = excluded.name, running = excluded.running, settings = excluded.settings",
                (
                    warehouse.id,
                    warehouse.name,
                    warehouse.creator,
                    warehouse.running,
                    json.dumps(warehouse.settings),
                ),
            )
        return warehouse


def _valid(settings: dict[str, Any]) -> dict[str, Any]:
    chosen = {name: value for name, value in settings.items() if name in SETTABLE and value is not None}
    size = chosen.get("cluster_size", SIZES[0])
    if size not in SIZES:
        raise InvalidParameterValue(f"{size!r} is not a cluster size; choose one of {', '.join(SIZES)}.")
    minutes = chosen.get("auto_stop_mins", 0)
    if not isinstance(minutes, int) or minutes < 0:
        raise InvalidParameterValue(
            f"auto_stop_mins must be 0 (never) or a number of minutes, not {minutes!r}."
        )
    return chosen
