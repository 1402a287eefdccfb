"""Many people at the same moment, over HTTP, against one and against two copies of the app."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from caspers.clients.postgres import Postgres

from tests.caspers.serving import free_port
from tests.support.postgres import Cluster
from tests.support.refunds import arrive, console, recommendations, reviewer, take_in, usual
from tests.support.waiting import wait_for

PEOPLE = 50


def approve(address: str, person: int, order_id: str) -> httpx.Response:
    body = {"order_id": order_id, "version": 1, "action": "accept"}
    who = reviewer(f"person-{person}")
    return httpx.post(f"{address}/api/decisions", json=body, headers=who, timeout=60)


def all_at_once(addresses: list[str], order_id: str) -> list[httpx.Response]:
    with ThreadPoolExecutor(PEOPLE) as crowd:
        return list(crowd.map(lambda n: approve(addresses[n % len(addresses)], n, order_id), range(PEOPLE)))


def check(database: Postgres, answers: list[httpx.Response]) -> None:
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: PEOPLE - 1}
    (winner,) = [answer.json() for answer in answers if answer.status_code == 201]
    losers = [answer.json()["winner"] for answer in answers if answer.status_code == 409]
    assert {loser["decision_id"] for loser in losers} == {winner["decision_id"]}
    assert {loser["decided_by"] for loser in losers} == {winner["decided_by"]}
    with database.reading() as reader:
        (paid,) = reader.rows("SELECT count(*) AS n, sum(refund_usd) AS usd FROM refunds.refund_decisions")
    assert (paid.n, paid.usd) == (1, 5)


def test_fifty_approvals_of_one_order_pay_once_and_name_the_winner(database: Postgres):
    arrive(database, [usual("a")])
    take_in(database)
    with console(database) as served:
        check(database, all_at_once([str(served.client.base_url)], "a"))


@pytest.fixture
def two_copies(cluster: Cluster, database: Postgres) -> Iterator[list[str]]:
    """The addresses of two processes that serve the same database."""
    ports = [free_port(), free_port()]
    name = str(database.connection().info.dbname)
    command = [sys.executable, "-m", "benchmarks.refund_console", str(cluster.port), name]
    copies = [subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL) for port in ports]
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    for address in addresses:
        wait_for(lambda address=address: answers(address), seconds=90, what=f"{address} answers")
    yield addresses
    for copy in copies:
        copy.kill()
        copy.wait()


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_two_copies_of_the_app_pay_once_as_well(database: Postgres, two_copies: list[str]):
    arrive(database, [usual("a")])
    take_in(database)
    check(database, all_at_once(two_copies, "a"))


def test_many_people_on_many_cases_leave_exact_counts(database: Postgres):
    arrive(database, recommendations(60))
    take_in(database)
    with console(database) as served:
        address = str(served.client.base_url)
        orders = [case["order_id"] for case in served.client.get("/api/queue?limit=60").json()["cases"]]
        with ThreadPoolExecutor(12) as crowd:
            list(crowd.map(lambda n: approve(address, n, orders[n % 20]), range(60)))
        counted = served.client.get("/api/queue/counts").json()["by_status"]
    with database.reading() as reader:
        really = reader.rows("SELECT status, count(*) AS n FROM refunds.cases GROUP BY 1")
    assert counted == {row.status: row.n for row in really}
    assert counted["decided"] >= 15


def test_the_console_goes_on_when_postgres_comes_back(cluster: Cluster, database: Postgres):
    arrive(database, [usual("a")])
    take_in(database)
    with console(database) as served:
        assert served.client.get("/api/queue").status_code == 200
        cluster.stop()
        try:
            away = served.client.get("/api/queue")
        finally:
            cluster.start()
        assert (away.status_code, away.headers["retry-after"]) == (503, "5")
        assert served.client.get("/api/queue").json()["cases"][0]["order_id"] == "a"
