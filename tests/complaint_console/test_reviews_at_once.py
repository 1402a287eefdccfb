"""Many people answer one complaint at the same moment, through two apps on one database: one credit, one winner."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
from caspers.clients.postgres import Postgres

from tests.support.complaints import arrive, console, take_in, usual
from tests.support.postgres import Cluster
from tests.support.refunds import reviewer

PEOPLE = 50


def approve(address: str, person: int) -> httpx.Response:
    body = {"complaint_id": "a", "version": 1, "action": "approve"}
    return httpx.post(
        f"{address}/api/decisions", json=body, headers=reviewer(f"person-{person}"), timeout=120
    )


def test_fifty_reviews_through_two_apps_credit_once_and_name_the_winner(cluster: Cluster, database: Postgres):
    arrive(database, [usual("a")])
    take_in(database)
    beside = cluster.open(str(database.connection().info.dbname))
    with console(database) as one, console(beside) as other, ThreadPoolExecutor(PEOPLE) as crowd:
        addresses = [str(served.client.base_url) for served in (one, other)]
        answers = list(crowd.map(lambda n: approve(addresses[n % 2], n), range(PEOPLE)))
    with database.reading() as reader:
        (paid,) = reader.rows("SELECT count(*) AS n, sum(credit_usd) AS usd FROM reviews.complaint_reviews")
    beside.close()
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: PEOPLE - 1}
    (winner,) = [answer.json() for answer in answers if answer.status_code == 201]
    losers = [answer.json()["winner"] for answer in answers if answer.status_code == 409]
    assert {loser["decision_id"] for loser in losers} == {winner["decision_id"]}
    assert {loser["decided_by"] for loser in losers} == {winner["decided_by"]}
    assert (paid.n, paid.usd) == (1, 5)
