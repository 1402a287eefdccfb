"""The orders of one worker: what it is told to do, and whether it does."""

from collections.abc import Mapping
from typing import Any

from caspers.worker.orders import WorkerOrders, read_orders, write_orders
from caspers.worker.reports import WorkerReport, read_report

from admin.resources.control_schema import Databases
from admin.resources.kind import Declared, Found, Readiness


class Orders:
    """Named by the worker. Specification: `endpoint`, `database`, `desired`, `parameters`, and some more.

    - `until`: what its report must say before it counts as ready: "idle" (its work is done) or "running";
    - `offers`: names in its progress that others may refer to;
    - `progress_of`: a figure in its progress that must be above 0 first (optional).
    """

    patience_s = 900.0
    part_of_parent = True

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def read(self, wanted: Declared) -> Found | None:
        with self._databases(wanted.spec["endpoint"], wanted.spec["database"]).reading() as reader:
            orders = read_orders(reader, wanted.name)
            report = read_report(reader, wanted.name)
        if orders is None:
            return None
        state, message = readiness(wanted.spec, orders, report)
        progress = report.progress if report else {}
        outputs = {name: str(progress[name]) for name in wanted.spec["offers"] if name in progress}
        # Parameters that people changed while it ran are theirs until the declaration changes: no drift.
        settings = {"desired": orders.desired}
        return Found(wanted.name, state, outputs, settings, message=message)

    def create(self, wanted: Declared) -> str:
        with self._databases(wanted.spec["endpoint"], wanted.spec["database"]).transaction() as writer:
            write_orders(
                writer, wanted.name, desired=wanted.spec["desired"], parameters=wanted.spec["parameters"]
            )
        return wanted.name

    def update(self, wanted: Declared) -> None:
        self.create(wanted)

    def delete(self, wanted: Declared) -> None:
        with self._databases(wanted.spec["endpoint"], wanted.spec["database"]).transaction() as writer:
            write_orders(writer, wanted.name, desired="stopped", parameters=wanted.spec["parameters"])


def readiness(
    spec: Mapping[str, Any], orders: WorkerOrders, report: WorkerReport | None
) -> tuple[Readiness, str]:
    """Whether a worker does what it was told, with a word on what it is doing instead. Pure."""
    if report is None or report.generation < orders.generation:
        return "working", "waiting for the worker to hear of its orders"
    if report.observed == "failed":
        return "failed", report.last_error or "the worker failed; its app's log says why"
    figure = spec.get("progress_of")
    begun = figure is None or float(report.progress.get(figure) or 0) > 0
    doing = {"idle"} if spec["until"] == "idle" else {"idle", "running"}
    if report.observed in doing and begun:
        return "ready", ""
    done = ", ".join(f"{name} {value}" for name, value in sorted(report.progress.items()) if name == figure)
    return "working", report.last_error or done or report.observed
