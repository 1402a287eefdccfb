"""The right to work: of all copies of a worker, the one that holds its lease steps, the others wait.

The lease is a Postgres advisory lock on a connection of its own. It needs no renewal and cannot be forgotten: when
the process dies or the database goes away, so does the lock.
"""

import threading
from contextlib import suppress
from typing import Any, LiteralString

import psycopg

from caspers.clients.postgres import Postgres, translated
from caspers.errors import CaspersError

#: First half of every lock key, so that our leases meet nobody else's advisory locks.
_LEASES = 0x6361_7370
_TAKE: LiteralString = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
_GIVE_BACK: LiteralString = "SELECT pg_advisory_unlock(%s, hashtext(%s))"


class Lease:
    """The lease of one worker, as seen by one copy of it; safe to use from several threads."""

    def __init__(self, database: Postgres, worker: str) -> None:
        self._database = database
        self._worker = worker
        self._connection: psycopg.Connection[Any] | None = None
        self._held = False
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Try to get it; False while another copy has it. Raises `Unavailable` when the database is away."""
        with self._lock:
            if self._held:
                return True
            if self._connection is None:
                self._connection = self._database.connection()
            try:
                with translated():
                    row = self._connection.execute(_TAKE, (_LEASES, self._worker)).fetchone()
            except CaspersError:
                self._drop()
                raise
            self._held = row is not None and bool(row[0])
            return self._held

    def held(self) -> bool:
        """Whether it is still ours, asked of the database; once lost, it must be taken again."""
        with self._lock:
            if self._connection is None or not self._held:
                return False
            try:
                self._connection.execute("SELECT 1")
            except psycopg.Error:
                self._drop()
                return False
            return True

    def release(self) -> None:
        """Let another copy have it, from this moment on; fine if it is not held."""
        with self._lock:
            if self._connection is not None and self._held:
                # The server notices some time later that a connection is closed.
                with suppress(psycopg.Error):
                    self._connection.execute(_GIVE_BACK, (_LEASES, self._worker))
            self._drop()

    def _drop(self) -> None:
        connection, self._connection, self._held = self._connection, None, False
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()
