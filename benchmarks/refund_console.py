"""The refund console with a million cases: pages of the queue, the summary, decisions; one worker, 16 clients."""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import psutil
from caspers.clients.postgres import Postgres
from caspers.web.app import serve

from benchmarks.measure import Figure, report
from tests.caspers.serving import free_port
from tests.support.postgres import Cluster
from tests.support.refunds import console_app, refund_cluster, reviewer

CASES = 1_000_000
CLIENTS = 16
SECONDS = 10.0

_FILL = """
INSERT INTO refunds.cases (order_id, recommended_at, order_ts, delivered_ts, location_id, location, brands,
    customer_addr, order_total, delivery_minutes, p50_minutes, p75_minutes, p99_minutes, refund_usd, refund_class,
    reason, origin, agent_version, run_id)
SELECT md5(n::text), ts, ts, ts, place, 'Location ' || place, ARRAY['Brand ' || n % 24],
       n % 999 || ' Main St', 40, minutes, 25, 33, 55,
       CASE WHEN n % 33 = 0 THEN NULL ELSE CASE class WHEN 'none' THEN 0 WHEN 'full' THEN 40 ELSE 10 END END,
       CASE WHEN n % 33 = 0 THEN NULL ELSE class END,
       'Delivered in ' || minutes || ' minutes; the P75 of this location is 33 and its P99 is 55.',
       CASE WHEN n % 33 = 0 THEN 'error' WHEN n % 3 = 0 THEN 'model' ELSE 'rules' END, 'refund-1', 'run-' || n
  FROM (SELECT n, timestamptz '2026-01-01' + n * interval '1 second' AS ts, 15 + n % 47 AS minutes,
               1 + (n / 7) % 4 AS place, CASE WHEN n % 100 < 75 THEN 'none' WHEN n % 100 < 98 THEN 'partial' ELSE 'full' END AS class
          FROM generate_series(1, %s) AS n) AS made
"""
_DECIDE = """
WITH chosen AS (SELECT order_id FROM refunds.cases WHERE right(run_id, 2) = '17' AND refund_class IS NOT NULL),
made AS (
    INSERT INTO refunds.refund_decisions (decision_id, order_id, round, step, case_version, action, refund_usd,
        refund_class, decided_by, decided_at, by, policy_version, agent_origin)
    SELECT gen_random_uuid(), order_id, 0, 'first', 1, 'accept', refund_usd, refund_class, 'ada@example.com', now(),
           'person', 1, origin
      FROM refunds.cases JOIN chosen USING (order_id)
    RETURNING *)
UPDATE refunds.cases AS c
   SET status = 'decided', version = 2, decision_id = made.decision_id, decided_by = made.decided_by,
       decided_at = made.decided_at, final_usd = made.refund_usd, final_class = made.refund_class
  FROM made WHERE made.order_id = c.order_id
"""


@dataclass(frozen=True)
class Load:
    """What many clients met: seconds per request, and the seconds that all of it took."""

    times_s: list[float]
    took_s: float

    @property
    def p99_ms(self) -> float:
        return statistics.quantiles(self.times_s, n=100)[98] * 1000

    @property
    def per_second(self) -> float:
        return len(self.times_s) / self.took_s


class Client:
    """Keep-alive HTTP over a plain socket: cheap enough not to be what is measured."""

    def __init__(self, port: int) -> None:
        self._port = port
        who = "".join(f"{name}: {value}\r\n" for name, value in reviewer("ada").items())
        self._headers = f"Host: 127.0.0.1\r\n{who}"

    async def open(self) -> "Client":
        self._in, self._out = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        typed = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        self._out.write(f"{method} {path} HTTP/1.1\r\n{self._headers}{typed}\r\n".encode() + body)
        head = await self._in.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return int(head.split()[1]), await self._in.readexactly(length)


def pages(chance: Random) -> tuple[str, str, bytes]:
    """A page of the queue as reviewers ask for it: filtered by class and location."""
    wanted = f"refund_class={chance.choice(('partial', 'full', 'none'))}&location_id={chance.randint(1, 4)}"
    return "GET", f"/api/queue?{wanted}", b""


def summary(_chance: Random) -> tuple[str, str, bytes]:
    return "GET", "/api/summary", b""


def decisions(order_ids: Iterator[str]) -> Callable[[Random], tuple[str, str, bytes]]:
    def decide(_chance: Random) -> tuple[str, str, bytes]:
        body = {"order_id": next(order_ids), "version": 1, "action": "accept"}
        return "POST", "/api/decisions", json.dumps(body).encode()

    return decide


async def load(port: int, request: Callable[[Random], tuple[str, str, bytes]], seconds: float) -> Load:
    times: list[float] = []
    began = time.perf_counter()

    async def work(seed: int) -> None:
        client, chance = await Client(port).open(), Random(seed)
        while time.perf_counter() - began < seconds:
            asked = request(chance)
            start = time.perf_counter()
            status, body = await client.ask(*asked)
            times.append(time.perf_counter() - start)
            assert status in {200, 201}, (asked, status, body[:300])

    await asyncio.gather(*(work(seed) for seed in range(CLIENTS)))
    return Load(times, time.perf_counter() - began)


async def one_by_one(port: int, paths: list[str]) -> float:
    """Median milliseconds of a GET, one client."""
    client, times = await Client(port).open(), []
    for path in paths:
        start = time.perf_counter()
        status, _ = await client.ask("GET", path)
        times.append((time.perf_counter() - start) * 1000)
        assert status == 200
    return statistics.median(times)


def cursor_near_the_end(database: Postgres) -> str:
    """The cursor of the last page of the pending cases."""
    from caspers.review.keyset import cursor

    with database.reading() as reader:
        row = reader.row(
            "SELECT recommended_at, order_id FROM refunds.cases WHERE status = 'pending' "
            "ORDER BY recommended_at, order_id OFFSET 50 LIMIT 1"
        )
    assert row is not None
    return cursor("newest", row.recommended_at, row.order_id)


def fill(database: Postgres) -> float:
    start = time.perf_counter()
    with database.connection() as connection:
        connection.execute(_FILL.replace("%s", str(CASES)).encode())
        connection.execute(_DECIDE.encode())
        connection.execute(b"VACUUM ANALYZE refunds.cases")
    return time.perf_counter() - start


def cpu_s(pid: int) -> float:
    """Processor seconds that the app has used: unlike times, hardly touched by what else the machine does."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def measure(cluster: Cluster, name: str, port: int, pid: int) -> list[Figure]:
    database = cluster.open(name)
    last = cursor_near_the_end(database)
    with database.reading() as reader:
        rows = reader.rows(
            "SELECT order_id FROM refunds.cases WHERE status = 'pending' AND refund_usd IS NOT NULL "
            "ORDER BY md5(order_id) LIMIT 50000"
        )
    database.close()
    asyncio.run(load(port, pages, 2))
    before_s = cpu_s(pid)
    queue = asyncio.run(load(port, pages, SECONDS))
    queue_cpu_ms = (cpu_s(pid) - before_s) / len(queue.times_s) * 1000
    first_ms = asyncio.run(one_by_one(port, ["/api/queue"] * 200))
    last_ms = asyncio.run(one_by_one(port, [f"/api/queue?after={last}"] * 200))
    totals = asyncio.run(load(port, summary, SECONDS / 2))
    before_s = cpu_s(pid)
    decided = asyncio.run(load(port, decisions(iter([row.order_id for row in rows])), SECONDS))
    decided_cpu_ms = (cpu_s(pid) - before_s) / len(decided.times_s) * 1000
    return [
        Figure("queue page, 16 clients, p99", queue.p99_ms, "ms", "≤ 50 ms"),
        Figure("queue pages, 16 clients", queue.per_second, "per s", "≥ 400 per s"),
        Figure("queue page, processor time of the app", queue_cpu_ms, "ms"),
        Figure("first page, one client, median", first_ms, "ms"),
        Figure("last page, one client, median", last_ms, "ms", "as the first"),
        Figure("summary, 16 clients, p99", totals.p99_ms, "ms", "≤ 20 ms"),
        Figure("summary, 16 clients", totals.per_second, "per s"),
        Figure("decision, 16 clients, p99", decided.p99_ms, "ms", "≤ 40 ms"),
        Figure("decisions, 16 clients", decided.per_second, "per s"),
        Figure("decision, processor time of the app", decided_cpu_ms, "ms"),
    ]


def main() -> None:
    cluster = refund_cluster()
    name, port = cluster.new_database(), free_port()
    database = cluster.open(name)
    took_s = fill(database)
    database.close()
    arguments = [sys.executable, "-m", "benchmarks.refund_console", str(cluster.port), name, str(port)]
    app = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    try:
        wait_until_listening(port)
        figures = measure(cluster, name, port, app.pid)
    finally:
        psutil.Process(app.pid).terminate()
        app.wait()
        cluster.remove()
    busy = os.getloadavg()[0]
    report(
        f"Refund console, {CASES:,} cases (made in {took_s:.0f} s; load of the machine {busy:.1f})", figures
    )


def wait_until_listening(port: int) -> None:
    from tests.support.waiting import wait_for

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_for(listens, what=f"the console listens on port {port}")


def serve_console(cluster_port: int, name: str, port: int) -> None:
    """The app in a process of its own."""
    import psycopg
    from caspers.clients.postgres import login_parameters

    login = {"host": "127.0.0.1", "port": cluster_port, "user": "postgres", "dbname": name}
    app = console_app(Postgres(lambda: psycopg.connect(**login_parameters(login))), port=port)
    serve(app, app.state.settings)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve_console(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    else:
        main()
