"""A Unity Catalog schema."""

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound

from admin.resources.kind import Declared, Found


class UcSchema:
    """Named "catalog.schema"; no specification."""

    patience_s = 60.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def read(self, wanted: Declared) -> Found | None:
        try:
            schema = self._workspace.schemas.get(wanted.name)
        except NotFound:
            return None
        return Found(schema.schema_id or wanted.name, maker=schema.created_by or "")

    def create(self, wanted: Declared) -> str:
        catalog, _, schema = wanted.name.partition(".")
        created = self._workspace.schemas.create(schema, catalog)
        return created.schema_id or wanted.name

    def update(self, wanted: Declared) -> None:
        """A schema has no settings of ours."""

    def delete(self, wanted: Declared) -> None:
        self._workspace.schemas.delete(wanted.name, force=True)
