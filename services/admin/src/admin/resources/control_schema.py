"""The schema of the control database, and who may use it."""

from collections.abc import Callable
from typing import LiteralString

from caspers.clients.lakebase import Lakebase
from caspers.errors import NotFound
from caspers.worker.orders import SCHEMA

from admin.resources.kind import Declared, Found
from admin.run_history import HISTORY_SCHEMA

Databases = Callable[[str, str], Lakebase]
"""A Lakebase database by endpoint and name."""

TABLES: LiteralString = """
SELECT count(*) AS tables FROM information_schema.tables WHERE table_schema = 'control'
"""
OUR_TABLES = 3

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

NAME_ROLE: LiteralString = "SELECT set_config('caspers.role', :role, true)"


class ControlSchema:
    """Named by its schema. Specification: `endpoint`, `database`."""

    patience_s = 120.0
    part_of_parent = True

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def read(self, wanted: Declared) -> Found | None:
        with _database(self._databases, wanted).reading() as reader:
            row = reader.row(TABLES)
        return Found(wanted.name) if row is not None and row.tables >= OUR_TABLES else None

    def create(self, wanted: Declared) -> str:
        with _database(self._databases, wanted).transaction() as writer:
            writer.execute(SCHEMA)
            writer.execute(HISTORY_SCHEMA)
        return wanted.name

    def update(self, wanted: Declared) -> None:
        self.create(wanted)

    def delete(self, wanted: Declared) -> None:
        """It goes with its database."""


class ControlAccess:
    """The right of one worker app to read its orders and to report. Specification: also `role`, the app's principal."""

    patience_s = 120.0
    part_of_parent = True

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
        """It goes with its database."""


def _database(databases: Databases, wanted: Declared) -> Lakebase:
    return databases(wanted.spec["endpoint"], wanted.spec["database"])
