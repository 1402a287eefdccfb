"""A Postgres database in a Lakebase project."""

from datetime import timedelta

from databricks.sdk import WorkspaceClient
from databricks.sdk.common.lro import LroOptions
from databricks.sdk.errors import NotFound
from databricks.sdk.service.postgres import Database, DatabaseDatabaseSpec

from admin.resources.kind import Declared, Found

PATIENCE = timedelta(minutes=5)


class LakebaseDatabase:
    """Named as in Postgres. Specification: `branch`, `owner` (a role's path). Offers `path`."""

    patience_s = PATIENCE.total_seconds()
    parents = ("lakebase_project",)

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._postgres = workspace.postgres

    def read(self, wanted: Declared) -> Found | None:
        path = _path(wanted)
        try:
            self._postgres.get_database(path)
        except NotFound:
            return None
        return Found(path, outputs={"path": path})

    def create(self, wanted: Declared) -> str:
        spec = DatabaseDatabaseSpec(role=wanted.spec["owner"], postgres_database=wanted.name)
        operation = self._postgres.create_database(
            wanted.spec["branch"], Database(spec=spec), database_id=_database_id(wanted.name)
        )
        # A branch takes one operation at a time: the next may only start when this one is over.
        operation.wait(LroOptions(timeout=PATIENCE))
        return _path(wanted)

    def update(self, wanted: Declared) -> None:
        """A database has no settings of ours."""

    def delete(self, wanted: Declared) -> None:
        self._postgres.delete_database(wanted.id).wait(LroOptions(timeout=PATIENCE))


def _path(wanted: Declared) -> str:
    return f"{wanted.spec['branch']}/databases/{_database_id(wanted.name)}"


def _database_id(name: str) -> str:
    """Ids are DNS names; a Postgres database may have underscores."""
    return name.replace("_", "-")
