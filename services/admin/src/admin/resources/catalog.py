"""A Unity Catalog catalog: made if absent, used if it was there before us."""

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound

from admin.resources.kind import Declared, Found

MARK = "created_by"
OUR_MARK = "caspers"
"""A catalog without this property was here before us, and teardown leaves it."""


class Catalog:
    """Named by its plain name; specification: `storage_root` (optional, a managed location)."""

    patience_s = 120.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def read(self, wanted: Declared) -> Found | None:
        try:
            catalog = self._workspace.catalogs.get(wanted.name)
        except NotFound:
            return None
        return Found(wanted.name, shared=(catalog.properties or {}).get(MARK) != OUR_MARK)

    def create(self, wanted: Declared) -> str:
        self._workspace.catalogs.create(
            wanted.name,
            comment="Casper's Kitchens",
            properties={MARK: OUR_MARK},
            storage_root=wanted.spec.get("storage_root"),
        )
        return wanted.name

    def update(self, wanted: Declared) -> None:
        """Nothing of a catalog is ours to change."""

    def delete(self, wanted: Declared) -> None:
        self._workspace.catalogs.delete(wanted.name, force=True)
