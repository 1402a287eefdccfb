"""A Lakebase project with a catalog beside a Delta table, and what the tests of synced tables ask of them."""

import secrets
from typing import Any

import psycopg
from databricks.sdk.service import postgres as lakebase
from databricks.sdk.service.postgres import (
    SyncedTableSyncedTableSpec,
    SyncedTableSyncedTableStatus,
)
from databricks.sdk.service.postgres import (
    SyncedTableSyncedTableSpecSyncedTableSchedulingPolicy as Policy,
)

from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace, ServicePrincipal

CHANGE_FEED = "TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"
COLUMNS = "id INT, name STRING, price DECIMAL(10,2)"


class SyncedPair:
    """A Delta table `source` and the synced table `name` of it, in a project of their own."""

    def __init__(self, workspace: LocalWorkspace) -> None:
        self.workspace = workspace
        unique = secrets.token_hex(4)
        self.project = f"projects/p{unique}"
        self.branch = f"{self.project}/branches/production"
        self.catalog = f"src_{unique}"
        self.source = f"{self.catalog}.default.orders"
        self.pg_catalog = f"pg_{unique}"
        self.name = f"{self.pg_catalog}.kitchen.pg_orders"

    def set_up(self, columns: str = COLUMNS, properties: str = CHANGE_FEED) -> "SyncedPair":
        """Make the project, the catalogs and the empty source."""
        api = self.workspace.client.postgres
        spec = lakebase.ProjectSpec(display_name="synced")
        api.create_project(lakebase.Project(spec=spec), project_id=self.project.partition("/")[2]).wait()
        catalog = lakebase.CatalogCatalogSpec(postgres_database="databricks_postgres", branch=self.branch)
        api.create_catalog(lakebase.Catalog(spec=catalog), catalog_id=self.pg_catalog).wait()
        self.workspace.client.catalogs.create(self.catalog)
        self.run(f"CREATE TABLE {self.source} ({columns}) {properties}")
        return self

    def tear_down(self) -> None:
        """Drop everything."""
        self.workspace.client.postgres.delete_project(self.project, purge=True).wait()
        for catalog in (self.catalog, self.pg_catalog):
            self.workspace.client.catalogs.delete(catalog, force=True)

    def run(self, *statements: str) -> None:
        """Statements on the warehouse."""
        with self.workspace.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def create(self, policy: Policy = Policy.CONTINUOUS, **more: Any) -> None:
        """Make the synced table and wait until its rows are there."""
        self.ask(policy, **more)
        self.wait_for_state("SYNCED_TABLE_ONLINE")

    def ask(self, policy: Policy = Policy.CONTINUOUS, **more: Any) -> None:
        """Make the synced table."""
        given: dict[str, Any] = {
            "source_table_full_name": self.source,
            "primary_key_columns": ["id"],
            **more,
        }
        spec = SyncedTableSyncedTableSpec(scheduling_policy=policy, **given)
        api = self.workspace.client.postgres
        api.create_synced_table(lakebase.SyncedTable(spec=spec), synced_table_id=self.name).wait()

    def status(self) -> SyncedTableSyncedTableStatus:
        """How it is."""
        found = self.workspace.client.postgres.get_synced_table(f"synced_tables/{self.name}").status
        assert found is not None
        return found

    def wait_for_state(self, beginning: str) -> SyncedTableSyncedTableStatus:
        """Return when the state's name begins like this."""

        def reached() -> SyncedTableSyncedTableStatus | None:
            status = self.status()
            state = status.detailed_state
            return status if state is not None and state.value.startswith(beginning) else None

        status = wait_for(reached, seconds=20, what=f"the synced table is {beginning}")
        assert status is not None
        return status

    def delete(self) -> None:
        """Delete the synced table."""
        self.workspace.client.postgres.delete_synced_table(f"synced_tables/{self.name}").wait()

    def connect(self, principal: ServicePrincipal | None = None) -> psycopg.Connection[Any]:
        """A connection to the database, as the project's owner or as somebody else."""
        client = principal.client if principal else self.workspace.client
        endpoint = f"{self.branch}/endpoints/primary"
        status = client.postgres.get_endpoint(endpoint).status
        assert status is not None
        assert status.hosts is not None
        host, _, port = (status.hosts.host or "").partition(":")
        return psycopg.connect(
            host=host,
            port=port or 5432,
            user=client.current_user.me().user_name,
            password=client.postgres.generate_database_credential(endpoint=endpoint).token,
            dbname="databricks_postgres",
            autocommit=True,
            prepare_threshold=None,
        )

    def rows(self, columns: str = "id, name", order: str = "id") -> list[tuple[Any, ...]]:
        """What Postgres has."""
        with self.connect() as connection:
            query = f"SELECT {columns} FROM kitchen.pg_orders ORDER BY {order}"
            return connection.execute(query.encode()).fetchall()

    def wait_for_rows(self, expected: list[tuple[Any, ...]], columns: str = "id, name") -> None:
        """Return when Postgres has exactly these."""
        wait_for(lambda: self.rows(columns) == expected, seconds=20, what=f"Postgres has {expected}")
