"""A Unity Catalog table that the admin itself fills or defines; tables of a pipeline belong to the pipeline."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import LiteralString

from caspers.clients.warehouse import Warehouse
from caspers.names import quoted
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound

from admin.resources.kind import Declared, Found

COLUMN_TYPES: Mapping[str, LiteralString] = {
    "BIGINT": "BIGINT",
    "INT": "INT",
    "DOUBLE": "DOUBLE",
    "STRING": "STRING",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "DECIMAL(10,2)": "DECIMAL(10,2)",
    "TIMESTAMP": "TIMESTAMP",
}
"""The column types of `caspers.model.tables`, as text that may stand in a statement."""

CHANGE_FEED = "delta.enableChangeDataFeed"
CHANGE_FEED_ON: LiteralString = "TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"

READ_PARQUET: LiteralString = "SELECT * FROM read_files(:path, format => 'parquet')"


class TextTable:
    """A table of text columns, empty when it is made. Specification: `columns`, their names; more may be added."""

    patience_s = 120.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient, warehouse: Callable[[], Warehouse]) -> None:
        self._workspace = workspace
        self._warehouse = warehouse

    def read(self, wanted: Declared) -> Found | None:
        try:
            table = self._workspace.tables.get(wanted.name)
        except NotFound:
            return None
        there = {column.name for column in table.columns or []}
        columns = [column for column in wanted.spec.get("columns", []) if column in there]
        return Found(
            table.table_id or wanted.name, settings={"columns": columns}, maker=table.created_by or ""
        )

    def create(self, wanted: Declared) -> str:
        columns = ", ".join([quoted(column) + " STRING" for column in wanted.spec["columns"]])
        self._warehouse().execute("CREATE TABLE IF NOT EXISTS " + quoted(wanted.name) + " (" + columns + ")")
        return wanted.name

    def update(self, wanted: Declared) -> None:
        found = self.read(wanted)
        there = found.settings["columns"] if found else []
        missing = [column for column in wanted.spec["columns"] if column not in there]
        if missing:
            added: LiteralString = ", ".join([quoted(column) + " STRING" for column in missing])
            self._warehouse().execute("ALTER TABLE " + quoted(wanted.name) + " ADD COLUMNS (" + added + ")")

    def delete(self, wanted: Declared) -> None:
        self._workspace.tables.delete(wanted.name)


class DeltaTable:
    """An empty table that a worker will fill.

    Specification: `columns` (names and types), `key`, `change_feed` (whether others may follow its changes).
    """

    patience_s = 120.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient, warehouse: Callable[[], Warehouse]) -> None:
        self._workspace = workspace
        self._warehouse = warehouse

    def read(self, wanted: Declared) -> Found | None:
        try:
            table = self._workspace.tables.get(wanted.name)
        except NotFound:
            return None
        feed = (table.properties or {}).get(CHANGE_FEED) == "true"
        return Found(
            table.table_id or wanted.name, settings={"change_feed": feed}, maker=table.created_by or ""
        )

    def create(self, wanted: Declared) -> str:
        columns = ", ".join([_column(wanted, *column) for column in wanted.spec["columns"]])
        statement = "CREATE TABLE IF NOT EXISTS " + quoted(wanted.name) + " (" + columns + ")"
        self._warehouse().execute(statement + (" " + CHANGE_FEED_ON if wanted.spec["change_feed"] else ""))
        return wanted.name

    def update(self, wanted: Declared) -> None:
        """Columns do not change; a feed can be switched on."""
        if wanted.spec["change_feed"]:
            self._warehouse().execute("ALTER TABLE " + quoted(wanted.name) + " SET " + CHANGE_FEED_ON)

    def delete(self, wanted: Declared) -> None:
        self._workspace.tables.delete(wanted.name)


class PipelineTable:
    """A table that a pipeline makes when it first runs; here it is only waited for."""

    patience_s = 900.0
    parents = ("pipeline",)

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def read(self, wanted: Declared) -> Found | None:
        found = _read(self._workspace, wanted)
        return None if found is None else replace(found, maker="")

    def create(self, wanted: Declared) -> str:
        """The pipeline does it."""
        return wanted.name

    def update(self, wanted: Declared) -> None:
        """It is the pipeline's."""

    def delete(self, wanted: Declared) -> None:
        """It goes with its pipeline."""


class ParquetTable:
    """A table with the rows of a parquet file. Specification: `dataset` (a folder in a volume), `file`."""

    patience_s = 300.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient, warehouse: Callable[[], Warehouse]) -> None:
        self._workspace = workspace
        self._warehouse = warehouse

    def read(self, wanted: Declared) -> Found | None:
        return _read(self._workspace, wanted)

    def create(self, wanted: Declared) -> str:
        self._load(wanted)
        return wanted.name

    def update(self, wanted: Declared) -> None:
        self._load(wanted)

    def delete(self, wanted: Declared) -> None:
        self._workspace.tables.delete(wanted.name)

    def _load(self, wanted: Declared) -> None:
        statement = "CREATE OR REPLACE TABLE " + quoted(wanted.name) + " AS " + READ_PARQUET
        self._warehouse().execute(statement, {"path": f"{wanted.spec['dataset']}/{wanted.spec['file']}"})


def _column(wanted: Declared, name: str, sql_type: str) -> LiteralString:
    return quoted(name) + " " + COLUMN_TYPES[sql_type] + (" NOT NULL" if name in wanted.spec["key"] else "")


def _read(workspace: WorkspaceClient, wanted: Declared) -> Found | None:
    try:
        table = workspace.tables.get(wanted.name)
    except NotFound:
        return None
    return Found(table.table_id or wanted.name, maker=table.created_by or "")
