"""The workers of the demo: what each is told to do, what it says it does."""

from collections.abc import Mapping
from typing import Any

from caspers.clients.postgres import Reader, Writer
from caspers.clock import Clock
from caspers.errors import Invalid, NotFound
from caspers.worker.orders import read_all_orders, read_orders, write_orders
from caspers.worker.reports import read_all_reports
from caspers.worker.states import Desired, WorkerOrders, WorkerReport

from admin.activity import Activity
from admin.control_tables import ControlTables
from admin.overview.worker_figures import Throughput, view
from admin.roles import Actor
from admin.shapes import WorkerView


class NoWorker(NotFound):
    """There is no worker of this name, at least not yet."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no worker {name}", what_now="GET /api/v1/workers lists them.")


class Workers:
    """Read and change orders; a demo without a control database has no workers."""

    def __init__(
        self, tables: ControlTables, activity: Activity, clock: Clock, stages: Mapping[str, str]
    ) -> None:
        """`stages` tells which stage gives a worker its orders."""
        self._tables = tables
        self._activity = activity
        self._clock = clock
        self._stages = stages
        self._throughput = Throughput()

    def all(self) -> list[WorkerView]:
        """Every worker by name."""
        orders, reports = self._tables.read(_read, without=([], []))
        by_name = {report.worker: report for report in reports}
        return [self._view(each, by_name.get(each.worker)) for each in orders]

    def get(self, name: str) -> WorkerView:
        """Raises `NoWorker`."""
        found = next((worker for worker in self.all() if worker.name == name), None)
        if found is None:
            raise NoWorker(name)
        return found

    def change(
        self, name: str, actor: Actor, *, desired: Desired | None, parameters: Mapping[str, Any] | None
    ) -> WorkerView:
        """Pause, resume or re-parameterise a worker; what is not given stays.

        Raises:
            NoWorker: there is none of this name.
            Invalid: nothing is asked for, or a parameter that the worker does not have, or of another type.
            MayNot: the role does not suffice.
        """
        if desired is None and not parameters:
            raise Invalid("nothing to change", what_now="Give `desired`, `parameters` or both.")
        actions = _actions(desired, parameters)
        for action in actions:
            self._activity.demand(actor, action, name)

        def write(writer: Writer) -> WorkerOrders:
            current = _orders(writer, name)
            return write_orders(
                writer,
                name,
                desired=desired or current.desired,
                parameters=_with_changes(current.parameters, parameters or {}),
            )

        orders = self._write(name, write)
        for action in actions:
            detail = dict(parameters or {}) if action == "worker.parameters" else {}
            self._activity.record(actor, action, name, {**detail, "generation": orders.generation})
        return self.get(name)

    def tick(self, name: str, actor: Actor) -> WorkerView:
        """Let a worker look for work now instead of at its next interval. Raises `NoWorker`, `MayNot`."""
        self._activity.demand(actor, "worker.tick", name)

        def write(writer: Writer) -> WorkerOrders:
            # The same orders once more: they wake the worker and interrupt nothing.
            current = _orders(writer, name)
            return write_orders(writer, name, desired=current.desired, parameters=current.parameters)

        self._write(name, write)
        self._activity.record(actor, "worker.tick", name)
        return self.get(name)

    def _write(self, name: str, write: Any) -> WorkerOrders:
        orders: WorkerOrders | None = self._tables.write(write, without=None)
        if orders is None:
            raise NoWorker(name)
        return orders

    def _view(self, orders: WorkerOrders, report: WorkerReport | None) -> WorkerView:
        stage = self._stages.get(orders.worker, "")
        return view(orders, report, stage=stage, now=self._clock.now(), throughput=self._throughput)


def _read(reader: Reader) -> tuple[list[WorkerOrders], list[WorkerReport]]:
    return read_all_orders(reader), read_all_reports(reader)


def _orders(reader: Reader, name: str) -> WorkerOrders:
    current = read_orders(reader, name)
    if current is None:
        raise NoWorker(name)
    return current


def _actions(desired: Desired | None, parameters: Mapping[str, Any] | None) -> list[str]:
    paused = {"running": ["worker.resume"], "stopped": ["worker.pause"], None: []}
    return [*paused[desired], *(["worker.parameters"] if parameters else [])]


def _with_changes(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in changes.items():
        if name not in current:
            known = ", ".join(sorted(current)) or "none"
            raise Invalid(f"the worker has no parameter {name}", what_now=f"Its parameters: {known}.")
        if not _alike(current[name], value):
            raise Invalid(
                f"{name} is {current[name]!r} now, and {value!r} is of another type",
                what_now="Give a value of the same type.",
            )
    return {**current, **changes}


def _alike(before: Any, value: Any) -> bool:
    """Whether a parameter may take this value: of the same JSON type; empty may be anything."""
    if before is None or value is None:
        return True
    numbers = isinstance(before, int | float) and isinstance(value, int | float)
    return type(before) is type(value) or (
        numbers and not isinstance(before, bool) and not isinstance(value, bool)
    )
