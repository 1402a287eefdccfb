"""The page of the workers: what each is told, what it does, how fast, and how that went lately."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from caspers.clock import Clock
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from admin.desk import Desk
from admin.pages import looks
from admin.pages.command_lines import requested
from admin.pages.frame import Looking, Twin, base_url, show, strip
from admin.pages.stages import worker_title
from admin.pages.verbs import may_not
from admin.shapes import WorkerView

LOOKS_KEPT = 60
LOOK_EVERY_S = 2.0
HEIGHT = 20.0


@dataclass(frozen=True)
class Card:
    """A worker on the page."""

    view: WorkerView
    title: str
    stage_title: str
    look: looks.Look
    trend: str
    """Points of a line from 0 to 100 in a box 20 high; empty until there are two looks."""
    trend_words: str
    figures: Sequence[tuple[str, str]]
    lines: Sequence[str]


class Trends:
    """The throughput of each worker as it was at the last looks. Safe between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._seen: dict[str, deque[float]] = {}
        self._looked_s = float("-inf")

    def look(self, workers: Sequence[WorkerView]) -> None:
        """Remember how fast each is just now, every few seconds."""
        with self._lock:
            now_s = self._clock.monotonic()
            if now_s - self._looked_s < LOOK_EVERY_S:
                return
            self._looked_s = now_s
            for worker in workers:
                if worker.per_s is not None:
                    self._seen.setdefault(worker.name, deque(maxlen=LOOKS_KEPT)).append(worker.per_s)

    def of(self, worker: str) -> list[float]:
        """The last looks, oldest first."""
        with self._lock:
            return list(self._seen.get(worker, ()))


def router(desk: Desk, clock: Clock) -> APIRouter:
    """The page at `/workers`."""
    pages = APIRouter(include_in_schema=False)
    trends = Trends(clock)

    @pages.get("/workers")
    def show_workers(request: Request, actor: Looking) -> HTMLResponse:
        state = desk.overview.state()
        trends.look(state.workers)
        titles = {stage.name: stage.title for stage in state.stages}
        base = base_url(request)
        return show(
            request,
            "workers.html",
            Twin("/api/v1/workers"),
            strip=strip(desk, actor, state),
            workers=[
                _card(worker, titles.get(worker.stage, ""), trends.of(worker.name), base)
                for worker in state.workers
            ],
            why_not=may_not(actor, "worker.pause"),
        )

    return pages


def points(rates: Sequence[float]) -> str:
    """A line through the rates for an SVG polyline, the highest at the top; empty for fewer than two."""
    if len(rates) < 2:
        return ""
    highest = max(*rates, 1e-9)
    step = 100 / (len(rates) - 1)
    return " ".join(
        f"{number * step:.1f},{HEIGHT - 1 - rate / highest * (HEIGHT - 2):.1f}"
        for number, rate in enumerate(rates)
    )


def _card(worker: WorkerView, stage_title: str, rates: Sequence[float], base: str) -> Card:
    address = f"{base}/api/v1/workers/{worker.name}"
    verb, desired = ("pause", "stopped") if worker.desired == "running" else ("resume", "running")
    change = requested(["workers", verb, worker.name], "PATCH", address, {"desired": desired})
    tick = requested(["workers", "tick", worker.name], "POST", f"{address}/tick")
    return Card(
        view=worker,
        title=worker_title(worker.name),
        stage_title=stage_title,
        look=looks.of_worker(worker),
        trend=points(rates),
        trend_words=f"{rates[0]:g} to {rates[-1]:g}, at most {max(rates):g}" if rates else "",
        figures=[*_flat(worker.progress), *_flat(worker.parameters, "told: ")],
        lines=[change.caspers, change.curl, tick.caspers, tick.curl],
    )


def _flat(values: Any, prefix: str = "") -> list[tuple[str, str]]:
    return [(f"{prefix}{name}", str(value)) for name, value in values.items() if not isinstance(value, list)]
