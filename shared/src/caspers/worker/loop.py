"""The loop that every background worker runs in: it obeys its orders, says how it fares, and survives.

Each worker has one thread that steps. It waits on whichever comes first: new orders, somebody's `wake`, the moment
the next step is due, or the end. APScheduler keeps the two regular jobs going while a step runs, reading the orders
and the heartbeat. Only the copy that holds the worker's lease steps. When the control database is away nothing steps
and nothing dies; everything resumes by itself.
"""

import threading
from dataclasses import replace
from random import Random

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from prometheus_client import Counter, Histogram

from caspers.clients.postgres import Postgres
from caspers.clock import Clock
from caspers.errors import CaspersError
from caspers.worker import decisions
from caspers.worker.decisions import Aftermath, Pace, Situation
from caspers.worker.lease import Lease
from caspers.worker.reporter import Reporter
from caspers.worker.states import WorkerOrders, WorkerReport
from caspers.worker.step import Step, StepContext, StepOutcome
from caspers.worker.troubles import Troubles
from caspers.worker.watch import OrdersWatch

#: Seconds a step in hand gets to come to an end; the platform kills the process after 15.
STOP_GRACE_S = 10.0

_STEPS = Counter("caspers_worker_steps", "Steps of background workers", ["worker", "result"])
_STEP_SECONDS = Histogram("caspers_worker_step_seconds", "Time a worker's step took", ["worker"])

_log = structlog.get_logger(__name__)


class WorkerLoop:
    """Runs `step` by the orders of worker `name` in the control database, from `start` until `stop`."""

    def __init__(
        self,
        name: str,
        step: Step,
        database: Postgres,
        clock: Clock,
        *,
        pace: Pace | None = None,
        chance: Random | None = None,
    ) -> None:
        self.name = name
        self._step = step
        self._clock = clock
        self._pace = pace or Pace()
        self._chance = chance or Random()  # noqa: S311  jitter needs no secrecy

        self._troubles = Troubles(name)
        self._reporter = Reporter(name, database, clock, self._troubles)
        self._watch = OrdersWatch(name, database, self._troubles, self._orders_changed)
        self._lease = Lease(database, name)

        self._followed = 0
        self._aftermath = Aftermath("starting", due_s=0.0)
        self._in_hand: StepContext | None = None
        self._asked = threading.Event()
        self._nudge = threading.Event()
        self._stopping = threading.Event()

        jobs = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults=jobs)
        self._stepping = threading.Thread(target=self._work, name=f"{name}-steps", daemon=True)
        self._listening = threading.Thread(target=self._listen, name=f"{name}-orders", daemon=True)

    def start(self) -> None:
        """Begin; returns at once. A loop that was stopped before it began does not begin."""
        if self._stopping.is_set():
            return
        self._scheduler.add_job(self._poll, "interval", seconds=self._pace.poll_s)
        self._scheduler.add_job(self._beat, "interval", seconds=self._pace.heartbeat_s)
        self._scheduler.start()
        self._stepping.start()
        self._listening.start()

    def stop(self, grace_s: float = STOP_GRACE_S) -> bool:
        """Ask the step in hand to end, wait for it, say goodbye. True if it ended within `grace_s` seconds.

        If it did not, stop again later to wait some more.
        """
        self._stopping.set()
        self._interrupt()
        self._nudge.set()
        if self._stepping.ident is None:
            return True  # it never began
        self._stepping.join(grace_s)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        if self._stepping.is_alive():
            # The lease stays with the step until the process ends: no other copy may step beside it.
            _log.warning("worker step did not end in time", worker=self.name, grace_s=grace_s)
            return False
        self._reporter.publish(observed="stopped")
        self._lease.release()
        self._listening.join()
        return True

    def wake(self) -> None:
        """Take a step now (if the orders say running), or one more after the step in hand."""
        self._asked.set()
        self._nudge.set()

    @property
    def report(self) -> WorkerReport:
        """The worker's own view of itself, up to date even when the control database is away."""
        return self._reporter.latest

    @property
    def orders(self) -> WorkerOrders | None:
        """The orders as last read."""
        return self._watch.current

    @property
    def standby(self) -> bool:
        """Whether another copy holds the lease, so that this one waits."""
        return self._reporter.silent

    def _work(self) -> None:
        self._reporter.publish()
        while True:
            match decisions.decide(self._situation()):
                case decisions.Leave():
                    return
                case decisions.AwaitOrders():
                    self._reporter.observe("starting")
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
            orders=self._watch.current,
            holds_lease=self._lease.held(),
            followed=self._followed,
            asked=self._asked.is_set(),
            due_s=self._aftermath.due_s,
        )

    def _pause(self, seconds: float | None) -> None:
        # Cleared after the wait and before the next look around: whatever the nudge was about is then seen.
        self._nudge.wait(seconds)
        self._nudge.clear()

    def _rest(self, orders: WorkerOrders) -> None:
        self._reporter.silent = False
        self._asked.clear()
        self._followed = orders.generation
        if (self.report.observed, self.report.generation) != ("stopped", orders.generation):
            self._reporter.publish(observed="stopped", generation=orders.generation)
        self._lease.release()
        self._pause(None)

    def _take_lease(self) -> None:
        try:
            taken = self._lease.take()
        except CaspersError as error:
            self._troubles.begin("lease", error)
            self._reporter.observe("backing_off")
            self._pause(self._pace.poll_s)
            return
        self._troubles.end("lease")
        self._reporter.silent = not taken
        self._reporter.observe(self._aftermath.observed if taken else "starting")
        if not taken:
            self._pause(self._pace.poll_s)

    def _take_step(self, orders: WorkerOrders) -> None:
        self._asked.clear()
        if orders.generation != self._followed:
            self._followed = orders.generation
            self._aftermath = replace(self._aftermath, failures=0)
        self._in_hand = StepContext(orders.generation, self._clock, self._reporter.tell)
        if self._stopping.is_set() or _differ(orders, self._watch.current):
            self._interrupt()  # that changed between the decision and the step
        self._reporter.publish(observed="running", generation=orders.generation)
        try:
            with _STEP_SECONDS.labels(self.name).time():
                outcome = self._step(orders.parameters, self._in_hand)
        except Exception as error:  # noqa: BLE001  whatever a step raises is reported, and the worker goes on
            self._failed(error)
        else:
            self._succeeded(outcome)
        finally:
            self._in_hand = None

    def _succeeded(self, outcome: StepOutcome) -> None:
        _STEPS.labels(self.name, "done").inc()
        self._aftermath = decisions.after_success(outcome, self._clock.monotonic(), self._pace)
        self._reporter.publish(observed=self._aftermath.observed, progress=outcome.progress, last_error=None)

    def _failed(self, error: Exception) -> None:
        _STEPS.labels(self.name, "failed").inc()
        failures = self._aftermath.failures + 1
        now_s = self._clock.monotonic()
        self._aftermath = after = decisions.after_failure(error, failures, now_s, self._pace, self._chance)
        # A sentence of ours says it all; of anything else the log keeps where it came from.
        trace = None if isinstance(error, CaspersError) else error
        _log.warning(
            "worker step failed", worker=self.name, failures=failures, error=after.last_error, exc_info=trace
        )
        self._reporter.publish(observed=after.observed, last_error=after.last_error)

    def _listen(self) -> None:
        self._watch.listen(self._stopping, self._pace.backoff, self._chance)

    def _poll(self) -> None:
        self._watch.read()
        self._nudge.set()

    def _beat(self) -> None:
        if self._in_hand is not None and not self._lease.held():
            self._interrupt()
        self._reporter.publish()

    def _orders_changed(self, before: WorkerOrders | None, after: WorkerOrders | None) -> None:
        if _differ(before, after):
            self._interrupt()
        self._nudge.set()

    def _interrupt(self) -> None:
        context = self._in_hand
        if context is not None:
            context.interrupt()


def _differ(before: WorkerOrders | None, after: WorkerOrders | None) -> bool:
    """Whether a step begun under `before` is out of date; repeating the same orders does not make it so."""
    if before is None or after is None:
        return before is not after
    return (before.desired, before.parameters) != (after.desired, after.parameters)
