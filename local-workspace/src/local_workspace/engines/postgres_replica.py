"""A Postgres table that holds the rows of a Delta table: filled, refreshed and changed, each in one transaction with how
far it has come.

The place in the log (`Position`) is kept beside the rows, in a system schema of the same database. So whatever dies, and
whenever, rows and place agree. Readers never wait: they see the state before or the state after.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

import pyarrow as pa
from psycopg import Connection
from psycopg.sql import SQL, Composable, Identifier

from local_workspace.engines.delta_changes import Changes
from local_workspace.engines.postgres import Cluster
from local_workspace.engines.postgres_copy import copy_rows, postgres_type
from local_workspace.engines.postgres_roles import SUPERUSER_GROUP, role_exists

BATCH_ROWS = 32_768

SYSTEM: tuple[LiteralString, ...] = (
    "CREATE SCHEMA IF NOT EXISTS __db_system",
    """
    CREATE TABLE IF NOT EXISTS __db_system.synced_tables (
        name text PRIMARY KEY,
        source text NOT NULL,
        version bigint NOT NULL,
        synced_at timestamptz NOT NULL DEFAULT now()
    )
    """,
)
POSITION: LiteralString = "SELECT source, version FROM __db_system.synced_tables WHERE name = %s"
MOVE: LiteralString = """
INSERT INTO __db_system.synced_tables (name, source, version) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET source = excluded.source, version = excluded.version, synced_at = now()
"""
FORGET: LiteralString = "DELETE FROM __db_system.synced_tables WHERE name = %s"
DATABASE_NUMBER: LiteralString = "SELECT oid FROM pg_database WHERE datname = current_database()"
TABLE_EXISTS: LiteralString = "SELECT to_regclass(%s) IS NOT NULL"
COLUMNS: LiteralString = (
    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
)


@dataclass(frozen=True)
class Position:
    """How far a replica has come.

    Attributes:
        source: the directory of the Delta table.
        version: of the last commit whose changes are in.
    """

    source: str
    version: int


@dataclass(frozen=True)
class Shape:
    """What a replica is to be.

    Attributes:
        name: what the place in the log is kept under.
        key: the columns of the primary key; rows with a null in one are left out.
        newest_by: of several rows with the same key, the one with the largest value here stays.
        lengths: columns that become varchar(n).
    """

    name: str
    schema: str
    table: str
    key: tuple[str, ...]
    newest_by: str | None = None
    lengths: tuple[tuple[str, int], ...] = ()


class Replica:
    """One table in one database; `open` first."""

    def __init__(self, cluster: Cluster, database: str, shape: Shape) -> None:
        self._cluster = cluster
        self._database = database
        self._shape = shape
        self._target = Identifier(shape.schema, shape.table)

    @contextmanager
    def open(self) -> Generator["ReplicaSession"]:
        """A connection to work on it.

        Raises:
            ClusterDown: Postgres is away.
        """
        with self._cluster.admin(self._database) as connection:
            yield ReplicaSession(connection, self._shape)

    def exists(self) -> bool:
        """Whether there is a table of that name in Postgres, ours or not."""
        with self._cluster.admin(self._database) as connection:
            row = connection.execute(TABLE_EXISTS, (self._target.as_string(connection),)).fetchone()
            return bool(row and row[0])

    def prepare(self) -> None:
        """Make what it needs around it: the role that will own it, its schema, the system schema."""
        with self._cluster.admin(self._database) as connection, connection.transaction():
            writer = Identifier(_writer(connection))
            connection.execute(
                SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(
                    Identifier(self._shape.schema), writer
                )
            )
            for statement in SYSTEM:
                connection.execute(statement)

    def forget(self) -> None:
        """Stop remembering the place in the log; the table stays."""
        with self._cluster.admin(self._database) as connection:
            connection.execute(FORGET, (self._shape.name,))


class ReplicaSession:
    """A replica with a connection; each change is a transaction of its own."""

    def __init__(self, connection: Connection, shape: Shape) -> None:
        self._connection = connection
        self._shape = shape
        self._target = Identifier(shape.schema, shape.table)

    def position(self) -> Position | None:
        """How far it has come; None before it was filled."""
        row = self._connection.execute(POSITION, (self._shape.name,)).fetchone()
        return Position(*row) if row else None

    def fill(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch], position: Position) -> int:
        """Create the table with these rows; the number of rows that are in it."""
        with self._connection.transaction():
            self._create(schema)
            if self._shape.newest_by is None:
                rows = self._copy_in(self._target, batches)
                self._add_key()
            else:
                self._add_key()
                self._stage(batches)
                rows = self._upsert(schema.names)
            self._move(position)
        return rows

    def refresh(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch], position: Position) -> int:
        """Make its rows these, touching only those that differ; indexes, grants and readers are left alone."""
        with self._connection.transaction():
            self._add_missing_columns(schema)
            self._stage(batches)
            rows = self._upsert(
                self._columns()
            )  # those that the source has no more are null in what is staged
            self._connection.execute(
                SQL("DELETE FROM {} AS kept WHERE NOT EXISTS (SELECT FROM incoming WHERE {})").format(
                    self._target, self._same_key("kept", "incoming")
                )
            )
            self._move(position)
        return rows

    def apply(self, steps: Iterable[Changes], position: Position) -> int:
        """Carry out changes; the number of rows touched."""
        touched = 0
        with self._connection.transaction():
            for changes in steps:
                touched += self._delete(changes) + self._put(changes.inserted)
            self._move(position)
        return touched

    def _create(self, schema: pa.Schema) -> None:
        lengths = dict(self._shape.lengths)
        columns = [
            SQL("{} {}").format(
                Identifier(field.name),
                SQL("varchar({})").format(lengths[field.name])
                if field.name in lengths
                else postgres_type(field),
            )
            for field in schema
        ]
        writer = Identifier(_writer(self._connection))
        names = {"table": self._target, "writer": writer}
        self._connection.execute(SQL("CREATE TABLE {} ({})").format(self._target, SQL(", ").join(columns)))
        self._connection.execute(SQL("ALTER TABLE {table} OWNER TO {writer}").format(**names))
        # Its owner may index, grant and drop it, and must not write: the next sync would not know.
        self._connection.execute(
            SQL("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {table} FROM {writer}").format(**names)
        )

    def _add_key(self) -> None:
        self._connection.execute(SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(self._target, self._key()))

    def _add_missing_columns(self, schema: pa.Schema) -> None:
        known = self._columns()
        for field in schema:
            if field.name not in known:
                self._connection.execute(
                    SQL("ALTER TABLE {} ADD COLUMN {} {}").format(
                        self._target, Identifier(field.name), postgres_type(field)
                    )
                )

    def _columns(self) -> list[str]:
        found = self._connection.execute(COLUMNS, (self._target.as_string(self._connection),)).fetchall()
        return [name for (name,) in found]

    def _stage(self, batches: Iterable[pa.RecordBatch]) -> int:
        """Rows into a temporary table `incoming`, which ends with the transaction."""
        self._connection.execute("DROP TABLE IF EXISTS pg_temp.incoming")
        self._connection.execute(
            SQL("CREATE TEMPORARY TABLE incoming (LIKE {}) ON COMMIT DROP").format(self._target)
        )
        return self._copy_in(Identifier("incoming"), batches)

    def _copy_in(self, table: Composable, batches: Iterable[pa.RecordBatch]) -> int:
        return copy_rows(self._connection, table, (self._with_key(batch) for batch in batches))

    def _with_key(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows that have a whole key."""
        for name in self._shape.key:
            if batch.column(name).null_count:
                batch = batch.filter(batch.column(name).is_valid())
        return batch

    def _put(self, rows: pa.Table) -> int:
        if not rows.num_rows or not self._stage(rows.to_batches(BATCH_ROWS)):
            return 0
        return self._upsert(rows.schema.names)

    def _upsert(self, names: Sequence[str]) -> int:
        """The staged rows into the table; rows that are there already, and the same, are left alone."""
        columns = SQL(", ").join(map(Identifier, names))
        others = [name for name in names if name not in self._shape.key]
        statement = SQL(
            "INSERT INTO {} AS kept ({}) SELECT {} FROM incoming {} ON CONFLICT ({}) DO {}"
        ).format(self._target, columns, columns, self._newest(), self._key(), self._update(others))
        return self._connection.execute(statement).rowcount

    def _newest(self) -> Composable:
        """Several rows with one key are an error of the source, unless it says which of them counts."""
        if self._shape.newest_by is None:
            return SQL("")
        return SQL(
            "JOIN (SELECT DISTINCT ON ({key}) ctid AS place FROM incoming ORDER BY {key}, {newest} DESC NULLS LAST)"
            " AS newest ON incoming.ctid = newest.place"
        ).format(key=self._key(), newest=Identifier(self._shape.newest_by))

    def _update(self, names: Sequence[str]) -> Composable:
        if not names:
            return SQL("NOTHING")
        assignments = SQL(", ").join(SQL("{0} = excluded.{0}").format(Identifier(name)) for name in names)
        different = SQL("({}) IS DISTINCT FROM ({})").format(_row("kept", names), _row("excluded", names))
        if self._shape.newest_by is not None:
            newer = SQL("excluded.{0} >= kept.{0}").format(Identifier(self._shape.newest_by))
            different = SQL("{} AND {}").format(different, newer)
        return SQL("UPDATE SET {} WHERE {}").format(assignments, different)

    def _delete(self, changes: Changes) -> int:
        """Delete the keys that are gone; those of rows that merely changed stay."""
        key, newest_by = list(self._shape.key), self._shape.newest_by
        gone = changes.deleted.select([*key, newest_by] if newest_by else key)
        if gone.num_rows and changes.inserted.num_rows:
            gone = gone.join(changes.inserted.select(key), key, join_type="left anti")
        if not gone.num_rows or not self._stage(gone.to_batches(BATCH_ROWS)):
            return 0
        same = self._same_key("kept", "incoming")
        if newest_by:
            same = SQL("{0} AND kept.{1} IS NOT DISTINCT FROM incoming.{1}").format(
                same, Identifier(newest_by)
            )
        statement = SQL("DELETE FROM {} AS kept USING incoming WHERE {}").format(self._target, same)
        return self._connection.execute(statement).rowcount

    def _move(self, position: Position) -> None:
        self._connection.execute(MOVE, (self._shape.name, position.source, position.version))

    def _key(self) -> Composable:
        return SQL(", ").join(map(Identifier, self._shape.key))

    def _same_key(self, left: str, right: str) -> Composable:
        return SQL(" AND ").join(
            SQL("{} = {}").format(Identifier(left, name), Identifier(right, name)) for name in self._shape.key
        )


def _row(table: str, names: Sequence[str]) -> Composable:
    return SQL(", ").join(Identifier(table, name) for name in names)


def _writer(connection: Connection) -> str:
    """The role that owns the synced tables of this database; project owners act as it, and nobody logs in as it."""
    row = connection.execute(DATABASE_NUMBER).fetchone()
    assert row is not None
    writer = f"databricks_writer_{row[0]}"
    if not role_exists(connection, writer):
        names = Identifier(writer), Identifier(SUPERUSER_GROUP)
        connection.execute(SQL("CREATE ROLE {} NOLOGIN").format(names[0]))
        connection.execute(SQL("GRANT {} TO {}").format(*names))
    return writer
