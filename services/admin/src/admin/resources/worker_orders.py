"""The orders of one worker: what it is told to do, and whether it does."""

from collections.abc import Mapping
from typing import Any, LiteralString

from caspers.worker.orders import WorkerOrders, read_orders, write_orders
from caspers.worker.reports import WorkerReport, read_report

from admin.resources.control_schema import Databases
from admin.resources.kind import Declared, Found, Readiness

SILENT: LiteralString = "SELECT 1 WHERE :heartbeat < now() - interval '20 seconds'"
"""A worker reports every few seconds; one that does not, does not run, and need not be waited for."""

FORGET_ORDERS: LiteralString = "DELETE FROM control.worker_orders WHERE worker = :worker"
FORGET_REPORT: LiteralString = "DELETE FROM control.worker_reports WHERE worker = :worker"


class Orders:
    """Named by the worker. Specification: `endpoint`, `database`, `desired`, `parameters`, and some more.

    - `until`: what its report must say before it counts as ready: "idle" (its work is done) or "running";
    - `offers`: names in its progress that others may refer to;
    - `progress_of`: a figure in its progress that must be above 0 first (optional).
    """

    patience_s = 900.0
    stop_patience_s = 30.0
    parents = ("lakebase_project",)

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def read(self, wanted: Declared) -> Found | None:
        with self._databases(wanted.spec["endpoint"], wanted.spec["database"]).reading() as reader:
            orders = read_orders(reader, wanted.name)
            if orders is None:
                return None
            report = read_report(reader, wanted.name)
            silent = report is None or bool(reader.row(SILENT, heartbeat=report.heartbeat_at))
        state, message = readiness(wanted.spec, orders, report, silent=silent)
        progress = report.progress if report else {}
        outputs = {name: str(progress[name]) for name in wanted.spec["offers"] if name in progress}
        # Parameters that people changed while it ran are theirs until the declaration changes: no drift.
        settings = {"desired": orders.desired}
        return Found(wanted.name, state, outputs, settings, message=message)

    def create(self, wanted: Declared) -> str:
        with self._databases(wanted.spec["endpoint"], wanted.spec["database"]).transaction() as writer:
            if read_orders(writer, wanted.name) is None:
                # A report of an earlier life would look like an answer to these orders.
                writer.execute(FORGET_REPORT, worker=wanted.name)
            write_orders(
                writer, wanted.name, desired=wanted.spec["desired"], parameters=wanted.spec["parameters"]
            )
        return wanted.name

    def update(self, wanted: Declared) -> None:
        self.create(wanted)

    def stop(self, wanted: Declared) -> None:
        with self._databases(wanted.spec["endpoint"], wanted.spec["database"]).transaction() as writer:
            orders = read_orders(writer, wanted.name)
            # Parameters that people changed while it ran are theirs; they outlast the stop.
            parameters = orders.parameters if orders else wanted.spec["parameters"]
            write_orders(writer, wanted.name, desired="stopped", parameters=parameters)

    def delete(self, wanted: Declared) -> None:
        with self._databases(wanted.spec["endpoint"], wanted.spec["database"]).transaction() as writer:
            writer.execute(FORGET_ORDERS, worker=wanted.name)
            writer.execute(FORGET_REPORT, worker=wanted.name)


def readiness(
    spec: Mapping[str, Any], orders: WorkerOrders, report: WorkerReport | None, *, silent: bool = False
) -> tuple[Readiness, str]:
    """Whether a worker does what it was told, with a word on what it is doing instead. Pure."""
    if orders.desired == "stopped" and spec["desired"] == "running":
        obeyed = (
            report is not None and report.generation >= orders.generation and report.observed == "stopped"
        )
        return ("stopped", "it was told to stop") if obeyed or silent else ("working", "it is about to stop")
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
