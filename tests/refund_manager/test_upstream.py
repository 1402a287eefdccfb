"""The addresses of the original refund manager: same paths, same fields, same types."""

from collections.abc import Iterator

import httpx
import pytest
from caspers.clients.postgres import Postgres

from tests.support.refunds import arrive, console, reviewer, take_in, usual

ADA = reviewer("ada")
REFUND = {
    "order_id": "a",
    "amount_usd": 5,
    "refund_class": "partial",
    "reason": "late",
    "decided_by": "mallory",
}


@pytest.fixture
def client(database: Postgres) -> Iterator[httpx.Client]:
    """A console with a partial, a zero and an unusable recommendation."""
    nothing = usual("zero", refund_usd=0, refund_class="none")
    arrive(database, [usual("a"), nothing, usual("odd", origin="error")])
    take_in(database)
    with console(database) as served:
        yield served.client


def test_the_summary_keeps_its_fields_and_leaves_zeros_out(client: httpx.Client):
    client.post("/api/refunds", headers=ADA, json=REFUND)
    assert client.get("/api/summary").json() == {
        "recommendations_count": 1,
        "total_recommendations": 3,
        "suggestions_by_class": {"partial": 1},
        "suggested_total_usd": 5.0,
        "decisions_count": 1,
        "decisions_by_class": {"partial": 1},
        "decided_total_usd": 5.0,
        "pending_count": 0,
    }
    everything = client.get("/api/summary?include_zero=true").json()
    assert everything["suggestions_by_class"] == {"partial": 1, "none": 1, "error": 1}
    assert everything["pending_count"] == 2


def test_the_list_keeps_its_fields(client: httpx.Client):
    page = client.get("/api/recommendations").json()
    (item,) = page.pop("items")
    assert page == {"limit": 50, "offset": 0, "total": 1, "has_more": False}
    assert set(item) == {"order_id", "ts", "order_ts", "suggestion", "decision", "status"}
    assert item["suggestion"] == {"refund_usd": 5.0, "refund_class": "partial", "reason": "late"}
    assert (item["decision"], item["status"]) == (None, "pending")


def test_unusable_answers_are_suggestions_of_class_error(client: httpx.Client):
    items = client.get("/api/recommendations?include_zero=true&limit=2&offset=1").json()["items"]
    every = items + client.get("/api/recommendations?include_zero=true&limit=1").json()["items"]
    assert {item["suggestion"]["refund_class"] for item in every} == {"partial", "none", "error"}


def test_applying_a_refund_records_who_really_asked(client: httpx.Client):
    applied = client.post("/api/refunds", headers=ADA, json=REFUND)
    assert applied.status_code == 201
    said = applied.json()
    assert (said["decided_by"], said["amount_usd"], type(said["id"])) == ("ada@example.com", 5, int)
    (item,) = client.get("/api/recommendations").json()["items"]
    assert (item["status"], item["decision"]["id"], item["decision"]["reason"]) == (
        "applied",
        said["id"],
        "late",
    )


def test_applying_a_refund_twice_is_a_conflict(client: httpx.Client):
    client.post("/api/refunds", headers=ADA, json=REFUND)
    assert client.post("/api/refunds", headers=ADA, json=REFUND).status_code == 409


def test_another_amount_is_a_change_for_the_reason_given(client: httpx.Client):
    other = REFUND | {"amount_usd": 2.5, "reason": "half is enough"}
    assert client.post("/api/refunds", headers=ADA, json=other).json()["amount_usd"] == 2.5
    (said,) = client.get("/api/cases/a", headers=ADA).json()["decisions"]
    assert (said["action"], said["reason_code"], said["note"]) == ("change", "other", "half is enough")


def test_a_refund_for_an_unknown_order_is_not_found(client: httpx.Client):
    answer = client.post("/api/refunds", headers=ADA, json=REFUND | {"order_id": "nothing"})
    assert answer.status_code == 404
