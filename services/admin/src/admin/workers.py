"""The workers of the demo: what each is told to do, what it says it does."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from caspers.clients.lakebase import Lakebase
from caspers.clock import Clock
from caspers.errors import NotFound
from caspers.worker.orders import Desired, read_all_orders, read_orders, write_orders
from caspers.worker.reports import read_all_reports


class Workers:
    """Read and change orders; a demo without a control database has no workers."""

    def __init__(self, control: Callable[[], Lakebase | None], clock: Clock) -> None:
        self._control = control
        self._clock = clock

    def all(self) -> dict[str, dict[str, Any]]:
        """Every worker by name: orders and report, with the age of its heartbeat in seconds."""
        database = self._control()
        if database is None:
            return {}
        try:
            with database.reading() as reader:
                orders = {each.worker: each for each in read_all_orders(reader)}
                reports = {each.worker: each for each in read_all_reports(reader)}
        except NotFound:
            return {}
        now = self._clock.now()
        described: dict[str, dict[str, Any]] = {}
        for name, order in orders.items():
            report = reports.get(name)
            described[name] = {
                "desired": order.desired,
                "generation": order.generation,
                "parameters": order.parameters,
                "observed": report.observed if report else "unknown",
                "observed_generation": report.generation if report else 0,
                "heartbeat_age_s": round((now - report.heartbeat_at).total_seconds(), 1) if report else None,
                "since": report.since.isoformat() if report else None,
                "progress": report.progress if report else {},
                "last_error": report.last_error if report else None,
            }
        return described

    def order(self, name: str, desired: Desired, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
        """Give a worker new orders; without parameters it keeps those it has. Raises `NotFound`."""
        database = self._control()
        if database is None:
            raise NotFound("there is no control database yet", what_now="Run a target first.")
        with database.transaction() as writer:
            current = read_orders(writer, name)
            if current is None:
                raise NotFound(f"there is no worker {name}", what_now="GET /api/workers lists them.")
            chosen = current.parameters if parameters is None else parameters
            return asdict(write_orders(writer, name, desired=desired, parameters=chosen))
