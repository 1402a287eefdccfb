"""The worker's voice: its report is kept here, changed from any thread, and written to the control database."""

import threading
from dataclasses import replace
from typing import Any

from caspers.clients.postgres import Postgres
from caspers.clock import Clock
from caspers.errors import CaspersError
from caspers.worker.reports import write_report
from caspers.worker.states import Observed, WorkerReport
from caspers.worker.troubles import Troubles


class Reporter:
    """Keeps `latest` true even when the database is away, and writes it as soon as it is back."""

    def __init__(self, worker: str, database: Postgres, clock: Clock, troubles: Troubles) -> None:
        now = clock.now()
        self.latest = WorkerReport(worker, 0, "starting", heartbeat_at=now, started_at=now, since=now)
        #: While another copy works, the worker's row is that copy's to write.
        self.silent = False
        self._database = database
        self._clock = clock
        self._troubles = troubles
        self._one_at_a_time = threading.Lock()

    def publish(self, **changes: Any) -> None:
        """Change fields of the report (none: only the heartbeat) and write it."""
        with self._one_at_a_time:
            self.latest = self._changed(changes)
            if self.silent:
                return
            try:
                with self._database.transaction() as writer:
                    write_report(writer, self.latest)
            except CaspersError as error:
                self._troubles.begin("report", error)
            else:
                self._troubles.end("report")

    def observe(self, observed: Observed) -> None:
        """Publish the observed state if it is another than before."""
        if self.latest.observed != observed:
            self.publish(observed=observed)

    def tell(self, progress: dict[str, Any]) -> None:
        """Change the progress; it travels with the next heartbeat."""
        with self._one_at_a_time:
            self.latest = replace(self.latest, progress=progress)

    def _changed(self, changes: dict[str, Any]) -> WorkerReport:
        now = self._clock.now()
        report = replace(self.latest, heartbeat_at=now, **changes)
        return report if report.observed == self.latest.observed else replace(report, since=now)
