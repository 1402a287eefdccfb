"""A Unity Catalog table that the admin itself fills or defines; tables of a pipeline belong to the pipeline."""

from collections.abc import Callable
from typing import LiteralString

from caspers.clients.warehouse import Warehouse
from caspers.names import quoted
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound

from admin.resources.kind import Declared, Found

READ_PARQUET: LiteralString = "SELECT * FROM read_files(:path, format => 'parquet')"


class TextTable:
    """An empty table of text columns. Specification: `columns`, their names."""

    patience_s = 120.0
    part_of_parent = False

    def __init__(self, workspace: WorkspaceClient, warehouse: Callable[[], Warehouse]) -> None:
        self._workspace = workspace
        self._warehouse = warehouse

    def read(self, wanted: Declared) -> Found | None:
        return _read(self._workspace, wanted)

    def create(self, wanted: Declared) -> str:
        columns = ", ".join([quoted(column) + " STRING" for column in wanted.spec["columns"]])
        self._warehouse().execute("CREATE TABLE IF NOT EXISTS " + quoted(wanted.name) + " (" + columns + ")")
        return wanted.name

    def update(self, wanted: Declared) -> None:
        """Its columns do not change."""

    def delete(self, wanted: Declared) -> None:
        self._workspace.tables.delete(wanted.name)


class ParquetTable:
    """A table with the rows of a parquet file. Specification: `dataset` (a folder in a volume), `file`."""

    patience_s = 300.0
    part_of_parent = False

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


def _read(workspace: WorkspaceClient, wanted: Declared) -> Found | None:
    try:
        workspace.tables.get(wanted.name)
    except NotFound:
        return None
    return Found(wanted.name)
