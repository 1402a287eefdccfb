"""The workspace's own state: one SQLite file, every change a transaction.

Families keep their tables in their own `rows.py`; this module only opens, locks and commits.
"""

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

BUSY_TIMEOUT_S = 10


class State:
    """A SQLite database shared by the threads of one process."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._lock = threading.RLock()
        self._depth = 0

    def define(self, schema: LiteralString) -> None:
        """Create a family's tables where they are missing."""
        with self._lock:
            self._connection.executescript(schema)

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """A write transaction: committed at the end, rolled back on an error; nested ones join the outer."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._connection
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def one(self, query: LiteralString, **parameters: Any) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        with self._lock:
            return self._connection.execute(query, parameters).fetchone()

    def all(self, query: LiteralString, **parameters: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    def close(self) -> None:
        """Close the database; a later use is an error."""
        with self._lock:
            self._connection.close()
