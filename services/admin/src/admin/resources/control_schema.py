"""The workers' schema in the control database, and who may use it; the admin adds its own tables by itself."""

from collections.abc import Callable
from typing import LiteralString

from caspers.clients.lakebase import Lakebase
from caspers.errors import NotFound
from caspers.worker.orders import SCHEMA

from admin.resources.kind import Declared, Found

Databases = Callable[[str, str], Lakebase]
"""A Lakebase database by endpoint and name."""

TABLES: LiteralString = """
SELECT count(*) AS tables FROM information_schema.tables
 WHERE table_schema = 'control' AND table_name IN ('worker_orders', 'worker_reports')
"""
OUR_TABLES = 2

MAY_USE: LiteralString = """
SELECT has_table_privilege(:role, 'control.worker_orders', 'SELECT, UPDATE')
   AND has_table_privilege(:role, 'control.worker_reports', 'SELECT, UPDATE') AS may_use
  FROM pg_roles WHERE rolname = :role
"""

GRANT: LiteralString = """
DO $$ BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA control TO %I', current_setting('caspers.role'));
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON control.worker_orders, control.worker_reports TO %I',
                   current_setting('caspers.role'));
END $$
"""
"""A role cannot be a bound parameter of GRANT, so it travels as a setting of the transaction and is quoted there."""

REVOKE: LiteralString = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_setting('caspers.role')) THEN
        EXECUTE format('REVOKE ALL ON control.worker_orders, control.worker_reports FROM %I',
                       current_setting('caspers.role'));
        EXECUTE format('REVOKE ALL ON SCHEMA control FROM %I', current_setting('caspers.role'));
    END IF;
END $$
"""

NAME_ROLE: LiteralString = "SELECT set_config('caspers.role', :role, true)"


class ControlSchema:
    """Named by its schema. Specification: `endpoint`, `database`."""

    patience_s = 120.0
    parents = ("lakebase_project",)

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def read(self, wanted: Declared) -> Found | None:
        with _database(self._databases, wanted).reading() as reader:
            row = reader.row(TABLES)
        return Found(wanted.name) if row is not None and row.tables >= OUR_TABLES else None

    def create(self, wanted: Declared) -> str:
        with _database(self._databases, wanted).transaction() as writer:
            writer.execute(SCHEMA)
        return wanted.name

    def update(self, wanted: Declared) -> None:
        self.create(wanted)

    def delete(self, wanted: Declared) -> None:
        """It goes with its database."""


class ControlAccess:
    """The right of one worker app to read its orders and to report. Specification: also `role`, the app's principal."""

    patience_s = 120.0
    parents = ("lakebase_project",)

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def read(self, wanted: Declared) -> Found | None:
        try:
            with _database(self._databases, wanted).reading() as reader:
                row = reader.row(MAY_USE, role=wanted.spec["role"])
        except NotFound:
            return None
        return Found(wanted.name) if row is not None and row.may_use else None

    def create(self, wanted: Declared) -> str:
        with _database(self._databases, wanted).transaction() as writer:
            writer.row(NAME_ROLE, role=wanted.spec["role"])
            writer.execute(GRANT)
        return wanted.name

    def update(self, wanted: Declared) -> None:
        self.create(wanted)

    def delete(self, wanted: Declared) -> None:
        with _database(self._databases, wanted).transaction() as writer:
            writer.row(NAME_ROLE, role=wanted.spec["role"])
            writer.execute(REVOKE)


def _database(databases: Databases, wanted: Declared) -> Lakebase:
    return databases(wanted.spec["endpoint"], wanted.spec["database"])
