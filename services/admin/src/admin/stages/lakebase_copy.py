"""The copies of Delta tables that a reviewers' console reads: a Lakebase project, its database, synced tables in it.

What changes a Lakebase branch stands in a chain, because a branch takes one operation at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from caspers.model.tables import Table

from admin.declarations import Output, Resource
from admin.stages.demo import Demo
from admin.stages.specifications import lakebase_database


@dataclass(frozen=True)
class SyncedCopy:
    """A continuous copy of `source`, named `table` in the schema of the same name on both sides."""

    what: str
    """What it holds; in the keys of its resources."""
    source: Table
    table: str
    newest_by: str
    """The column by which the console looks for what is new; it gets an index."""

    @property
    def key(self) -> str:
        return f"synced {self.what}"


@dataclass(frozen=True)
class LakebaseCopy:
    """A project of Lakebase with synced tables; the keys of its resources begin with `key`."""

    key: str
    project: str
    catalog: str
    """The catalog of Unity Catalog that stands for the database."""
    database: str
    schema: str
    copies: tuple[SyncedCopy, ...]

    @property
    def project_key(self) -> str:
        return f"{self.key} project"

    @property
    def database_key(self) -> str:
        return f"{self.key} database"

    def resources(self, demo: Demo) -> tuple[Resource, ...]:
        """Project, database, its registration, and every copy with its index."""
        registration = f"{self.key} database catalog"
        return (
            Resource(self.project_key, "lakebase_project", self.project),
            Resource(
                self.database_key, "lakebase_database", self.database, lakebase_database(self.project_key)
            ),
            Resource(
                registration,
                "lakebase_catalog",
                self.catalog,
                {"branch": Output(self.project_key, "branch"), "database": self.database},
                needs=(self.database_key,),
            ),
            *self._synced_tables(demo, registration),
        )

    def access(self, app_key: str, app_name: str) -> tuple[Resource, ...]:
        """The right of an app to read each copy."""
        return tuple(
            Resource(
                self.access_key(copy),
                "synced_access",
                app_name,
                {
                    **self._postgres(),
                    "schema": self.schema,
                    "table": copy.table,
                    "role": Output(f"{app_key} app", "principal"),
                },
                needs=(copy.key,),
            )
            for copy in self.copies
        )

    def access_key(self, copy: SyncedCopy) -> str:
        """The key of the right to read one copy."""
        return f"access to {copy.key}"

    def _synced_tables(self, demo: Demo, registration: str) -> Iterator[Resource]:
        before = registration
        for copy in self.copies:
            yield self._synced_table(demo, copy, before)
            before = f"{copy.what} by moment"
            yield Resource(
                before,
                "postgres_index",
                f"{copy.table}_{copy.newest_by}",
                {**self._postgres(), "schema": self.schema, "table": copy.table, "column": copy.newest_by},
                needs=(copy.key,),
            )

    def _synced_table(self, demo: Demo, copy: SyncedCopy, before: str) -> Resource:
        return Resource(
            copy.key,
            "synced_table",
            demo.names.table(f"{self.schema}.{copy.table}"),
            {
                **self._postgres(),
                "branch": Output(self.project_key, "branch"),
                "source": demo.names.table(copy.source.name),
                "key": list(copy.source.key),
                "pipeline_storage": {"catalog": demo.names.catalog, "schema": self.schema},
            },
            needs=(before, f"table {copy.source.short_name}"),
        )

    def _postgres(self) -> dict[str, Any]:
        return {"endpoint": Output(self.project_key, "endpoint"), "database": self.database}
