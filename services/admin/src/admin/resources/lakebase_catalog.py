"""A Lakebase database registered as a catalog of Unity Catalog."""

from datetime import timedelta

from databricks.sdk import WorkspaceClient
from databricks.sdk.common.lro import LroOptions
from databricks.sdk.errors import NotFound
from databricks.sdk.service.postgres import Catalog, CatalogCatalogSpec

from admin.resources.kind import Declared, Found

PATIENCE = timedelta(minutes=5)


class LakebaseCatalog:
    """Named as in Unity Catalog. Specification: `branch` and `database`, its name in Postgres."""

    patience_s = PATIENCE.total_seconds()
    parents = ()

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace
        self._postgres = workspace.postgres

    def read(self, wanted: Declared) -> Found | None:
        try:
            self._postgres.get_catalog(_path(wanted))
        except NotFound:
            return None
        return Found(_path(wanted), maker=self._maker(wanted))

    def _maker(self, wanted: Declared) -> str:
        try:
            return self._workspace.catalogs.get(wanted.name).created_by or ""
        except NotFound:
            return ""

    def create(self, wanted: Declared) -> str:
        spec = CatalogCatalogSpec(postgres_database=wanted.spec["database"], branch=wanted.spec["branch"])
        operation = self._postgres.create_catalog(Catalog(spec=spec), catalog_id=wanted.name)
        # A branch takes one operation at a time: the next may only start when this one is over.
        operation.wait(LroOptions(timeout=PATIENCE))
        return _path(wanted)

    def update(self, wanted: Declared) -> None:
        """A registration does not change."""

    def delete(self, wanted: Declared) -> None:
        self._postgres.delete_catalog(_path(wanted)).wait(LroOptions(timeout=PATIENCE))


def _path(wanted: Declared) -> str:
    return f"catalogs/{wanted.name}"
