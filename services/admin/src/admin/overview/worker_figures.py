"""A worker's orders and report as people read them: what it has done, how fast, what waits, whether it is well. Pure."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from typing import Any

from caspers.worker.states import WorkerOrders, WorkerReport

from admin.shapes import Health, WorkerView

HEARTBEAT_LIMIT_S = 60.0
"""A worker that has not reported for so long is not alive, whatever its last report says."""

DONE_FIGURES = ("events_written", "cases", "events")
"""What workers call the number of things they have done."""

TROUBLED: Mapping[str, tuple[Health, str]] = {
    "failed": ("failed", "its last step failed"),
    "backing_off": ("working", "something it needs is away"),
}
"""What it means when a worker observes this of itself."""

MEASURED_S = 60.0
"""Throughput is measured over the last so many seconds."""


class Throughput:
    """How many things a worker does in a second, from what its reports said lately. Safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: dict[str, deque[tuple[datetime, int]]] = {}

    def per_s(self, worker: str, at: datetime, done: int) -> float | None:
        """The rate up to this report; None until there are two of the same count."""
        with self._lock:
            seen = self._seen.setdefault(worker, deque())
            if seen and (done < seen[-1][1] or at < seen[-1][0]):
                seen.clear()
            if not seen or at > seen[-1][0]:
                seen.append((at, done))
            while len(seen) > 2 and (at - seen[1][0]).total_seconds() >= MEASURED_S:
                seen.popleft()
            first = seen[0]
        elapsed_s = (at - first[0]).total_seconds()
        return round((done - first[1]) / elapsed_s, 3) if elapsed_s > 0 else None


def view(
    orders: WorkerOrders, report: WorkerReport | None, *, stage: str, now: datetime, throughput: Throughput
) -> WorkerView:
    """The worker in full; without a report nothing is known of what it does."""
    progress: Mapping[str, Any] = report.progress if report else {}
    done = _done(progress)
    own_rate = _number(progress.get("per_s"))
    per_s = own_rate
    if own_rate is None and report is not None and done is not None:
        per_s = throughput.per_s(orders.worker, report.heartbeat_at, done)
    age_s = None if report is None else max(0.0, (now - report.heartbeat_at).total_seconds())
    health, message = _health(orders, report, age_s)
    return WorkerView(
        name=orders.worker,
        stage=stage,
        desired=orders.desired,
        generation=orders.generation,
        parameters=orders.parameters,
        observed=report.observed if report else "unknown",
        observed_generation=report.generation if report else 0,
        heartbeat_age_s=None if age_s is None else round(age_s, 1),
        since=report.since if report else None,
        done=done,
        per_s=per_s,
        pending=_pending(progress),
        lag_s=_number(progress.get("lag_s")),
        progress=progress,
        last_error=report.last_error if report else None,
        health=health,
        message=message,
    )


def _health(orders: WorkerOrders, report: WorkerReport | None, age_s: float | None) -> tuple[Health, str]:
    if orders.desired == "stopped":
        obeys = report is None or report.observed == "stopped" or (age_s or 0) > HEARTBEAT_LIMIT_S
        return ("stopped", "stopped as ordered") if obeys else ("working", "stopping")
    if report is None or age_s is None:
        return "working", "it has not reported yet"
    if age_s > HEARTBEAT_LIMIT_S:
        return "failed", f"it does not report (last heard {age_s:.0f} s ago)"
    if report.observed in TROUBLED:
        health, said = TROUBLED[report.observed]
        return health, report.last_error or said
    if report.observed in {"starting", "stopped"} or report.generation < orders.generation:
        return "working", f"it is {report.observed} and has yet to follow its newest orders"
    return "ok", ""


def _done(progress: Mapping[str, Any]) -> int | None:
    by_origin = progress.get("by_origin")
    if isinstance(by_origin, Mapping):
        return sum(count for count in by_origin.values() if isinstance(count, int))
    found = (progress[name] for name in DONE_FIGURES if isinstance(progress.get(name), int))
    return next(found, None)


def _pending(progress: Mapping[str, Any]) -> int | None:
    waiting = [progress[name] for name in ("pending_live", "pending_history") if name in progress]
    return sum(waiting) if waiting and all(isinstance(each, int) for each in waiting) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
