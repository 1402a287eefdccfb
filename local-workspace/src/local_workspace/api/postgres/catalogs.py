"""Postgres databases registered in Unity Catalog: a catalog that stands for a database of a branch."""

from typing import Any

from local_workspace.api.postgres.branch import Branch
from local_workspace.api.postgres.rules import Lakebase
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.api.unity_catalog.securables import Catalog
from local_workspace.errors import InvalidParameterValue, NotFound
from local_workspace.identity import Principal

CATALOG_TYPE = "MANAGED_ONLINE_CATALOG"


class DatabaseCatalogs:
    """Registers databases; the registration itself lives in Unity Catalog."""

    def __init__(self, unity_catalog: UnityCatalog, lakebase: Lakebase, branch: Branch) -> None:
        self._unity_catalog = unity_catalog
        self._lakebase = lakebase
        self._branch = branch

    def create(self, caller: Principal, catalog_id: str, spec: dict[str, Any]) -> Catalog:
        """Register a database, creating it when asked to.

        Raises:
            NotFound: the branch has no such database.
            InvalidParameterValue: the branch or the database is not named.
        """
        branch, database = spec.get("branch"), spec.get("postgres_database")
        if not branch or not database:
            raise InvalidParameterValue("spec.branch and spec.postgres_database are required.")
        self._lakebase.managed(caller, branch)
        known = [it.status["postgres_database"] for it in self._lakebase.rows.children(branch, "databases")]
        if database not in known:
            if not spec.get("create_database_if_missing"):
                raise NotFound(f"{branch} has no database {database!r}.")
            owner = self._branch.owner_role(branch)
            wanted = {"role": owner.name, "postgres_database": database}
            self._branch.create_database(caller, branch, database.replace("_", "-"), wanted, replace=False)
        options = {"branch": branch, "postgres_database": database}
        return self._unity_catalog.create_catalog(
            caller, catalog_id, options=options, catalog_type=CATALOG_TYPE
        )

    def get(self, caller: Principal, catalog_id: str) -> Catalog:
        """The registration of that name, for a caller who may see it."""
        catalog = self._unity_catalog.catalog(catalog_id)
        self._unity_catalog.require_visible(caller, catalog)
        if catalog.catalog_type != CATALOG_TYPE:
            raise NotFound(f"Catalog {catalog_id} stands for no Lakebase database.")
        return catalog

    def delete(self, caller: Principal, catalog_id: str) -> None:
        """Drop the registration; the database stays."""
        self.get(caller, catalog_id)
        self._unity_catalog.drop_catalog(caller, catalog_id, cascade=True)
