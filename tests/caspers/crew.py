"""Builders for worker tests: loops that are stopped at the end, orders given and reports read in one word."""

import threading
from collections.abc import Callable
from typing import Any, Self

from caspers.clients.backoff import Backoff
from caspers.clients.postgres import Postgres
from caspers.clock import SystemClock
from caspers.worker.decisions import Pace
from caspers.worker.loop import WorkerLoop
from caspers.worker.orders import write_orders
from caspers.worker.reports import read_report
from caspers.worker.states import Desired, Observed, WorkerOrders, WorkerReport
from caspers.worker.step import Step, StepContext, StepOutcome

from tests.support.waiting import wait_for

WORKER = "replay"

#: Everything is regular within a fifth of a second.
BRISK = Pace(interval_s=0.2, poll_s=0.2, heartbeat_s=0.2, backoff=Backoff(first_s=0.1, ceiling_s=0.2))
#: Nothing happens by itself: only notifications and wake-ups move the worker.
PATIENT = Pace(interval_s=600, poll_s=600, heartbeat_s=600, backoff=Backoff(first_s=0.1, ceiling_s=0.2))


class Crew:
    """Copies of one worker on one control database; a context manager that stops them all."""

    def __init__(self, database: Postgres) -> None:
        self.database = database
        self._loops: list[WorkerLoop] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for loop in self._loops:
            loop.stop(grace_s=5)

    def hire(self, step: Step, *, name: str = WORKER, pace: Pace = BRISK) -> WorkerLoop:
        """A started loop."""
        loop = WorkerLoop(name, step, self.database, SystemClock(), pace=pace)
        self._loops.append(loop)
        loop.start()
        return loop

    def order(self, desired: Desired, name: str = WORKER, **parameters: Any) -> WorkerOrders:
        with self.database.transaction() as writer:
            return write_orders(writer, name, desired=desired, parameters=parameters)

    def report(self, name: str = WORKER) -> WorkerReport | None:
        with self.database.reading() as reader:
            return read_report(reader, name)

    def wait(self, observed: Observed, *, seconds: float = 10, generation: int = 0) -> WorkerReport:
        """The first report that says so, of orders at least as new as `generation`."""

        def said() -> WorkerReport | None:
            report = self.report()
            fits = report and report.observed == observed and report.generation >= generation
            return report if fits else None

        return wait_for(said, seconds=seconds, what=f"the report says {observed}", every=0.02)


class Tally:
    """A step that counts itself, knows how many run at once, and may do something besides."""

    def __init__(self, act: Callable[[StepContext], object] | None = None) -> None:
        self.steps = 0
        self.at_once = 0
        self.most_at_once = 0
        self._act = act
        self._lock = threading.Lock()

    def __call__(self, parameters: dict[str, Any], context: StepContext) -> StepOutcome:
        with self._lock:
            self.steps += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self._act is not None:
                self._act(context)
        finally:
            with self._lock:
                self.at_once -= 1
        return StepOutcome({"steps": self.steps, **parameters})
