"""Accepting many cases at once: what it costs, what is left out, what changed meanwhile."""

from collections.abc import Iterator

import httpx
import pytest
from caspers.clients.postgres import Postgres

from tests.support.refunds import arrive, console, reviewer, take_in, usual

ADA, BOB = reviewer("ada"), reviewer("bob")


@pytest.fixture
def client(database: Postgres) -> Iterator[httpx.Client]:
    """A console with three usual cases, an unusable one, an expensive one, and one that does not fit its order."""
    odd = [
        usual("error", origin="error"),
        usual("big", refund_usd=150, order_total=200),
        usual("misfit", refund_usd=30),
    ]
    arrive(database, [usual("a"), usual("b"), usual("c"), *odd])
    take_in(database)
    with console(database) as served:
        yield served.client


def test_a_preview_sums_up_and_says_what_is_left_out_and_why(client: httpx.Client):
    client.post("/api/cases/c/claim", headers=BOB)
    preview = client.post("/api/bulk/preview", headers=ADA, json={}).json()
    assert {case["order_id"] for case in preview["cases"]} == {"a", "b"}
    assert (preview["count"], preview["sum_usd"]) == (2, 10)
    left_out = {one["why"]: one["count"] for one in preview["left_out"]}
    assert left_out["somebody else works on it"] == left_out["needs a second person"] == 1
    assert sum(left_out.values()) == 4


def test_a_preview_follows_the_filters_of_the_list(client: httpx.Client):
    filters = {"filters": {"origin": "error"}}
    assert client.post("/api/bulk/preview", headers=ADA, json=filters).json()["cases"] == []


def test_what_changed_meanwhile_is_reported_and_the_rest_accepted(client: httpx.Client):
    cases = client.post("/api/bulk/preview", headers=ADA, json={}).json()["cases"]
    client.post("/api/decisions", headers=BOB, json={"order_id": "b", "version": 1, "action": "accept"})
    wanted = [{"order_id": case["order_id"], "version": case["version"]} for case in cases]
    done = client.post("/api/bulk/accept", headers=ADA, json={"cases": wanted}).json()
    assert {one["order_id"] for one in done["accepted"]} == {"a", "c"}
    (conflict,) = done["conflicts"]
    assert (conflict["order_id"], conflict["winner"]["decided_by"]) == ("b", "bob@example.com")


def test_cases_that_do_not_exist_are_conflicts_too(client: httpx.Client):
    done = client.post(
        "/api/bulk/accept", headers=ADA, json={"cases": [{"order_id": "nothing", "version": 1}]}
    )
    assert "no case 'nothing'" in done.json()["conflicts"][0]["detail"]
