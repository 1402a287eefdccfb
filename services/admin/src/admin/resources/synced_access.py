"""The right of an app to read the copy of a synced table in Postgres."""

from typing import LiteralString

from caspers.errors import NotFound

from admin.resources.control_schema import Databases
from admin.resources.kind import Declared, Found

MAY_READ: LiteralString = """
SELECT has_schema_privilege(:role, :schema, 'USAGE')
   AND has_table_privilege(:role, format('%I.%I', CAST(:schema AS text), CAST(:table AS text)), 'SELECT') AS may_read
  FROM pg_roles WHERE rolname = :role
"""
NAMES: LiteralString = """
SELECT set_config('caspers.role', :role, true), set_config('caspers.schema', :schema, true),
       set_config('caspers.table', :table, true)
"""
GRANT: LiteralString = """
DO $$ BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I',
                   current_setting('caspers.schema'), current_setting('caspers.role'));
    EXECUTE format('GRANT SELECT ON %I.%I TO %I', current_setting('caspers.schema'),
                   current_setting('caspers.table'), current_setting('caspers.role'));
END $$
"""
REVOKE: LiteralString = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_setting('caspers.role')) THEN
        EXECUTE format('REVOKE ALL ON %I.%I FROM %I', current_setting('caspers.schema'),
                       current_setting('caspers.table'), current_setting('caspers.role'));
    END IF;
END $$
"""
"""Names cannot be bound parameters of GRANT, so they travel as settings of the transaction and are quoted there."""


class SyncedAccess:
    """Named by the app. Specification: `endpoint`, `database`, `schema`, `table` and `role`, the app's principal.

    A table that was made anew has lost its grants; then they are given again.
    """

    patience_s = 120.0
    parents = ("synced_table",)

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def read(self, wanted: Declared) -> Found | None:
        spec = wanted.spec
        try:
            with self._databases(spec["endpoint"], spec["database"]).reading() as reader:
                row = reader.row(MAY_READ, role=spec["role"], schema=spec["schema"], table=spec["table"])
        except NotFound:
            return None
        return Found(wanted.name) if row is not None and row.may_read else None

    def create(self, wanted: Declared) -> str:
        spec = wanted.spec
        with self._databases(spec["endpoint"], spec["database"]).transaction() as writer:
            writer.row(NAMES, role=spec["role"], schema=spec["schema"], table=spec["table"])
            writer.execute(GRANT)
        return wanted.name

    def update(self, wanted: Declared) -> None:
        self.create(wanted)

    def delete(self, wanted: Declared) -> None:
        spec = wanted.spec
        with self._databases(spec["endpoint"], spec["database"]).transaction() as writer:
            writer.row(NAMES, role=spec["role"], schema=spec["schema"], table=spec["table"])
            writer.execute(REVOKE)
