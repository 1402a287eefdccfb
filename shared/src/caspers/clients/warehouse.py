"""SQL statements on a warehouse: literal text with named parameters in, Arrow tables out.

One session is kept open and opened anew when it is lost; statements run one at a time (make another `Warehouse` for
work side by side). A read is repeated once after a lost session or connection, a write only where the server said
that it never ran it.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, LiteralString, TypeVar

import pyarrow as pa
from databricks import sql
from databricks.sdk import WorkspaceClient
from databricks.sql import exc
from databricks.sql.client import Connection, Cursor

from caspers.clients.platform_errors import PLATFORM_ERRORS, from_platform
from caspers.errors import CaspersError, Invalid, NotFound, Refused, Unavailable

T = TypeVar("T")

#: Values of a statement's parameters, `:name` in its text.
Values = Mapping[str, Any]

#: The kernel's own error codes that mean the session is gone and the statement was never run.
_SESSION_LOST = frozenset({"NotFound", "InvalidStatementHandle", "Unauthenticated"})
#: Those that leave open whether it ran.
_CONNECTION_LOST = frozenset({"NetworkError", "Unavailable", "Timeout"})

#: The connector parses a signature whenever it opens a session, and two threads that parse at once may fail: the parser of
#: CPython 3.11 counts its depth for all threads together ("AST constructor recursion depth mismatch").
_OPENING = threading.Lock()

#: The connector by itself tries for over a minute; a worker backs off and a page says what is wrong much earlier.
_PATIENCE = {
    "_retry_stop_after_attempts_count": 3,
    "_retry_delay_min": 1.0,
    "_retry_delay_max": 2.0,
}

_KINDS: dict[str | None, type[CaspersError]] = {
    "InvalidArgument": Invalid,
    "SqlError": Invalid,
    "PermissionDenied": Refused,
    "Unauthenticated": Refused,
    "NotFound": NotFound,
}

#: SQLSTATE → kind, where the server names one: missing tables, schemas, functions, columns; missing rights.
_SQL_STATES: dict[str, type[CaspersError]] = {
    "42P01": NotFound,
    "42704": NotFound,
    "42883": NotFound,
    "42501": Refused,
}

#: Classes of SQLSTATE, its first two characters, that speak of the moment and not of the statement: a lost connection, a
#: write that somebody else's came before, too few resources, an engine that is not there, a disk that fails.
_PASSING_STATES = frozenset({"08", "2D", "40", "53", "57", "58"})


class Warehouse:
    """A SQL warehouse of the workspace, with this process's own identity."""

    def __init__(self, workspace: WorkspaceClient, warehouse_id: str) -> None:
        self._workspace = workspace
        self._warehouse_id = warehouse_id
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def query(self, statement: LiteralString, values: Values | None = None) -> pa.Table:
        """The result of a statement that only reads. Raises `Invalid` with the engine's message for bad SQL."""

        def fetch(cursor: Cursor) -> pa.Table:
            return cursor.fetchall_arrow()

        return self._run(statement, values, fetch, repeat_after=_SESSION_LOST | _CONNECTION_LOST)

    def execute(self, statement: LiteralString, values: Values | None = None) -> int:
        """Run a statement that changes something; the number of rows it touched, -1 where that is not known."""

        def count(cursor: Cursor) -> int:
            return cursor.rowcount

        return self._run(statement, values, count, repeat_after=_SESSION_LOST)

    def query_text(self, statement: str) -> pa.Table:
        """The result of a statement that a person typed. For `caspers sql` only: never pass text made by code."""
        return self.query(statement)  # pyright: ignore[reportArgumentType]  the person is the author of the text

    def close(self) -> None:
        with self._lock:
            self._forget()

    def _run(
        self,
        statement: LiteralString,
        values: Values | None,
        result: Callable[[Cursor], T],
        *,
        repeat_after: frozenset[str],
    ) -> T:
        with self._lock:
            reused = self._connection is not None
            try:
                return self._once(statement, values, result)
            except exc.Error as error:
                if not (reused and _code(error) in repeat_after):
                    raise _translated(error) from error
            try:
                return self._once(statement, values, result)
            except exc.Error as error:
                raise _translated(error) from error

    def _once(self, statement: LiteralString, values: Values | None, result: Callable[[Cursor], T]) -> T:
        if self._connection is None:
            self._connection = self._open()
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement, dict(values) if values else None)
                return result(cursor)
        except exc.Error as error:
            if _code(error) in _SESSION_LOST | _CONNECTION_LOST:
                self._forget()
            raise

    def _open(self) -> Connection:
        try:
            with _OPENING:
                return sql.connect(
                    server_hostname=self._workspace.config.host or "",
                    http_path=f"/sql/1.0/warehouses/{self._warehouse_id}",
                    use_kernel=True,
                    enable_telemetry=False,
                    **_PATIENCE,
                    user_agent_entry="caspers",
                    **_credentials(self._workspace),
                )
        except PLATFORM_ERRORS as error:
            raise from_platform(f"opening a session on warehouse {self._warehouse_id}", error) from error

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except exc.Error:
                return  # a lost session cannot be closed, and need not be


def _credentials(workspace: WorkspaceClient) -> dict[str, Any]:
    """The connector's words for the identity that the SDK uses."""
    config = workspace.config
    if config.auth_type == "oauth-m2m":
        return {
            "auth_type": "oauth-m2m",
            "oauth_client_id": config.client_id,
            "oauth_client_secret": config.client_secret,
        }
    # Whatever else the SDK logged in with ends in a bearer token; a new session takes a fresh one.
    return {"access_token": config.token or config.authenticate()["Authorization"].removeprefix("Bearer ")}


def _code(error: exc.Error) -> str | None:
    return getattr(error, "code", None)


def _translated(error: exc.Error) -> CaspersError:
    state = getattr(error, "sql_state", None) or ""
    if state[:2] in _PASSING_STATES:
        return Unavailable(str(error.message))
    by_class = Invalid if isinstance(error, exc.ServerOperationError) else Unavailable
    kind = _SQL_STATES.get(state) or _KINDS.get(_code(error), by_class)
    return kind(str(error.message))
