"""The panel with 10,000 runs and 100,000 activity rows: pages and API with 8 clients, and how soon a worker's state shows."""

import gc
import json
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from admin.activity import ActivityFilters
from admin.runs.store import RunFilters
from caspers.clients.postgres import Postgres
from caspers.startup import loading

from benchmarks.measure import Figure, report
from tests.support.admin import Admin, admin_cluster, give_orders, person
from tests.support.admin import report as report_of

RUNS, ACTIVITY_ROWS = 10_000, 100_000
CLIENTS, ROUNDS = 8, 25
CHANGES = 60

COPY_RUNS = """
INSERT INTO control.run_history (run_id, started, action, state, started_by, summary, details)
SELECT 'run-' || n, started - n * interval '1 minute', action, state, started_by,
       summary || jsonb_build_object('run_id', 'run-' || n, 'started', started - n * interval '1 minute'), details
  FROM control.run_history, generate_series(1, %s) AS n WHERE run_id = %s
"""
FILL_ACTIVITY = """
INSERT INTO control.activity (at, who, role, action, object, outcome, detail)
SELECT now() - n * interval '1 second', 'person' || n %% 50 || '@example.com', 'operator',
       (ARRAY['run.start', 'run.end', 'worker.pause', 'worker.resume', 'replay.speed'])[1 + n %% 5], 'object ' || n, 'done', '{}'
  FROM generate_series(1, %s) AS n
"""


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="bench-panel-") as folder, admin_cluster() as cluster:
        control = cluster.open(cluster.new_database())
        (Path(folder) / "admin").mkdir()
        with loading():  # as the app itself does
            admin = Admin(Path(folder) / "admin", None, control)
        try:
            with admin.serve() as served:
                figures = _measure(admin, control, str(served.client.base_url))
                served.terminate()
        finally:
            admin.close()
            control.close()
    load = os.getloadavg()[0]
    report(
        f"Panel, {RUNS:,} runs, {ACTIVITY_ROWS:,} activity rows, {CLIENTS} clients (load of the machine {load:.1f})",
        figures,
    )


def _measure(admin: Admin, control: Postgres, url: str) -> list[Figure]:
    run_id = _fill(admin, control)
    pages = ["/", "/runs", f"/runs/{run_id}", "/workers", "/resources", "/activity", "/roles"]
    api = ["/targets", "/stages", "/stages/Foundation", "/parameters", "/runs?limit=50", f"/runs/{run_id}"]
    api += [f"/runs/{run_id}/log", f"/runs/compare?one={run_id}&other=run-17", "/runs?state=failed"]
    api += [
        "/workers",
        "/workers/replay",
        "/resources",
        "/activity",
        "/activity?who=person7@example.com",
        "/me",
        "/roles",
    ]
    api += [f"/runs?after={_far(admin)}", f"/activity?after={_far_activity(admin)}"]
    figures: list[Figure] = []
    everything: list[float] = []
    cost_s = 0.0
    # The clients' own collector would hold their clocks for a tenth of a second.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), gc.freeze) as elsewhere:
        for address in [*pages, *(f"/api/v1{path}" for path in api)]:
            began_s = time.process_time()
            took = elsewhere.submit(_ask, url + address).result()
            own_ms = (time.process_time() - began_s) * 1000 / len(took)
            cost_s += time.process_time() - began_s
            everything += took
            name = f"GET {address[:40]}, p99 (processor time {own_ms:.1f} ms)"
            figures.append(Figure(name, _share(took, 0.99), "ms", "≤ 100 ms"))
    return [
        Figure("all addresses, p50", _share(everything, 0.5), "ms"),
        Figure("all addresses, p99", _share(everything, 0.99), "ms", "≤ 100 ms"),
        Figure("processor time of a request", cost_s * 1000 / len(everything), "ms"),
        *figures,
        *_stream_figures(control, url),
    ]


def _fill(admin: Admin, control: Postgres) -> str:
    """Two real runs, of which one was a failure, and copies of them."""
    admin.kind.fails.add("Canonical_Data b")
    failed = admin.run("all")
    admin.kind.fails.clear()
    done = admin.run("all")
    for worker in ("replay", "refund_recommender", "complaint_agent"):
        give_orders(control, worker, speed_multiplier=60.0)
        report_of(control, worker, "running", events_written=1)
    admin.desk.activity.page(ActivityFilters(), None, 1)
    connection = control.connection()
    with connection:
        connection.execute(COPY_RUNS.encode(), [RUNS * 9 // 10, done.run_id])
        connection.execute(COPY_RUNS.replace("'run-'", "'failed-'").encode(), [RUNS // 10, failed.run_id])
        connection.execute(FILL_ACTIVITY.encode(), [ACTIVITY_ROWS])
    # As it would long be for a history that grew; else Postgres does it while pages are measured.
    connection = control.connection()
    connection.execute("VACUUM ANALYZE")
    connection.close()
    return done.run_id


def _far(admin: Admin) -> str:
    """The cursor of a page deep in the history."""
    return _deep(lambda after: admin.desk.runs.page(RunFilters(), after, 200))


def _far_activity(admin: Admin) -> str:
    return _deep(lambda after: admin.desk.activity.page(ActivityFilters(), after, 200))


def _deep(page: Any) -> str:
    after: str | None = None
    for _ in range(40):
        after = page(after).next
    assert after is not None
    return after


def _ask(address: str) -> list[float]:
    """The milliseconds of each answer, with all clients at once."""
    headers = person("ada")

    def ask(_client: int) -> list[float]:
        took: list[float] = []
        with httpx.Client(headers=headers, timeout=60) as client:
            client.get(address).raise_for_status()
            for _ in range(ROUNDS):
                began = time.perf_counter()
                client.get(address).raise_for_status()
                took.append((time.perf_counter() - began) * 1000)
        return took

    with ThreadPoolExecutor(CLIENTS) as clients:
        return [one for took in clients.map(ask, range(CLIENTS)) for one in took]


def _stream_figures(control: Postgres, url: str) -> list[Figure]:
    """From a worker's report in the database to the event at an open panel."""
    took: list[float] = []
    with _states_heard(url) as heard:
        for number in range(CHANGES):
            state = ("failed", "running")[number % 2]
            heard.clear(state)
            began = time.perf_counter()
            report_of(control, "replay", state, events_written=number)
            took.append((heard.wait(state) - began) * 1000)
    return [
        Figure("worker's state to open panel, p50", _share(took, 0.5), "ms"),
        Figure("worker's state to open panel, p95", _share(took, 0.95), "ms", "≤ 1,000 ms"),
    ]


class _Heard:
    """When the replay worker was last heard to be in a state."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._at: dict[str, float] = {}

    def note(self, state: str) -> None:
        with self._news:
            self._at.setdefault(state, time.perf_counter())
            self._news.notify_all()

    def clear(self, state: str) -> None:
        with self._news:
            self._at.pop(state, None)

    def wait(self, state: str) -> float:
        with self._news:
            assert self._news.wait_for(lambda: state in self._at, 60), f"{state} was never heard of"
            return self._at[state]


@contextmanager
def _states_heard(url: str) -> Generator[_Heard]:
    heard, stop, listening = _Heard(), threading.Event(), threading.Event()

    def listen() -> None:
        with httpx.Client(headers=person("ada"), timeout=120) as client:
            while not stop.is_set():  # a stream ends by itself after a while
                _listen(client, f"{url}/api/v1/events", heard, listening, stop)

    threading.Thread(target=listen, daemon=True).start()
    assert listening.wait(60), "the stream was not opened"
    yield heard
    stop.set()


def _listen(
    client: httpx.Client, url: str, heard: _Heard, listening: threading.Event, stop: threading.Event
) -> None:
    with client.stream("GET", url) as answer:
        listening.set()
        for line in answer.iter_lines():
            if stop.is_set():
                return
            if line.startswith("data: ") and '"workers"' in line:
                workers = json.loads(line.removeprefix("data: "))["workers"]
                heard.note(next(each["observed"] for each in workers if each["name"] == "replay"))


def _share(took: list[float], share: float) -> float:
    return sorted(took)[min(len(took) - 1, int(share * len(took)))]


if __name__ == "__main__":
    main()
