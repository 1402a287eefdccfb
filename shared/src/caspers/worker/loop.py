"""The loop that every background worker runs in: it obeys its orders, says how it fares, and survives.

Each worker has one thread that steps. It waits on whichever comes first: a notification of new orders, somebody's
`wake`, the moment the next step is due, or the end. APScheduler keeps the two regular jobs, reading the orders
(notifications are for speed, polling is for certainty) and the heartbeat, going while a step runs. Only the copy
that holds the worker's lease steps. When the control database is away nothing steps and nothing dies; everything
resumes by itself.
"""

import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import psycopg
import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from prometheus_client import Counter, Histogram

from caspers.clients.postgres import Postgres
from caspers.clock import Clock
from caspers.errors import CaspersError
from caspers.worker import decisions
from caspers.worker.decisions import Aftermath, Rhythm, Situation
from caspers.worker.lease import Lease
from caspers.worker.orders import WorkerOrders, orders_channel, read_orders
from caspers.worker.reports import Observed, WorkerReport, write_report
from caspers.worker.step import Step, StepContext, StepOutcome

#: Seconds a step in hand gets to come to an end; the platform kills the process after 15.
STOP_GRACE_S = 10.0
#: Seconds after which a listener looks up from its connection to see whether it is time to end.
_LISTEN_SLICE_S = 1.0

_STEPS = Counter("caspers_worker_steps", "Steps of background workers", ["worker", "result"])
_STEP_SECONDS = Histogram("caspers_worker_step_seconds", "Time a worker's step took", ["worker"])

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Pace:
    """How often a loop looks around, in seconds."""

    poll_s: float = 2.0
    heartbeat_s: float = 5.0


class WorkerLoop:
    """Runs `step` by the orders of worker `name` in the control database, from `start` until `stop`."""

    def __init__(
        self,
        name: str,
        step: Step,
        database: Postgres,
        clock: Clock,
        *,
        rhythm: Rhythm | None = None,
        pace: Pace | None = None,
        chance: Random | None = None,
    ) -> None:
        self.name = name
        self._step = step
        self._database = database
        self._clock = clock
        self._rhythm = rhythm or Rhythm()
        self._pace = pace or Pace()
        self._chance = chance or Random()  # noqa: S311 - jitter needs no secrecy
        self._lease = Lease(database, name)
        self._channel = orders_channel(name)

        now = clock.now()
        self._report = WorkerReport(name, 0, "starting", heartbeat_at=now, started_at=now, since=now)
        self._reporting = threading.Lock()
        self._orders: WorkerOrders | None = None
        self._reading = threading.Lock()
        self._aftermath = Aftermath("starting", due_s=0.0)
        self._followed = 0
        self._standby = False
        self._in_hand: StepContext | None = None
        self._complaints: dict[str, str] = {}

        self._asked = threading.Event()
        self._nudge = threading.Event()
        self._stopping = threading.Event()
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-steps", daemon=True),
            threading.Thread(target=self._listen, name=f"{name}-orders", daemon=True),
        ]

    def start(self) -> None:
        """Begin; returns at once. A loop that was stopped before it began ends at once."""
        self._scheduler.add_job(self._poll, "interval", seconds=self._pace.poll_s)
        self._scheduler.add_job(self._beat, "interval", seconds=self._pace.heartbeat_s)
        self._scheduler.start()
        for thread in self._threads:
            thread.start()

    def stop(self, grace_s: float = STOP_GRACE_S) -> bool:
        """Ask the step in hand to end, wait for it, say goodbye. True if it ended within `grace_s` seconds."""
        self._stopping.set()
        self._interrupt()
        self._nudge.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(grace_s)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        if self._threads[0].is_alive():
            # The lease stays with the step until the process ends: no other copy may step beside it.
            _log.warning("worker step did not end in time", worker=self.name, grace_s=grace_s)
            return False
        self._publish(observed="stopped")
        self._lease.release()
        return True

    def wake(self) -> None:
        """Take a step now (if the orders say running), or one more after the step in hand."""
        self._asked.set()
        self._nudge.set()

    @property
    def report(self) -> WorkerReport:
        """The worker's own view of itself, up to date even when the control database is away."""
        return self._report

    @property
    def orders(self) -> WorkerOrders | None:
        """The orders as last read."""
        return self._orders

    @property
    def standby(self) -> bool:
        """Whether another copy holds the lease, so that this one waits."""
        return self._standby

    # The stepping thread: gather, decide, act.

    def _work(self) -> None:
        self._publish()
        while True:
            action = decisions.decide(self._situation())
            match action:
                case decisions.Leave():
                    return
                case decisions.AwaitOrders():
                    self._observe("starting")
                    self._pause(None)
                case decisions.Rest(orders):
                    self._rest(orders)
                case decisions.TakeLease():
                    self._take_lease()
                case decisions.TakeStep(orders):
                    self._take_step(orders)
                case decisions.Wait(seconds):
                    self._pause(seconds)

    def _situation(self) -> Situation:
        return Situation(
            now_s=self._clock.monotonic(),
            stopping=self._stopping.is_set(),
            orders=self._orders,
            holds_lease=self._lease.held(),
            followed=self._followed,
            asked=self._asked.is_set(),
            due_s=self._aftermath.due_s,
        )

    def _pause(self, seconds: float | None) -> None:
        # Cleared after the wait and before the next look around: whatever was nudged about is then seen.
        self._nudge.wait(seconds)
        self._nudge.clear()

    def _rest(self, orders: WorkerOrders) -> None:
        self._standby = False
        self._asked.clear()
        self._followed = orders.generation
        if (self._report.observed, self._report.generation) != ("stopped", orders.generation):
            self._publish(observed="stopped", generation=orders.generation)
        self._lease.release()
        self._pause(None)

    def _take_lease(self) -> None:
        try:
            self._standby = not self._lease.take()
        except CaspersError as error:
            self._complain("lease", error)
            self._observe("backing_off")
            self._pause(self._pace.poll_s)
            return
        self._content("lease")
        if self._standby:
            self._observe("starting")
            self._pause(self._pace.poll_s)

    def _take_step(self, orders: WorkerOrders) -> None:
        self._asked.clear()
        if orders.generation != self._followed:
            self._followed = orders.generation
            self._aftermath = replace(self._aftermath, failures=0)
        self._in_hand = StepContext(orders.generation, self._clock, self._tell)
        if self._stopping.is_set() or _differ(orders, self._orders):
            self._interrupt()  # they changed between the decision and the step
        self._publish(observed="running", generation=orders.generation)
        try:
            with _STEP_SECONDS.labels(self.name).time():
                outcome = self._step(orders.parameters, self._in_hand)
        except Exception as error:  # noqa: BLE001 - whatever a step raises is reported, and the worker goes on
            self._failed(error)
        else:
            self._succeeded(outcome)
        finally:
            self._in_hand = None

    def _succeeded(self, outcome: StepOutcome) -> None:
        _STEPS.labels(self.name, "done").inc()
        self._aftermath = decisions.after_success(outcome, self._clock.monotonic(), self._rhythm)
        self._publish(observed=self._aftermath.observed, progress=outcome.progress, last_error=None)

    def _failed(self, error: Exception) -> None:
        _STEPS.labels(self.name, "failed").inc()
        failures = self._aftermath.failures + 1
        self._aftermath = decisions.after_failure(
            error, failures, self._clock.monotonic(), self._rhythm, self._chance
        )
        _log.warning(
            "worker step failed",
            worker=self.name,
            failures=failures,
            observed=self._aftermath.observed,
            exc_info=None if isinstance(error, CaspersError) else error,
            error=self._aftermath.last_error,
        )
        self._publish(observed=self._aftermath.observed, last_error=self._aftermath.last_error)

    # Orders: notified for speed, polled for certainty.

    def _listen(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                with self._database.listen(self._channel) as connection:
                    failures = 0
                    self._content("listen")
                    self._hear(connection)
            except (CaspersError, psycopg.Error) as error:
                failures += 1
                self._complain("listen", error)
                self._stopping.wait(self._rhythm.backoff.delay_s(failures, self._chance))

    def _hear(self, connection: psycopg.Connection[Any]) -> None:
        # What was announced while nobody listened is read first.
        self._read_orders()
        while not self._stopping.is_set():
            for _ in connection.notifies(timeout=_LISTEN_SLICE_S, stop_after=1):
                self._read_orders()

    def _poll(self) -> None:
        self._read_orders()
        self._nudge.set()

    def _read_orders(self) -> None:
        with self._reading:
            try:
                with self._database.reading() as reader:
                    orders = read_orders(reader, self.name)
            except CaspersError as error:
                self._complain("orders", error)
                return
            self._content("orders")
            before, self._orders = self._orders, orders
        if _differ(before, orders):
            self._interrupt()
        if before != orders:
            self._nudge.set()

    def _interrupt(self) -> None:
        context = self._in_hand
        if context is not None:
            context.interrupt()

    # Reports: every change at once, the rest with the heartbeat.

    def _beat(self) -> None:
        if self._in_hand is not None and not self._lease.held():
            self._interrupt()
        self._publish()

    def _tell(self, progress: dict[str, Any]) -> None:
        with self._reporting:
            self._report = replace(self._report, progress=progress)

    def _observe(self, observed: Observed) -> None:
        if self._report.observed != observed:
            self._publish(observed=observed)

    def _publish(self, **changes: Any) -> None:
        with self._reporting:
            now = self._clock.now()
            report = replace(self._report, heartbeat_at=now, **changes)
            if report.observed != self._report.observed:
                report = replace(report, since=now)
            self._report = report
            if self._standby:
                return  # the row belongs to the copy that works
            try:
                with self._database.transaction() as writer:
                    write_report(writer, report)
            except CaspersError as error:
                self._complain("report", error)
            else:
                self._content("report")

    # Troubles of the loop itself are logged when they begin, when they change and when they end.

    def _complain(self, about: str, error: Exception) -> None:
        said = str(error)
        if self._complaints.get(about) != said:
            self._complaints[about] = said
            _log.warning("worker has trouble", worker=self.name, about=about, error=said)

    def _content(self, about: str) -> None:
        with suppress(KeyError):
            del self._complaints[about]
            _log.info("worker is out of trouble", worker=self.name, about=about)


def _differ(before: WorkerOrders | None, after: WorkerOrders | None) -> bool:
    """Whether a step begun under `before` is out of date (a mere repetition of the same orders is not)."""
    if before is None or after is None:
        return before is not after
    return (before.desired, before.parameters) != (after.desired, after.parameters)
