"""The control database as the admin uses it: found when it is there, given the admin's own tables, done without else.

It comes with the first run and goes with the last teardown, so whoever reads it says what holds without it.
"""

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import LiteralString, TypeVar

from caspers.clients.postgres import Postgres, Reader, Writer
from caspers.clock import Clock
from caspers.errors import NotFound, Unavailable
from caspers.review.schema import apply_schema

RECHECK_S = 1.0
"""Seconds between two looks for a database that is not there."""

IS_READY: LiteralString = "SELECT to_regclass('control.worker_orders') IS NOT NULL AS ready"
"""The schema itself is a resource of the first stage; ours comes after it."""

SCHEMA = (Path(__file__).parent / "schema.sql").read_bytes()

T = TypeVar("T")


class ControlTables:
    """The control database with the admin's tables in it. Safe between threads."""

    def __init__(self, find: Callable[[], Postgres | None], clock: Clock) -> None:
        self._find = find
        self._clock = clock
        self._lock = Lock()
        self._database: Postgres | None = None
        self._looked_s: float | None = None

    def open(self) -> Postgres | None:
        """The database; None while there is none."""
        with self._lock:
            if self._database is None and self._is_time_to_look():
                found = self._find()
                if found is not None and _is_ready(found):
                    apply_schema(found, SCHEMA)
                    self._database = found
            return self._database

    def read(self, ask: Callable[[Reader], T], *, without: T) -> T:
        """What `ask` reads; `without` where there is no control database. Raises `Unavailable` when it is away."""

        def reading(database: Postgres) -> T:
            with database.reading() as reader:
                return ask(reader)

        return self._use(reading, without)

    def write(self, change: Callable[[Writer], T], *, without: T) -> T:
        """What `change` answers, in one transaction; `without` where there is no control database."""

        def writing(database: Postgres) -> T:
            with database.transaction() as writer:
                return change(writer)

        return self._use(writing, without)

    def _use(self, work: Callable[[Postgres], T], without: T) -> T:
        database = self.open()
        if database is None:
            return without
        try:
            return work(database)
        except Unavailable:
            if self._find() is not None:
                raise
            self._forget()
            return without
        except NotFound:
            # It was removed and made anew since we gave it our tables.
            self._forget()
            database = self.open()
            return without if database is None else work(database)

    def _is_time_to_look(self) -> bool:
        now_s = self._clock.monotonic()
        if self._looked_s is not None and now_s - self._looked_s < RECHECK_S:
            return False
        self._looked_s = now_s
        return True

    def _forget(self) -> None:
        with self._lock:
            self._database = self._looked_s = None


def _is_ready(database: Postgres) -> bool:
    try:
        with database.reading() as reader:
            row = reader.row(IS_READY)
    except (NotFound, Unavailable):
        return False  # its project is there, the database itself comes a moment later
    return row is not None and row.ready
