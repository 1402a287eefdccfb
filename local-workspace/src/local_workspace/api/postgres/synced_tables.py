"""Synced tables: tables of Unity Catalog whose rows are kept in a Postgres database, for applications to read.

The entry in Unity Catalog decides what exists: when it is dropped, also together with its schema or catalog, or its project
is purged or its database deleted, the syncing ends. The table in Postgres stays, as on the platform.
"""

import re
import threading
from pathlib import Path
from typing import Any

from local_workspace import ids
from local_workspace.api.pipelines.rows import COPIES, Pipeline, PipelineRows
from local_workspace.api.postgres.catalogs import CATALOG_TYPE
from local_workspace.api.postgres.rows import rfc3339
from local_workspace.api.postgres.rules import Lakebase
from local_workspace.api.postgres.synced_table_follower import Follower, Progress, SourceGone
from local_workspace.api.postgres.synced_table_rows import SyncedTable, SyncedTableRows
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.api.unity_catalog.securables import Table, TableSpec
from local_workspace.clock import milliseconds
from local_workspace.engines import delta_changes
from local_workspace.engines.delta_changes import LogGap, UnreadableTable
from local_workspace.engines.postgres_copy import UnsupportedType, postgres_type
from local_workspace.engines.postgres_replica import Replica, Shape
from local_workspace.errors import (
    AlreadyExists,
    BadRequest,
    InvalidParameterValue,
    NotFound,
    NotImplementedHere,
)
from local_workspace.identity import Principal
from local_workspace.state import State

CHANGE_FEED = "delta.enableChangeDataFeed"
FULL_NAME = re.compile(r"[A-Za-z0-9_]+\.[A-Za-z0-9_]+\.[A-Za-z0-9_]+")
POLICIES = ("SNAPSHOT", "TRIGGERED", "CONTINUOUS")
NOT_SUPPORTED = ("extra_columns", "existing_pipeline_id")
VARCHAR = "PG_SPECIFIC_TYPE_VARCHAR"
CHECK_EVERY_S = 1.0
UPDATE_POLL_S = 0.05


class SyncedTables:
    """Creates, watches and deletes synced tables; each has a follower that copies."""

    def __init__(
        self, state: State, lakebase: Lakebase, unity_catalog: UnityCatalog, admin: Principal
    ) -> None:
        self._state = state
        self._rows = SyncedTableRows(state)
        self._pipelines = PipelineRows(state)
        self._admin = admin
        self._lakebase = lakebase
        self._unity_catalog = unity_catalog
        self._followers: dict[str, Follower] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._watch_entries, name="synced tables", daemon=True)

    def start(self) -> None:
        """Go on with all of them."""
        self._reconcile()
        self._watch.start()

    def stop(self) -> None:
        """End all followers, side by side."""
        self._stopping.set()
        with self._lock:
            followers = list(self._followers.values())
        for follower in followers:
            follower.ask_to_stop()
        for follower in followers:
            follower.stop()
        if self._watch.is_alive():
            self._watch.join()

    def create(self, caller: Principal, full_name: str, spec: dict[str, Any]) -> SyncedTable:
        """Enter a synced table and begin to copy.

        Raises:
            InvalidParameterValue: something in the spec is missing or makes no sense for this source.
            BadRequest: the source has no change data feed, and the policy needs it.
            AlreadyExists: Unity Catalog or Postgres has a table of this name.
        """
        full_name = _checked_name(full_name)
        source = self._source_table(caller, spec)
        spec = _checked(spec, source)
        branch, database = self._target(caller, full_name, spec)
        shape = _shape(full_name, spec)
        self._lakebase.get(caller, branch)
        if self._unity_catalog.find_table(full_name) is not None:
            raise AlreadyExists(f"{full_name} exists already.")
        project_id = branch.split("/")[1]
        with self._lakebase.exclusive(project_id) as cluster:
            replica = Replica(cluster, database, shape)
            if replica.exists():
                raise AlreadyExists(
                    f'The database {database} has a table "{shape.schema}"."{shape.table}" already; drop it first.'
                )
            self._make_schema(caller, full_name)
            replica.prepare()
            replica.forget()
        with self._lock:
            self._forget_stale(full_name)
            with self._state.transaction():
                table = self._entered(
                    caller, full_name, source, {**spec, "branch": branch, "postgres_database": database}
                )
            self._follow(table)
        return table

    def get(self, caller: Principal, full_name: str) -> SyncedTable:
        """Raises NotFound when there is none of that name."""
        table = self._rows.find(full_name.lower())
        entry = self._entry(table) if table else None
        if table is None or entry is None:
            raise NotFound(f"The synced table {full_name} was not found.")
        self._unity_catalog.require_visible(caller, entry)
        return table

    def visible(self, caller: Principal) -> list[SyncedTable]:
        """All that the caller may see."""
        found = {table.full_name: table for table in self._rows.all()}
        entries = [entry for table in found.values() if (entry := self._entry(table)) is not None]
        return [found[entry.full_name] for entry in self._unity_catalog.visible(caller, entries)]

    def delete(self, caller: Principal, full_name: str) -> None:
        """End the syncing and drop the entry; the table in Postgres stays."""
        table = self.get(caller, full_name)
        self._unity_catalog.drop_table(caller, table.full_name)
        with self._lock:
            self._end(table)

    def progress(self, table: SyncedTable) -> Progress:
        """How far it is."""
        follower = self._followers.get(table.uid)
        return follower.progress if follower else Progress()

    def bring_up_to_date(self, pipeline_id: str, stopping: threading.Event) -> str | None:
        """An update of the pipeline behind a synced table: returns when it is done; a sentence if it failed."""
        table = self._rows.of_pipeline(pipeline_id)
        follower = self._followers.get(table.uid) if table else None
        if table is None or follower is None:
            return "The synced table of this pipeline is gone."
        request = follower.refresh()
        while not follower.has_done(request) and not stopping.wait(UPDATE_POLL_S):
            if follower.has_failed(request):
                return follower.progress.failure
        return None

    def _entered(self, caller: Principal, full_name: str, source: Table, spec: dict[str, Any]) -> SyncedTable:
        """The entry in Unity Catalog, its pipeline, and what we remember of it."""
        now = self._lakebase.clock.now()
        pipeline_id = ids.new_uuid()
        catalog, schema, _ = full_name.split(".")
        entry = self._unity_catalog.register_table(
            caller,
            TableSpec(
                full_name=full_name, table_type="FOREIGN", columns=source.columns, pipeline_id=pipeline_id
            ),
        )
        settings = {
            "name": f"Synced table {full_name}",
            "catalog": catalog,
            "schema": schema,
            COPIES: full_name,
        }
        self._pipelines.save(
            Pipeline(pipeline_id, settings["name"], caller.name, settings, milliseconds(now))
        )
        table = SyncedTable(
            full_name=full_name,
            uid=ids.new_uuid(),
            table_id=entry.table_id,
            pipeline_id=pipeline_id,
            creator=caller.name,
            branch=spec["branch"],
            postgres_database=spec["postgres_database"],
            spec=spec,
            created_at=rfc3339(now),
        )
        self._rows.add(table)
        return table

    def _follow(self, table: SyncedTable) -> None:
        replica = Replica(
            self._lakebase.cluster(table.project_id),
            table.postgres_database,
            _shape(table.full_name, table.spec),
        )
        follower = Follower(
            replica,
            lambda: self._location(table),
            self._lakebase.clock,
            Progress(filled=table.filled),
            continuous=table.policy == "CONTINUOUS",
            incremental=table.policy != "SNAPSHOT",
        )
        self._followers[table.uid] = follower
        follower.start()

    def _end(self, table: SyncedTable) -> None:
        self._pause(table)
        self._rows.remove(table.uid)
        self._pipelines.delete(table.pipeline_id)

    def _watch_entries(self) -> None:
        while not self._stopping.wait(CHECK_EVERY_S):
            self._reconcile()

    def _reconcile(self) -> None:
        """Follow what has an entry; end what has none, or whose project is gone for good."""
        with self._lock:
            for table in self._rows.all():
                project = self._lakebase.rows.find(f"projects/{table.project_id}")
                if project is None or not self._has_database(table) or self._entry(table) is None:
                    self._end(table)
                    self._drop_entry(table)
                elif project.deleted_at is not None:
                    self._pause(table)
                elif table.uid not in self._followers and not self._stopping.is_set():
                    self._follow(table)
                elif not table.filled and self.progress(table).filled:
                    self._rows.note_filled(table.uid)

    def _pause(self, table: SyncedTable) -> None:
        follower = self._followers.pop(table.uid, None)
        if follower is not None:
            follower.stop()

    def _has_database(self, table: SyncedTable) -> bool:
        known = self._lakebase.rows.children(table.branch, "databases")
        return table.postgres_database in [it.status["postgres_database"] for it in known]

    def _forget_stale(self, full_name: str) -> None:
        """An entry of that name was dropped a moment ago and nobody has looked yet."""
        stale = self._rows.find(full_name)
        if stale is not None:
            self._end(stale)

    def _entry(self, table: SyncedTable) -> Table | None:
        """Its entry in Unity Catalog, if that still is the one it was created with."""
        entry = self._unity_catalog.find_table(table.full_name)
        return entry if entry is not None and entry.table_id == table.table_id else None

    def _drop_entry(self, table: SyncedTable) -> None:
        if self._entry(table) is not None:
            self._unity_catalog.drop_table(self._admin, table.full_name, if_exists=True)

    def _location(self, table: SyncedTable) -> Path:
        source = self._unity_catalog.find_table(table.source)
        if source is None or source.location is None:
            raise SourceGone(
                f"The source {table.source} was dropped. Create it again, or delete {table.full_name}."
            )
        return source.location

    def _source_table(self, caller: Principal, spec: dict[str, Any]) -> Table:
        name = spec.get("source_table_full_name")
        if not name:
            raise InvalidParameterValue("spec.source_table_full_name is required.")
        source = self._unity_catalog.table(name)
        self._unity_catalog.require(caller, "SELECT", "table", source.full_name)
        if source.location is None:
            raise NotImplementedHere(
                f"{source.full_name} is a {source.table_type.lower()}: the local workspace syncs Delta tables only."
            )
        return source

    def _target(self, caller: Principal, full_name: str, spec: dict[str, Any]) -> tuple[str, str]:
        """The branch and the database: those of a Lakebase catalog, or those given for a standard one."""
        catalog = self._unity_catalog.catalog(full_name.split(".", maxsplit=1)[0])
        branch, database = spec.get("branch"), spec.get("postgres_database")
        if catalog.catalog_type == CATALOG_TYPE:
            stands_for = catalog.options["branch"], catalog.options["postgres_database"]
            if (branch or stands_for[0], database or stands_for[1]) != stands_for:
                raise InvalidParameterValue(
                    f"Catalog {catalog.name} stands for the database {stands_for[1]} of {stands_for[0]}."
                )
            branch, database = stands_for
        if not branch or not database:
            raise InvalidParameterValue(
                "In a standard catalog, spec.branch and spec.postgres_database are required."
            )
        known = self._lakebase.children(caller, branch, "databases")
        if database not in [it.status["postgres_database"] for it in known]:
            raise NotFound(f"{branch} has no database {database!r}.")
        return branch, database

    def _make_schema(self, caller: Principal, full_name: str) -> None:
        """In a Lakebase catalog the schemas are those of Postgres, so a new one appears with its first table."""
        catalog, schema, _ = full_name.split(".")
        known = [it.name for it in self._unity_catalog.schemas(catalog)]
        if schema not in known and self._unity_catalog.catalog(catalog).catalog_type == CATALOG_TYPE:
            self._unity_catalog.create_schema(caller, f"{catalog}.{schema}")
        self._unity_catalog.schema(f"{catalog}.{schema}")


def _checked_name(full_name: str) -> str:
    if not FULL_NAME.fullmatch(full_name):
        raise InvalidParameterValue(
            f"synced_table_id is {full_name!r}; give catalog.schema.table, of letters, digits and underscores."
        )
    return full_name.lower()


def _checked(spec: dict[str, Any], source: Table) -> dict[str, Any]:
    """The spec with its names as the source writes them."""
    for name in NOT_SUPPORTED:
        if spec.get(name):
            raise NotImplementedHere(f"Synced tables with {name} are not supported by the local workspace.")
    policy = spec.get("scheduling_policy") or "SNAPSHOT"
    if policy not in POLICIES:
        raise InvalidParameterValue(f"scheduling_policy is {policy!r}; use one of {', '.join(POLICIES)}.")
    if policy != "SNAPSHOT" and source.properties.get(CHANGE_FEED, "false").lower() != "true":
        raise BadRequest(
            f"{policy} needs the change data feed of {source.full_name}, which is off. Turn it on with"
            f" ALTER TABLE {source.full_name} SET TBLPROPERTIES ('{CHANGE_FEED}' = 'true'), or use SNAPSHOT."
        )
    key = [_column(source, name) for name in spec.get("primary_key_columns") or []]
    if not key:
        raise InvalidParameterValue("spec.primary_key_columns is required: the columns that tell rows apart.")
    checked: dict[str, Any] = {
        "source_table_full_name": source.full_name,
        "scheduling_policy": policy,
        "primary_key_columns": key,
    }
    if spec.get("timeseries_key"):
        checked["timeseries_key"] = _column(source, spec["timeseries_key"])
    checked["type_overrides"] = [_override(source, it) for it in spec.get("type_overrides") or []]
    _check_types(source)
    return spec | checked


def _column(source: Table, name: str) -> str:
    found = [column.name for column in source.columns if column.name.lower() == name.lower()]
    if not found:
        raise InvalidParameterValue(f"{source.full_name} has no column {name!r}.")
    return found[0]


def _override(source: Table, override: dict[str, Any]) -> dict[str, Any]:
    if override.get("pg_type") != VARCHAR:
        raise NotImplementedHere("The local workspace supports type overrides to VARCHAR only.")
    size = override.get("size")
    if not isinstance(size, int) or size < 1:
        raise InvalidParameterValue("A type override to VARCHAR needs a size of 1 or more.")
    return override | {"column_name": _column(source, override.get("column_name") or "")}


def _check_types(source: Table) -> None:
    assert source.location is not None
    try:
        for field in delta_changes.snapshot(source.location).schema:
            postgres_type(field)
    except (UnsupportedType, UnreadableTable, LogGap) as error:
        raise BadRequest(f"{source.full_name} cannot be synced. {error}") from error


def _shape(full_name: str, spec: dict[str, Any]) -> Shape:
    _, schema, table = full_name.split(".")
    overrides = spec.get("type_overrides") or []
    return Shape(
        name=full_name,
        schema=schema,
        table=table,
        key=tuple(spec["primary_key_columns"]),
        newest_by=spec.get("timeseries_key"),
        lengths=tuple((it["column_name"], it["size"]) for it in overrides),
    )
