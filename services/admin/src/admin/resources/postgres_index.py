"""An index on a Postgres table that somebody else makes: the one change that a synced table's copy allows."""

from typing import LiteralString

from admin.resources.control_schema import Databases
from admin.resources.kind import Declared, Found

THERE: LiteralString = (
    "SELECT count(*) AS there FROM pg_indexes WHERE schemaname = :schema AND indexname = :index"
)

NAMES: LiteralString = """
SELECT set_config('caspers.schema', :schema, true), set_config('caspers.table', :table, true),
       set_config('caspers.column', :column, true), set_config('caspers.index', :index, true)
"""
CREATE: LiteralString = """
DO $$ BEGIN
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I.%I (%I)',
                   current_setting('caspers.index'), current_setting('caspers.schema'),
                   current_setting('caspers.table'), current_setting('caspers.column'));
END $$
"""

DROP: LiteralString = """
DO $$ BEGIN
    EXECUTE format('DROP INDEX IF EXISTS %I.%I', current_setting('caspers.schema'), current_setting('caspers.index'));
END $$
"""


class PostgresIndex:
    """Named as in Postgres. Specification: `endpoint`, `database`, `schema`, `table`, `column`.

    It goes with its table, and comes back when the table was made anew.
    """

    patience_s = 300.0
    parents = ("synced_table",)

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def read(self, wanted: Declared) -> Found | None:
        with self._databases(wanted.spec["endpoint"], wanted.spec["database"]).reading() as reader:
            row = reader.row(THERE, schema=wanted.spec["schema"], index=wanted.name)
        return Found(wanted.name) if row is not None and row.there else None

    def create(self, wanted: Declared) -> str:
        spec = wanted.spec
        with self._databases(spec["endpoint"], spec["database"]).transaction() as writer:
            writer.row(
                NAMES, schema=spec["schema"], table=spec["table"], column=spec["column"], index=wanted.name
            )
            writer.execute(CREATE)
        return wanted.name

    def update(self, wanted: Declared) -> None:
        self.create(wanted)

    def delete(self, wanted: Declared) -> None:
        spec = wanted.spec
        with self._databases(spec["endpoint"], spec["database"]).transaction() as writer:
            writer.row(
                NAMES, schema=spec["schema"], table=spec["table"], column=spec["column"], index=wanted.name
            )
            writer.execute(DROP)
