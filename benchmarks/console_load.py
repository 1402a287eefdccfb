"""What the benchmarks of the two reviewers' consoles share: a million cases, one app process, 16 clients that ask it.

Times say how the machine fared; the app's processor time hardly depends on what else it does.
"""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import LiteralString

import psutil
import psycopg
from caspers.clients.postgres import Postgres, login_parameters
from caspers.review.keyset import cursor
from caspers.startup import loading
from caspers.web.app import serve
from fastapi import FastAPI

from benchmarks.measure import Figure, report
from tests.caspers.serving import free_port
from tests.support.postgres import Cluster
from tests.support.refunds import reviewer
from tests.support.waiting import wait_for

CASES = 1_000_000
CLIENTS = 16
SECONDS = 10.0

#: What is asked: method, path, body.
Asked = tuple[str, str, bytes]
Request = Callable[[Random], Asked]


@dataclass(frozen=True)
class Console:
    """A console as its benchmark measures it.

    Attributes:
        name: of the console, for the report.
        module: the benchmark itself: run with a database and a port it is the app.
        cluster: makes a cluster with the console's tables.
        app: the app on a database and a port.
        fill: makes so many cases (`%s`), then decides one in a hundred.
        filters: a page's filters as reviewers choose them.
        sort: of the page that opens by itself.
        last_page: finds `key` and `case_id` of the case before the last page in that sort.
        undecided: finds `case_id` of cases that can be decided.
        decide: the body of such a decision.
        summary: the address of the totals.
    """

    name: str
    module: str
    cluster: Callable[[], Cluster]
    app: Callable[[Postgres, int], FastAPI]
    fill: tuple[LiteralString, ...]
    filters: Callable[[Random], str]
    sort: str
    last_page: LiteralString
    undecided: LiteralString
    decide: Callable[[str], bytes]
    summary: str


@dataclass(frozen=True)
class Load:
    """What many clients met: seconds per request, seconds that all of it took, processor seconds of the app."""

    times_s: list[float]
    took_s: float
    cpu_s: float

    @property
    def p99_ms(self) -> float:
        return statistics.quantiles(self.times_s, n=100)[98] * 1000

    @property
    def per_second(self) -> float:
        return len(self.times_s) / self.took_s

    @property
    def cpu_ms(self) -> float:
        return self.cpu_s / len(self.times_s) * 1000


def main(console: Console, arguments: list[str]) -> None:
    """Measure and report; with the arguments of the app's own process, be the app."""
    if arguments:
        _serve(console, *arguments)
        return
    cluster = console.cluster()
    name, port = cluster.new_database(), free_port()
    made_s = _fill(console, cluster, name)
    command = [sys.executable, "-m", console.module, str(cluster.port), name, str(port)]
    app = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: _listens(port), seconds=180, what=f"the console listens on port {port}")
        figures = _measure(console, cluster, name, (port, app.pid))
    finally:
        app.terminate()
        app.wait()
        cluster.remove()
    busy = os.getloadavg()[0]
    report(
        f"{console.name}, {CASES:,} cases (made in {made_s:.0f} s; load of the machine {busy:.1f})", figures
    )


def _measure(console: Console, cluster: Cluster, name: str, app: tuple[int, int]) -> list[Figure]:
    port, _ = app
    database = cluster.open(name)
    with database.reading() as reader:
        edge = reader.row(console.last_page)
        rows = reader.rows(console.undecided)
    database.close()
    assert edge is not None
    last = cursor(console.sort, edge.key, edge.case_id)
    case_ids = iter([row.case_id for row in rows])

    asyncio.run(_load(app, _pages(console, "/api/queue"), 2))
    queue = asyncio.run(_load(app, _pages(console, "/api/queue"), SECONDS))
    first_ms = asyncio.run(_one_by_one(port, ["/api/queue"] * 200))
    last_ms = asyncio.run(_one_by_one(port, [f"/api/queue?after={last}"] * 200))
    shown = asyncio.run(_load(app, _pages(console, "/"), SECONDS / 2))
    totals = asyncio.run(_load(app, lambda _: ("GET", console.summary, b""), SECONDS / 2))
    decided = asyncio.run(_load(app, _decisions(console, case_ids), SECONDS))
    return [
        Figure("queue page, 16 clients, p99", queue.p99_ms, "ms", "≤ 50 ms"),
        Figure("queue pages, 16 clients", queue.per_second, "per s", "≥ 400 per s"),
        Figure("queue page, processor time of the app", queue.cpu_ms, "ms"),
        Figure("first page, one client, median", first_ms, "ms"),
        Figure("last page, one client, median", last_ms, "ms", "as the first"),
        Figure("queue page as HTML, 16 clients, p99", shown.p99_ms, "ms"),
        Figure("queue page as HTML, processor time of the app", shown.cpu_ms, "ms"),
        Figure("summary, 16 clients, p99", totals.p99_ms, "ms", "≤ 20 ms"),
        Figure("summary, 16 clients", totals.per_second, "per s"),
        Figure("decision, 16 clients, p99", decided.p99_ms, "ms", "≤ 40 ms"),
        Figure("decisions, 16 clients", decided.per_second, "per s"),
        Figure("decision, processor time of the app", decided.cpu_ms, "ms"),
    ]


def _pages(console: Console, path: str) -> Request:
    return lambda chance: ("GET", f"{path}?{console.filters(chance)}", b"")


def _decisions(console: Console, case_ids: Iterator[str]) -> Request:
    return lambda _: ("POST", "/api/decisions", console.decide(next(case_ids)))


class _Client:
    """Keep-alive HTTP over a plain socket: cheap enough not to be what is measured."""

    def __init__(self, port: int) -> None:
        self._port = port
        who = "".join(f"{name}: {value}\r\n" for name, value in reviewer("ada").items())
        self._headers = f"Host: 127.0.0.1\r\n{who}"

    async def open(self) -> "_Client":
        self._in, self._out = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        typed = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        self._out.write(f"{method} {path} HTTP/1.1\r\n{self._headers}{typed}\r\n".encode() + body)
        head = await self._in.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return int(head.split()[1]), await self._in.readexactly(length)


async def _load(app: tuple[int, int], request: Request, seconds: float) -> Load:
    port, pid = app
    times: list[float] = []
    before_s, began = _cpu_s(pid), time.perf_counter()

    async def work(seed: int) -> None:
        client, chance = await _Client(port).open(), Random(seed)
        while time.perf_counter() - began < seconds:
            asked = request(chance)
            start = time.perf_counter()
            status, body = await client.ask(*asked)
            times.append(time.perf_counter() - start)
            assert status in {200, 201}, (asked, status, body[:300])

    await asyncio.gather(*(work(seed) for seed in range(CLIENTS)))
    return Load(times, time.perf_counter() - began, _cpu_s(pid) - before_s)


async def _one_by_one(port: int, paths: list[str]) -> float:
    """Median milliseconds of a GET, one client."""
    client, times = await _Client(port).open(), []
    for path in paths:
        start = time.perf_counter()
        status, _ = await client.ask("GET", path)
        times.append((time.perf_counter() - start) * 1000)
        assert status == 200
    return statistics.median(times)


def _fill(console: Console, cluster: Cluster, name: str) -> float:
    """Seconds that it took."""
    start, database = time.perf_counter(), cluster.open(name)
    with database.connection() as connection:
        for statement in console.fill:
            connection.execute(statement.replace("%s", str(CASES)).encode())
    database.close()
    return time.perf_counter() - start


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _serve(console: Console, cluster_port: str, name: str, port: str) -> None:
    login = {"host": "127.0.0.1", "port": int(cluster_port), "user": "postgres", "dbname": name}
    with loading():  # as the apps themselves do
        app = console.app(Postgres(lambda: psycopg.connect(**login_parameters(login))), int(port))
    serve(app, app.state.settings)
