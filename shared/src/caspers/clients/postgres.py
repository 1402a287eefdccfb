"""Postgres as the product uses it: one transaction per request or worker step, committed at the edge, nowhere else.

Reading and writing are different types, so a page cannot change anything by accident. Driver errors leave here as
the five kinds of `caspers.errors`. Where the database is and who we are is the business of the `connect` function
that is passed in (see `clients.lakebase`).
"""

import select
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, Executable, Row, TextClause, create_engine, event, text
from sqlalchemy import exc as alchemy
from sqlalchemy.pool import ConnectionPoolEntry

from caspers.clock import SystemClock
from caspers.errors import CaspersError, Conflict, Invalid, NotFound, Refused, Unavailable
from caspers.names import identifier

_CLOCK = SystemClock()
#: Connections that stay open once they were needed; those beyond cost a login each time.
POOL_SIZE = 8
POOL_OVERFLOW = 2
#: Seconds to wait for a free connection of the pool.
POOL_TIMEOUT_S = 10
#: Seconds after which a pooled connection is replaced, well before the platform cuts idle sessions.
POOL_RECYCLE_S = 3_000

#: Seconds that a read may take: somebody waits for it.
READ_PATIENCE_S = 10
#: Seconds that a connection is trusted to live on after it was last used, unless its socket says otherwise.
TRUSTED_S = 1.0

#: Opens a new connection of the driver; called whenever the pool or a listener needs one.
Connect = Callable[[], psycopg.Connection[Any]]

_KINDS: tuple[tuple[type[psycopg.Error], type[CaspersError]], ...] = (
    (psycopg.errors.InsufficientPrivilege, Refused),
    (psycopg.errors.InvalidAuthorizationSpecification, Refused),
    (psycopg.errors.UndefinedTable, NotFound),
    (psycopg.errors.InvalidSchemaName, NotFound),
    (psycopg.errors.InvalidCatalogName, NotFound),
    (psycopg.errors.ReadOnlySqlTransaction, Refused),
    (psycopg.errors.SerializationFailure, Unavailable),
    (psycopg.errors.DeadlockDetected, Unavailable),
    (psycopg.IntegrityError, Conflict),
    (psycopg.OperationalError, Unavailable),
    (psycopg.InterfaceError, Unavailable),
)


class Reader:
    """What only reads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, statement: LiteralString | Executable, /, **values: Any) -> list[Row[Any]]:
        """All rows of a query; `:name` in the statement is bound to `values`."""
        return list(self._connection.execute(_executable(statement), values).all())

    def row(self, statement: LiteralString | Executable, /, **values: Any) -> Row[Any] | None:
        """The first row, or None when there is none."""
        return self._connection.execute(_executable(statement), values).first()


class Writer(Reader):
    """A transaction that may change things; it commits when its block ends well."""

    def execute(self, statement: LiteralString | Executable, /, **values: Any) -> int:
        """Run a statement; the number of rows it touched (-1 where that means nothing)."""
        return self._connection.execute(_executable(statement), values).rowcount


class Postgres:
    """A pool of connections to one database, safe to share between threads."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._writing = _pool(connect)
        self._reading = _pool(self._connect_to_read, isolation_level="AUTOCOMMIT")

    @contextmanager
    def reading(self) -> Generator[Reader, None, None]:
        """Reads, one round trip each: every statement sees what is committed when it begins."""
        with translated(), self._reading.connect() as connection:
            yield Reader(connection)

    @contextmanager
    def transaction(self) -> Generator[Writer, None, None]:
        """A transaction that commits at the end of the block and rolls back when the block raises."""
        with translated(), self._writing.begin() as connection:
            yield Writer(connection)

    def connection(self) -> psycopg.Connection[Any]:
        """A connection of the caller's own, outside the pool and in autocommit: for listening and for leases."""
        with translated():
            connection = self._connect()
            connection.autocommit = True
            return connection

    def listen(self, channel: str) -> psycopg.Connection[Any]:
        """A connection of the caller's own that listens on `channel`; read it with `notifies`."""
        connection = self.connection()
        with translated():
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(identifier(channel))))
        return connection

    def close(self) -> None:
        self._reading.dispose()
        self._writing.dispose()

    def _connect_to_read(self) -> psycopg.Connection[Any]:
        connection = self._connect()
        connection.autocommit = True
        connection.execute("SET default_transaction_read_only = on")
        connection.execute("SELECT set_config('statement_timeout', %s, false)", [f"{READ_PATIENCE_S}s"])
        return connection


def _pool(connect: Connect, **options: Any) -> Engine:
    """An engine whose connections are asked whether they still live when that is in doubt."""
    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_TIMEOUT_S,
        pool_recycle=POOL_RECYCLE_S,
        **options,
    )
    event.listen(engine, "checkin", _note_return)
    event.listen(engine, "checkout", _check_life)
    return engine


def _note_return(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["returned_s"] = _CLOCK.monotonic()


def _check_life(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Raises `DisconnectionError`, at which the pool opens another one; a server that went away takes all with it."""
    returned_s = record.info.get("returned_s")
    just_used = returned_s is None or _CLOCK.monotonic() - returned_s < TRUSTED_S
    if just_used and not _was_told_something(connection):
        return
    try:
        connection.execute("SELECT 1")
        if not connection.autocommit:
            connection.rollback()
    except psycopg.Error as error:
        raise alchemy.DisconnectionError from error


def _was_told_something(connection: psycopg.Connection[Any]) -> bool:
    """Whether an idle connection has something to read: a server's farewell, or its end. No round trip."""
    if connection.closed:
        return True
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    return bool(watch.poll(0))


@contextmanager
def translated() -> Generator[None, None, None]:
    """Turn whatever the driver or SQLAlchemy raises into one of the five kinds, the cause kept."""
    try:
        yield
    except alchemy.TimeoutError as error:
        raise Unavailable(f"no database connection became free within {POOL_TIMEOUT_S} s") from error
    except alchemy.DBAPIError as error:
        raise _kind(error.orig)(f"Postgres: {_first_line(error.orig)}") from error
    except psycopg.Error as error:
        raise _kind(error)(f"Postgres: {_first_line(error)}") from error


def _kind(error: BaseException | None) -> type[CaspersError]:
    return next((kind for driver_error, kind in _KINDS if isinstance(error, driver_error)), Invalid)


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _executable(statement: LiteralString | Executable) -> Executable:
    return _parsed(statement) if isinstance(statement, str) else statement


@cache
def _parsed(statement: str) -> TextClause:
    """Statements are literals, so there are few of them, and each is looked through for its names once."""
    return text(statement)


def login_parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Connection parameters with the time limits and keep-alives that every connection of ours gets."""
    return {
        "connect_timeout": 10,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        **values,
    }
