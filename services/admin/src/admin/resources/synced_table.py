"""A synced table: a Delta table that the platform keeps a copy of in Postgres.

It is two things. The platform's own entry goes when it is deleted, while the copy in Postgres stays; here both
are made and removed together, and a copy without an entry is a synced table that failed.
"""

from contextlib import suppress
from datetime import timedelta
from typing import LiteralString

from caspers.errors import NotFound as NothingThere
from databricks.sdk import WorkspaceClient
from databricks.sdk.common.lro import LroOptions
from databricks.sdk.errors import NotFound
from databricks.sdk.service.postgres import (
    NewPipelineSpec,
    SyncedTable,
    SyncedTableState,
    SyncedTableSyncedTableSpec,
    SyncedTableSyncedTableStatus,
)
from databricks.sdk.service.postgres import (
    SyncedTableSyncedTableSpecSyncedTableSchedulingPolicy as Policy,
)

from admin.resources.control_schema import Databases
from admin.resources.kind import Declared, Found, Readiness

PATIENCE = timedelta(minutes=5)
FAILED = {SyncedTableState.SYNCED_TABLE_OFFLINE_FAILED, SyncedTableState.SYNCED_TABLE_ONLINE_PIPELINE_FAILED}
ONLINE = "SYNCED_TABLE_ONLINE"

COPY: LiteralString = """
SELECT count(*) AS copies FROM information_schema.tables WHERE table_schema = :schema AND table_name = :table
"""
NAME_COPY: LiteralString = """
SELECT set_config('caspers.schema', :schema, true), set_config('caspers.table', :table, true)
"""
DROP_COPY: LiteralString = """
DO $$ BEGIN
    EXECUTE format('DROP TABLE IF EXISTS %I.%I', current_setting('caspers.schema'), current_setting('caspers.table'));
END $$
"""


class ContinuousSyncedTable:
    """Named in Unity Catalog; schema and table are called the same in Postgres.

    Specification: `branch`, `endpoint`, `database`, `source` (the Delta table), `key` (its columns) and
    `pipeline_storage` (`catalog` and `schema` for what the sync itself writes down).
    """

    patience_s = 1_800.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient, databases: Databases) -> None:
        self._tables = workspace.tables
        self._postgres = workspace.postgres
        self._databases = databases

    def read(self, wanted: Declared) -> Found | None:
        try:
            status = self._postgres.get_synced_table(_path(wanted)).status
        except NotFound:
            left = self._has_copy(wanted)
            message = "its copy in Postgres was left behind"
            return Found(_path(wanted), "failed", message=message) if left else None
        state, message = readiness(status)
        return Found(_path(wanted), state, maker=self._maker(wanted), message=message)

    def _maker(self, wanted: Declared) -> str:
        try:
            return self._tables.get(wanted.name).created_by or ""
        except NotFound:
            return ""

    def create(self, wanted: Declared) -> str:
        storage = wanted.spec["pipeline_storage"]
        spec = SyncedTableSyncedTableSpec(
            branch=wanted.spec["branch"],
            postgres_database=wanted.spec["database"],
            source_table_full_name=wanted.spec["source"],
            primary_key_columns=list(wanted.spec["key"]),
            scheduling_policy=Policy.CONTINUOUS,
            create_database_objects_if_missing=True,
            new_pipeline_spec=NewPipelineSpec(
                storage_catalog=storage["catalog"], storage_schema=storage["schema"]
            ),
        )
        self._postgres.create_synced_table(SyncedTable(spec=spec), synced_table_id=wanted.name)
        return _path(wanted)

    def update(self, wanted: Declared) -> None:
        """Nothing of it can be changed; one that failed is made anew, as it is only a copy."""
        found = self.read(wanted)
        if found is not None and found.state == "failed":
            self.delete(wanted)
            self.create(wanted)

    def delete(self, wanted: Declared) -> None:
        with suppress(NotFound):  # perhaps only its copy was left
            self._postgres.delete_synced_table(_path(wanted)).wait(LroOptions(timeout=PATIENCE))
        if not wanted.spec:
            return  # its database is gone, and its copy with it
        with self._databases(wanted.spec["endpoint"], wanted.spec["database"]).transaction() as writer:
            writer.row(NAME_COPY, **_in_postgres(wanted))
            writer.execute(DROP_COPY)

    def _has_copy(self, wanted: Declared) -> bool:
        if not wanted.spec:
            return False
        try:
            with self._databases(wanted.spec["endpoint"], wanted.spec["database"]).reading() as reader:
                row = reader.row(COPY, **_in_postgres(wanted))
        except NothingThere:
            return False
        return row is not None and row.copies > 0


def readiness(status: SyncedTableSyncedTableStatus | None) -> tuple[Readiness, str]:
    """Whether the copy is there and follows its source, with the platform's own words. Pure."""
    state = status.detailed_state if status else None
    message = (status.message if status else "") or ""
    if state is None:
        return "working", message or "it is being made"
    if state in FAILED:
        return "failed", message or state.value
    return ("ready" if state.value.startswith(ONLINE) else "working"), message or state.value


def _path(wanted: Declared) -> str:
    return f"synced_tables/{wanted.name}"


def _in_postgres(wanted: Declared) -> dict[str, str]:
    _catalog, schema, table = wanted.name.split(".")
    return {"schema": schema, "table": table}
