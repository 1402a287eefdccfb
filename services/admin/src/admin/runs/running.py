"""Starting runs, one at a time for a catalog, following them to their end, and looking them up."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any

from caspers.clients.postgres import Postgres
from caspers.clock import Clock
from caspers.errors import CaspersError, Conflict, NotFound, Unavailable
from caspers.ids import IdSource
from caspers.worker.lease import Lease
from structlog import get_logger

from admin.control_tables import ControlTables
from admin.runs.run import GOING_ON, Run, RunOrder, in_words
from admin.runs.store import LogFilters, RunFilters, RunRecord, RunStore
from admin.shapes import LastRun, LogPage, Page, RunDetail, RunSummary

SAVE_EVERY_S = 0.4
"""How often a run that goes on is written down, and asked for a word from other processes."""

LEASE = "admin_run"

log = get_logger(__name__)

Work = Callable[[Run], None]


class AlreadyRunning(Conflict):
    """Two runs at once would work against each other."""

    def __init__(self, run: RunSummary | None) -> None:
        said = (
            f" ({run.action}, since {run.started:%H:%M:%S} UTC, by {run.by or 'nobody known'})" if run else ""
        )
        super().__init__(
            f"a run goes on already{said}",
            what_now="Watch it, wait for its end, or cancel it; then ask again.",
        )
        self.members: dict[str, Any] = {"run_id": run.run_id, "href": href(run.run_id)} if run else {}


class KeyUsed(Conflict):
    """The idempotency key belongs to another request."""


@dataclass(frozen=True)
class Request:
    """What identifies a request for a run: its idempotency key, and what it asks for."""

    key: str | None = None
    digest: str = ""


@dataclass(frozen=True)
class Revision:
    """How far the newest run of this process is."""

    run_id: str
    version: int
    ended: bool


class Runs:
    """The runs of one catalog: one goes on at a time, whichever admin does it; the past ones can be looked up."""

    def __init__(self, store: RunStore, tables: ControlTables, clock: Clock, new_id: IdSource) -> None:
        self._store = store
        self._tables = tables
        self._clock = clock
        self._new_id = new_id
        self._lock = Lock()
        self._own: Run | None = None
        self._thread: Thread | None = None
        self._right = RightToRun(tables)

    def start(
        self,
        order: RunOrder,
        work: Work,
        *,
        request: Request | None = None,
        on_end: Callable[[RunSummary], None] = lambda _run: None,
    ) -> tuple[RunSummary, bool]:
        """Begin a run in the background; the same request again is answered with the run it began (and False).

        Raises:
            AlreadyRunning: another run goes on, here or in another process.
            KeyUsed: the idempotency key belongs to another request.
        """
        request = request or Request()
        with self._lock:
            if (before := self.begun_by(request)) is not None:
                return before, False
            self._refuse_second()
            self._store.note_interrupted()
            run = self._own = Run(self._new_id(), order, self._clock)
            follower = Follower(run, self._store, self._right, request)
            follower.save()
            self._thread = Thread(target=self._work, args=(follower, work, on_end), name=f"run-{run.run_id}")
            self._thread.start()
            return run.summary(), True

    def refuse_second(self) -> None:
        """Raises `AlreadyRunning` while a run goes on, here or in another process."""
        with self._lock:
            self._refuse_second()
            self._right.give_back()

    def _refuse_second(self) -> None:
        if self._own is not None and self._own.state in GOING_ON:
            raise AlreadyRunning(self._own.summary())
        if not self._right.take():
            raise AlreadyRunning(self._store.going_on())

    def begun_by(self, request: Request) -> RunSummary | None:
        """The run that this request began before. Raises `KeyUsed`."""
        if request.key is None or (found := self._store.by_key(request.key)) is None:
            return None
        run, digest = found
        if digest != request.digest:
            raise KeyUsed(
                f"this idempotency key began the run {run.run_id}, which was asked for differently",
                what_now="Take a new key for a new request.",
            )
        return run

    def _work(self, follower: "Follower", work: Work, on_end: Callable[[RunSummary], None]) -> None:
        run = follower.run
        following = Thread(target=follower.follow, name=f"follow-{run.run_id}")
        following.start()
        try:
            work(run)
        except Exception as error:  # noqa: BLE001  whatever went wrong belongs into the run, where people look
            run.close("failed", in_words(error))
        else:
            run.close("failed", "the run ended without saying how")
        on_end(run.summary())
        following.join()
        with self._lock:
            if self._own is run:
                self._right.give_back()

    def detail(self, run_id: str) -> RunDetail:
        """A run with its steps. Raises `NotFound`."""
        own = self.own(run_id)
        found = own.detail() if own is not None else self._store.run(run_id)
        if found is None:
            raise NotFound(f"there is no run {run_id}", what_now="GET /api/v1/runs lists them.")
        return found

    def own(self, run_id: str) -> Run | None:
        """The newest run of this process, if it is this one."""
        own = self._own
        return own if own is not None and own.run_id == run_id else None

    def revision(self) -> "Revision":
        """It changes whenever something happens in a run of this process."""
        own = self._own
        return (
            Revision("", 0, ended=True)
            if own is None
            else Revision(own.run_id, own.version, ended=own.ended.is_set())
        )

    def page(self, filters: RunFilters, after: str | None, limit: int) -> Page[RunSummary]:
        """Runs, newest first. Raises `Invalid` for a cursor that is none of ours."""
        return self._store.page(filters, after, limit)

    def going_on(self) -> RunSummary | None:
        """The run that goes on, here or in another process."""
        own = self._own
        if own is not None and own.state in GOING_ON:
            return own.summary()
        found = self._store.going_on()
        return None if found is None or self.own(found.run_id) else found

    def last_success(self) -> RunSummary | None:
        """The newest run that brought something about."""
        return self._store.last_success()

    def last_runs(self) -> dict[str, LastRun]:
        """How the newest run that touched a stage ended for it, by stage; of the run that goes on as far as it is."""
        own = self._own
        return self._store.last_runs() | (
            own.last_runs() if own is not None and own.state in GOING_ON else {}
        )

    def log(self, run_id: str, filters: LogFilters, limit: int) -> LogPage:
        """Lines of a run's log, oldest first. Raises `NotFound`."""
        own = self.own(run_id)
        if own is None:
            found = self._store.lines(run_id, filters, limit + 1)
            if not found:
                self.detail(run_id)
        else:
            found = [line for line in own.lines(filters.after) if filters.fit(line)][: limit + 1]
        shown = tuple(found[:limit])
        return LogPage(shown, shown[-1].seq if shown else filters.after, len(found) > limit)

    def repairs_of(self, run_id: str) -> list[str]:
        """The runs that repair this one, newest first."""
        return self._store.repairs_of(run_id)

    def cancel(self, run_id: str, by: str) -> RunSummary:
        """Begin nothing more: what is under way ends soon. Raises `NotFound`; a run that is over stays as it is."""
        own = self.own(run_id)
        if own is not None:
            own.cancel()
            return own.summary()
        run = self.detail(run_id)
        if run.state in GOING_ON:
            self._store.ask_to_cancel(run_id, by)
        return run

    def settle_in_background(self) -> None:
        """`settle`, while the process begins to answer."""
        Thread(target=self._try_to_settle, name="settle-runs", daemon=True).start()

    def _try_to_settle(self) -> None:
        try:
            self.settle()
        except CaspersError as error:
            log.warning("past runs not looked at", error=str(error))

    def settle(self) -> None:
        """Mark runs as interrupted that an admin which is no more has left behind."""
        with self._lock:
            if self._own is not None and self._own.state in GOING_ON:
                return
            if self._store.going_on() is not None and self._right.take():
                left = self._store.note_interrupted()
                self._right.give_back()
                log.info("runs were interrupted", runs=left)

    def close(self, *, patience_s: float) -> None:
        """The process ends: stop the run that goes on and leave it to be repeated."""
        if self._own is not None and self._thread is not None:
            self._own.cancel("the admin was told to end while this went on; run it again to go on")
            self._thread.join(patience_s)


class RightToRun:
    """The right to do runs on a catalog, which one process has at a time.

    It is a lease on the control database; before there is one, the process has it for itself.
    """

    def __init__(self, tables: ControlTables) -> None:
        self._tables = tables
        self._database: Postgres | None = None
        self._lease: Lease | None = None

    def take(self) -> bool:
        """Try to get it, or to keep it; False while another process has it."""
        database = self._tables.open()
        if database is None:
            return True
        if self._lease is None or database is not self._database:
            self.give_back()
            self._database, self._lease = database, Lease(database, LEASE)
        try:
            return self._lease.take()
        except Unavailable:
            if self._tables.open() is None:
                return True
            raise

    def give_back(self) -> None:
        """Let another process have it; fine if it is not held."""
        if self._lease is not None:
            self._lease.release()


class Follower:
    """Writes a run down while it goes on, and listens whether somebody elsewhere wants it cancelled."""

    def __init__(self, run: Run, store: RunStore, right: RightToRun, request: Request) -> None:
        self.run = run
        self._store = store
        self._right = right
        self._request = request
        self._saved_version = -1
        self._saved_lines = 0

    def follow(self) -> None:
        """Until the run is over and written down for the last time."""
        while not self.run.ended.wait(SAVE_EVERY_S):
            self.save()
            self._keep_right()
        self.save()

    def save(self) -> None:
        """Write what is new, and hear what others want."""
        version = self.run.version
        if version == self._saved_version:
            self._obey(self._store.cancelled_by(self.run.run_id))
            return
        lines = self.run.lines(self._saved_lines)
        record = RunRecord(self.run.detail(), self.run.last_runs(), self._request.key, self._request.digest)
        self._obey(self._store.save(record, lines))
        self._saved_version, self._saved_lines = version, self._saved_lines + len(lines)

    def _obey(self, cancelled_by: str | None) -> None:
        if cancelled_by is not None and self.run.state == "running":
            log.info("run cancelled from another process", run_id=self.run.run_id, by=cancelled_by)
            self.run.cancel()

    def _keep_right(self) -> None:
        """A run that began before there was a control database gives way to one that got hold of it first."""
        try:
            if not self._right.take():
                self.run.cancel("another admin's run of this catalog goes on, and this one gave way")
        except CaspersError as error:
            log.warning("the right to run is in doubt", run_id=self.run.run_id, error=str(error))


def href(run_id: str) -> str:
    """Where the API tells of a run."""
    return f"/api/v1/runs/{run_id}"
