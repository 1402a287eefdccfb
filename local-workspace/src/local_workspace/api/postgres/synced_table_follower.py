"""One synced table being kept up to date: a thread that copies, then follows the source's log as its policy says."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import psycopg
import pyarrow as pa

from local_workspace.clock import Clock
from local_workspace.engines import delta, delta_changes
from local_workspace.engines.delta_changes import LogGap, SchemaChanged, Snapshot
from local_workspace.engines.postgres import ClusterDown
from local_workspace.engines.postgres_replica import BATCH_ROWS, Position, Replica, ReplicaSession

POLL_S = 0.1
"""How often a continuous table looks for the next commit of its source."""

SOURCE_CHECK_S = 1.0
COMMITS_AT_ONCE = 100
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
STOP_LIMIT_S = 2.0


class SourceGone(Exception):
    """The source cannot be read any more; the message says why."""


class Stopped(Exception):
    """The follower was told to end in the middle of a copy."""


@dataclass(frozen=True)
class Progress:
    """How a synced table is.

    Attributes:
        filled: its rows have been there once.
        busy: rows are being copied now.
        copied: how many so far, of `total`.
        synced_from, synced_at: start and end of the last sync.
        failure: why it does not go on, or is waiting.
        lasting: the failure is not one that goes away by itself.
    """

    filled: bool = False
    busy: bool = False
    copied: int = 0
    total: int = 0
    version: int | None = None
    committed_at_ms: int | None = None
    synced_from: datetime | None = None
    synced_at: datetime | None = None
    failure: str | None = None
    lasting: bool = False


class Follower:
    """Keeps one replica up to date.

    Args:
        progress: how the synced table was when it was last followed.
        source: finds the directory of the source, or raises SourceGone.
        continuous: it follows by itself; otherwise it works when `refresh` asks for it.
        incremental: it may take the changes; otherwise all rows are compared each time.
    """

    def __init__(
        self,
        replica: Replica,
        source: Callable[[], Path],
        clock: Clock,
        progress: Progress,
        *,
        continuous: bool,
        incremental: bool,
    ) -> None:
        self.progress = progress
        self._replica = replica
        self._source = source
        self._clock = clock
        self._continuous = continuous
        self._incremental = incremental
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._asked = self._at_work_on = self._done = self._failed = 0
        self._schema: tuple[Path, pa.Schema] | None = None
        self._thread = threading.Thread(target=self._run, name="synced table", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Tell it to end."""
        self._stopping.set()
        self._wake.set()

    def stop(self) -> None:
        """End it; what was not committed is done again by the next one."""
        self.ask_to_stop()
        self._thread.join(STOP_LIMIT_S)

    def refresh(self) -> int:
        """Ask for all that the source has now; the number of this request, for `has_done` and `has_failed`."""
        self._asked += 1
        self._wake.set()
        return self._asked

    def has_done(self, request: int) -> bool:
        """Whether what was asked for with this number is in Postgres."""
        return self._done >= request

    def has_failed(self, request: int) -> bool:
        """Whether this was tried, and something that does not go away by itself stood in its way."""
        return self._failed >= request and not self.has_done(request)

    def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while not self._stopping.is_set():
            self._at_work_on = self._asked
            try:
                with self._replica.open() as session:
                    self._note(failure=None, lasting=False)
                    pause = FIRST_PAUSE_S
                    self._follow(session)
            except Stopped:
                return
            except (ClusterDown, psycopg.OperationalError, psycopg.InterfaceError) as error:
                self._note(failure=f"Postgres does not answer; trying again. {error}", busy=False)
            except psycopg.Error as error:
                self._fail(_explained(error))
            except Exception as error:  # noqa: BLE001  a thread that died would say nothing; the status tells
                self._fail(str(error) or type(error).__name__)
            self._wake.clear()
            if not self._stopping.is_set():
                self._wake.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _follow(self, session: ReplicaSession) -> None:
        """Copy what is missing, then wait for more, until told to stop."""
        location, checked = self._source(), self._clock.monotonic()
        position = session.position()
        if position is not None and self._incremental and not _reachable(location, position):
            position = self._copied(session, position, location)
        self._note(filled=position is not None, version=position.version if position else None)
        while not self._stopping.is_set():
            self._wake.clear()
            asked = self._at_work_on = self._asked
            if self._clock.monotonic() - checked >= SOURCE_CHECK_S or asked > self._done:
                location, checked = self._source(), self._clock.monotonic()
            if position is None or asked > self._done or self._continuous:
                position = self._brought_up(session, position, location)
            self._done = asked
            self._wake.wait(POLL_S if self._continuous else SOURCE_CHECK_S)

    def _brought_up(self, session: ReplicaSession, position: Position | None, location: Path) -> Position:
        """The replica at the newest version of the source."""
        if position is None or position.source != str(location) or not self._incremental:
            return self._copied(session, position, location)
        try:
            while delta_changes.has_commit(location, position.version + 1) and not self._stopping.is_set():
                position = self._advanced(session, position, location)
        except (LogGap, SchemaChanged):
            return self._copied(session, position, location)
        if self.progress.failure is not None:
            self._note(failure=None, lasting=False)
        return position

    def _advanced(self, session: ReplicaSession, position: Position, location: Path) -> Position:
        """Take the changes of the next commits, in one transaction."""
        began = self._clock.now()
        schema = self._schema_of(location)  # before the commits, which then tell if it has changed
        entries = delta_changes.commits(location, position.version, COMMITS_AT_ONCE)
        reached = Position(str(location), entries[-1].version)
        session.apply(delta_changes.net_changes(location, entries, schema), reached)
        self._synced(reached, began, entries[-1].timestamp_ms)
        return reached

    def _copied(self, session: ReplicaSession, position: Position | None, location: Path) -> Position:
        """Bring all rows of the newest version over."""
        began = self._clock.now()
        snapshot = delta_changes.snapshot(location)
        self._schema = location, snapshot.schema
        reached = Position(str(location), snapshot.version)
        self._note(busy=True, copied=0, total=snapshot.rows.count_rows(), version=self.progress.version)
        work = session.fill if position is None else session.refresh
        work(snapshot.schema, self._batches(snapshot), reached)
        self._synced(reached, began, None)
        return reached

    def _batches(self, snapshot: Snapshot) -> Iterator[pa.RecordBatch]:
        copied = 0
        for batch in snapshot.rows.to_batches(batch_size=BATCH_ROWS, batch_readahead=1, fragment_readahead=1):
            if self._stopping.is_set():
                raise Stopped
            yield batch
            copied += batch.num_rows
            self._note(copied=copied)

    def _schema_of(self, location: Path) -> pa.Schema:
        """The source's columns; they are looked up again when a commit says that they changed."""
        if self._schema is None or self._schema[0] != location:
            self._schema = location, delta_changes.snapshot(location).schema
        return self._schema[1]

    def _synced(self, reached: Position, began: datetime, committed_at_ms: int | None) -> None:
        self._note(
            filled=True,
            busy=False,
            version=reached.version,
            committed_at_ms=committed_at_ms,
            synced_from=began,
            synced_at=self._clock.now(),
            failure=None,
            lasting=False,
        )

    def _fail(self, why: str) -> None:
        self._note(failure=why, lasting=True, busy=False)
        self._failed = self._at_work_on

    def _note(self, **changes: object) -> None:
        self.progress = replace(self.progress, **changes)  # pyright: ignore[reportArgumentType]  fields of Progress


def _explained(error: psycopg.Error) -> str:
    """What Postgres' refusal means to somebody who looks at a synced table."""
    if isinstance(error, psycopg.errors.UndefinedTable):
        return "The table was dropped in Postgres. Delete this synced table and create it again."
    if isinstance(error, psycopg.errors.UniqueViolation | psycopg.errors.CardinalityViolation):
        said = "The source has several rows with one primary key; name a timeseries_key to choose by."
        return f"{said} {error.diag.message_detail or ''}".strip()
    return f"Postgres refused the rows: {error}"


def _reachable(location: Path, position: Position) -> bool:
    """Whether the log still leads from the position to the newest version."""
    newest = delta.version(location)
    if newest == position.version:
        return True
    return newest > position.version and delta_changes.has_commit(location, position.version + 1)
